"""A node's way through time: what will happen to it in order, exchanges, what its radio sends."""

import itertools
from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass

from ascnode.scenario.hardware import KELVIN_AT_0_C
from ascnode.scenario.provision import BENCH_KEY_INDEX, bench_key
from ascnode.session import messages, telemetry
from ascnode.session.commanding import Commander
from ascnode.session.messages import Done, Event
from ascnode.session.realtime import Jitter, fly_in_real_time
from ascnode_fw import link
from ascnode_fw.flight import layout as f_
from ascnode_hil.heard import Heard
from ascnode_hil.rig import Device
from ascnode_hil.state import NodeState
from ascnode_hil.trace import Trace

_SAMPLE_S = 10.0
_EVENT_ROOM = link.EVENTS_MAX - 256
_BATCH = 60
_OVERHEAD = 64  # of a signed telecommand and its event header


@dataclass
class Sent:
    """A telecommand on its way; it gets its sequence number when it goes up."""

    name: str
    arguments: tuple[int, ...]
    data: bytes
    sequence: int | None = None
    packet: bytes = b""


Pending = tuple[int, int, Event | Sent]


class Flight(NodeState):
    """Events and telecommands wait in order of time; advancing() takes the node through them."""

    def __init__(self, device: Device, real_time: bool) -> None:
        super().__init__(device)
        self.trace = Trace(device.name)
        self.heard: list[Heard] = []
        self.jitter: Jitter | None = None
        self._real_time = real_time
        self._now_us = 0
        self._queue: list[Pending] = []
        self._order = itertools.count()
        self._poked: dict[tuple[str, int], int] = {}  # what words will hold at the next period
        self._commander = self._new_commander()
        self._floor = 0  # of the sequence numbers to come

    @property
    def now_s(self) -> float:
        """Simulated time."""
        return self._now_us / 1e6

    def _put(self, time_us: int, what: Event | Sent) -> None:
        insort(self._queue, (time_us, next(self._order), what))

    async def advancing(self, until_us: int) -> None:
        """As advance_to(), for the loop's own thread."""
        while self._now_us < until_us:
            most_us = self._now_us + round(_SAMPLE_S * 1e6)
            batch, horizon_us = self._next(min(until_us, most_us))
            for done in await self._exchange(batch, horizon_us):
                self._take(done)
            self._sample()

    async def _exchange(self, batch: Sequence[Pending], horizon_us: int) -> Sequence[Done]:
        first = self._commander.sequence
        events = [self._event(*item) for item in batch]
        stepper = self.device.stepper
        try:
            if not self._real_time:
                return [await stepper.exchange(horizon_us, events, False)]
            return await self._paced(events, horizon_us)
        finally:
            self._commander.sequence = first

    async def _paced(self, events: list[Event], horizon_us: int) -> Sequence[Done]:
        period_us = round(self.period_s * 1e6)
        stepper = self.device.stepper
        dones, jitter = await fly_in_real_time(stepper, self._now_us, horizon_us, period_us, events)
        self.jitter = jitter if self.jitter is None else _merged(self.jitter, jitter)
        return dones

    def _next(self, until_us: int) -> tuple[list[Pending], int]:
        # What comes before that time and fits an exchange, and the time that it allows to advance to.
        room = _EVENT_ROOM
        for at, (time_us, _, what) in enumerate(self._queue):
            room -= len(what.data) + _OVERHEAD
            if time_us >= until_us or room < 0 or at == _BATCH:
                horizon_us = until_us if time_us >= until_us else max(time_us, self._now_us + 1)
                return self._queue[:at], horizon_us
        return list(self._queue), until_us

    def _event(self, time_us: int, _: int, what: Event | Sent) -> Event:
        if isinstance(what, Event):
            return what
        what.packet = self._commander.packet(what.name, *what.arguments, data=what.data)
        what.sequence = self._commander.sequence
        return messages.packet(time_us, what.packet)

    def _take(self, done: Done) -> None:
        # What was not applied stays in the queue, and is signed again.
        for _, _, what in self._queue[: done.applied]:
            if isinstance(what, Sent):
                self._commander.sequence += 1
        self._commander.sequence = max(self._commander.sequence, self._floor)
        del self._queue[: done.applied]
        self._poked.clear()
        self._now_us = done.now_us
        for output in done.outputs:
            self.heard.append(Heard(output.time_us, telemetry.decode(output.packet), output.packet))

    def _sample(self) -> None:
        f = self.twin.node.computer.f
        self.trace.add(
            t_s=self.now_s,
            charge=self.charge,
            accelerator_c=self.accelerator_c,
            radiator_c=f[f_.RADIATOR_CK] / 100 - KELVIN_AT_0_C,
            operating_point=f[f_.OP],
            throttled_s=f[f_.THROTTLED] * self.period_s,
            contact=f[f_.CONTACT],
            packets_queued=self.twin.node.computer.links.held(),
        )

    def _new_commander(self) -> Commander:
        key = bench_key(self.device.setup.seed, self.device.node)
        return Commander(key, BENCH_KEY_INDEX, self.twin.node.counters[BENCH_KEY_INDEX].last)

    def _rebooted(self, time_us: int, sequence: int) -> None:
        # Its counter has gone on to its mark: what comes next has to lie above.
        self._floor = max(self._floor, sequence)


def _merged(a: Jitter, b: Jitter) -> Jitter:
    return Jitter(
        [x + y for x, y in zip(a.histogram, b.histogram, strict=True)],
        a.missed + b.missed,
        max(a.latest_us, b.latest_us),
        a.total_us + b.total_us,
        max(a.longest_step_us, b.longest_step_us),
    )
