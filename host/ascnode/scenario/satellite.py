"""One satellite of a run: a board with its twin, the events ahead of it, and what its radio says."""

import itertools
from bisect import insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ascnode.scenario.ground import Ground
from ascnode.scenario.ledger import Ledger
from ascnode.scenario.traffic import Query
from ascnode.session import messages, telemetry
from ascnode.session.commanding import Commander
from ascnode.session.messages import Done, Event
from ascnode_fw import link
from ascnode_fw.wire import dictionary as d

# Events of one exchange must fit the board's buffer.
_EVENT_ROOM = link.EVENTS_MAX - 256
_BATCH = 64
_BATCH_START = 8
_OVERHEAD = 64  # of a signed telecommand and its event header


class Stepper(Protocol):
    """A board with its twin, or a twin alone."""

    async def exchange(
        self, until_us: int, events: Sequence[Event] = (), stop_on_custody: bool = True
    ) -> Done:
        """Advances through events towards a time."""


@dataclass(frozen=True)
class Command:
    """A telecommand that waits to go up; it is signed when it does, so that numbers rise in order of arrival."""

    name: str
    arguments: tuple[int, ...] = ()
    data: bytes = b""
    job: int = -1


Observer = Callable[[int, telemetry.Packet], None]


class Satellite:
    """Keeps the queue of events in order of (time, arrival) and advances the board through them."""

    def __init__(
        self,
        name: str,
        stepper: Stepper,
        commander: Commander,
        ground: Ground,
        ledger: Ledger,
        power_scale: int,
    ) -> None:
        self.name = name
        self.stepper = stepper
        self.now_us = 0
        self.observer: Observer | None = None
        self._commander = commander
        self._ground = ground
        self._ledger = ledger
        self._joules = 2**power_scale / 1000
        self._queue: list[tuple[int, int, Event | Command]] = []
        self._order = itertools.count()
        self._jobs: dict[int, int] = {}
        # Where the radio talks much an exchange ends early: what was signed for later would be signed again.
        self._batch = _BATCH_START

    # --- what lies ahead

    def add(self, time_us: int, what: Event | Command) -> None:
        """Puts an event, or a telecommand that arrives at that time, in the queue."""
        insort(self._queue, (time_us, next(self._order), what))

    def plan(self, plan: int, windows: Sequence[tuple[float, float]]) -> None:
        """Loads a plan before the run begins; windows widened to whole seconds."""
        data = np.array([(int(start), -int(-end // 1)) for start, end in windows], dtype=">u4").tobytes()
        self.add(0, Command("plan_clear", (plan,)))
        for at in range(0, len(data), 320):
            self.add(0, Command("plan_add", (plan,), data[at : at + 320]))

    def lock(self) -> None:
        """Radio lock whenever a station sees the satellite."""
        for start_s, end_s in self._ground.contacts():
            for time_us, locked in ((int(start_s * 1e6), True), (int(end_s * 1e6), False)):
                self.add(time_us, messages.radio_lock(time_us, locked))

    def ask(self, query: Query, model_id: int, image: npt.NDArray[np.int8]) -> None:
        """A user's query on its way up; it needs a pass over the user's city."""
        one = self._ground.of_city(query.city, query.sent_us)
        if one is None:
            return
        arrival_us = query.sent_us + self._ground.light_us(one, query.sent_us)
        arguments = (query.job, model_id, query.priority, query.deadline_s)
        self.add(arrival_us, Command("query", arguments, image.tobytes(), query.job))

    # --- time

    async def advance(self, until_us: int) -> None:
        """To that time, handling what the radio sends on the way."""
        while self.now_us < until_us:
            first = self._commander.sequence
            batch, horizon_us = self._next(until_us)
            done = await self.stepper.exchange(horizon_us, [self._event(*item) for item in batch])
            # What was not applied goes up again later, under the numbers that follow the last applied one.
            self._commander.sequence = first
            del self._queue[: done.applied]
            for _, what in batch[: done.applied]:
                self._gone_up(what)
            self._batch = min(_BATCH, 2 * done.applied + _BATCH_START)
            self.now_us = done.now_us
            for output in done.outputs:
                self._heard(output)

    def _event(self, time_us: int, what: Event | Command) -> Event:
        if isinstance(what, Event):
            return what
        return messages.packet(time_us, self._commander.packet(what.name, *what.arguments, data=what.data))

    def _gone_up(self, what: Event | Command) -> None:
        if isinstance(what, Command):
            self._commander.sequence += 1
            if what.job >= 0:
                self._jobs[self._commander.sequence] = what.job
                self._ledger.sent(what.job, self._commander.sequence)

    def _next(self, until_us: int) -> tuple[list[tuple[int, Event | Command]], int]:
        # What comes before that time and fits one exchange, and the time it allows to advance to.
        batch: list[tuple[int, Event | Command]] = []
        room = _EVENT_ROOM
        for time_us, _, what in self._queue[: self._batch]:
            if time_us >= until_us:
                break
            room -= len(what.data) + _OVERHEAD
            if room < 0 or len(batch) == self._batch - 1:
                return batch, max(time_us, self.now_us + 1)
            batch.append((time_us, what))
        return batch, until_us

    # --- what comes down

    def _heard(self, output: messages.Output) -> None:
        packet = telemetry.decode(output.packet)
        one = self._ground.heard_by(output.time_us)
        if one is None:
            return  # sent at the last moment of a pass: nobody heard it, custody will repeat it
        light_us = self._ground.light_us(one, output.time_us)
        arrival_us = output.time_us + light_us
        if self.observer:
            self.observer(arrival_us, packet)
        fields = packet.fields
        if packet.kind == d.TM_RESULT:
            self._result(packet, arrival_us)
            self.add(arrival_us + light_us, Command("custody", (), packet.count.to_bytes(2, "big")))
        elif packet.kind == d.TM_ACCEPT and fields["code"] and fields["sequence"] in self._jobs:
            self._ledger.failed(self._jobs[fields["sequence"]], _cause(fields["code"]))

    def _result(self, packet: telemetry.Packet, arrival_us: int) -> None:
        fields = packet.fields
        if fields["code"]:
            self._ledger.failed(fields["job"], _cause(fields["code"]))
        else:
            self._ledger.answered(fields["job"], arrival_us, fields["energy"] * self._joules, packet.data)


def _cause(code: int) -> str:
    return "refused: " + telemetry.CODE_NAMES.get(code, f"code {code}")
