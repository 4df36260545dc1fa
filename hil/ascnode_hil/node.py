"""One node as a test sees it: synchronous, in simulated time, with names instead of numbers."""

import itertools
import struct
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from ascnode.faults.schedule import Injection, Schedule
from ascnode.scenario.hardware import KELVIN_AT_0_C
from ascnode.session import messages
from ascnode.session.messages import Event
from ascnode.session.realtime import Jitter
from ascnode_fw.wire import dictionary as d
from ascnode_hil.flight import Flight, Sent
from ascnode_hil.heard import Answer, Heard
from ascnode_hil.loop import LoopThread
from ascnode_hil.rig import POWER_CUT, RESET, Device
from ascnode_hil.state import PARAMETERS

__all__ = ["FOREVER_S", "PARAMETERS", "HilNode", "Sent"]

SENSORS = {row[0]: number for number, row in enumerate(d.SENSORS)}
FOREVER_S = (1 << 30) - 1
PATIENCE_S = 30.0  # simulated time that a command's report may take
# State of charge over cell voltage: the points between which the flight data book is linear.
_CELL_CHARGE = (0.0, 0.3, 0.5, 0.7, 1.0)
_CELL_V = (3.15, 3.63, 3.78, 3.98, 4.20)


class HilNode(Flight):
    """A board under test. Times in seconds since it began; nothing happens but in advance() and what calls it."""

    def __init__(self, device: Device, loop: LoopThread, seed: int, real_time: bool = False) -> None:
        super().__init__(device, real_time)
        self.seed = seed
        self._loop = loop
        self._jobs = itertools.count(1)

    # --- time

    def advance(self, seconds: float) -> list[Heard]:
        """Lets simulated time pass; what the radio sent meanwhile. Less than a period still takes one."""
        return self.advance_to(self.now_s + seconds)

    def advance_to(self, t_s: float) -> list[Heard]:
        """As advance(), to a time."""
        before = len(self.heard)
        wait_s = 120.0 + 2 * (t_s - self.now_s)
        self._loop.run(self.advancing(round(t_s * 1e6)), wait_s, f"exchange with {self.name}")
        return self.heard[before:]

    def step(self, periods: int = 1) -> list[Heard]:
        """As advance(), by control periods."""
        return self.advance(periods * self.period_s)

    def until(self, condition: Callable[[], object], within_s: float, what: str) -> float:
        """Steps until the condition holds; the seconds it took. AssertionError when it does not within the time."""
        start_s = self.now_s
        while not condition():
            if self.now_s - start_s >= within_s:
                raise AssertionError(f"{self.name}: no {what} within {within_s:g} s of simulated time")
            self.step()
        return self.now_s - start_s

    def in_real_time(self, seconds: float) -> Jitter:
        """As advance(), a control period when it is due on the monotonic clock: how late each was."""
        paced, self._real_time, self.jitter = self._real_time, True, None
        try:
            self.advance(seconds)
        finally:
            self._real_time = paced
        assert self.jitter is not None
        return self.jitter

    # --- what happens to it

    def add(self, event: Event) -> None:
        """An event of the SIM plane, at its own time or as soon after as the node steps."""
        self._put(event.time_us, event)

    def environment(
        self, illumination: float, cos_radiator: float = 0.0, albedo: float = 0.0, at_s: float | None = None
    ) -> None:
        """Light from then on: the share of the Sun that is seen, its incidence on the radiator, the albedo."""
        fractions = (round(1024 * share) for share in (illumination, 1.0, cos_radiator, albedo))
        self.add(messages.environment(self._us(at_s), *fractions))

    def lock(self, locked: bool, at_s: float | None = None) -> None:
        """The radio gains or loses its lock on the ground."""
        self.add(messages.radio_lock(self._us(at_s), locked))

    def contact(self, start_s: float | None = None, end_s: float = FOREVER_S) -> None:
        """A ground contact: in the contact plan, and with lock."""
        start = self.now_s if start_s is None else start_s
        self.plan("contacts", [(int(start), int(end_s))])
        self.lock(True, start)
        if end_s < FOREVER_S:
            self.lock(False, end_s)

    def plan(self, which: str, windows: Sequence[tuple[int, int]]) -> None:
        """Uplinks windows (start s, end s) to the plan of `contacts` or `eclipses`, behind those that are there."""
        number = {"contacts": d.PLAN_CONTACTS, "eclipses": d.PLAN_ECLIPSES}[which]
        self.send("plan_add", number, data=b"".join(struct.pack(">II", *window) for window in windows))

    def sense(self, sensor: str, value: float) -> None:
        """From now on that sensor says this, in its unit in the dictionary (mV, pw, cK); see well()."""
        _, low, high, _ = d.SENSORS[SENSORS[sensor]]
        word = max(0, min(0xFFF, int(4096 * (value - low) / (high - low))))
        self.add(messages.sensor_fault(self._now_us, SENSORS[sensor], 0, word))

    def sense_charge(self, charge: float) -> None:
        """The cell sensor says the voltage of that state of charge (0..1)."""
        # Half a count up, so that the converter does not round the charge below the one asked for.
        self.sense("cell", 1000 * float(np.interp(charge, _CELL_CHARGE, _CELL_V)) + 0.6)

    def sense_accelerator_c(self, temperature_c: float) -> None:
        """The accelerator's sensor says that temperature, rounded up to its next step of 0.08 K."""
        self.sense("accelerator", (temperature_c + KELVIN_AT_0_C) * 100 + 7)

    def well(self, sensor: str) -> None:
        """That sensor is well again."""
        self.add(messages.sensor_fault(self._now_us, SENSORS[sensor], 0xFFF, 0))

    def poke(self, buffer: str, word: int, value: int) -> None:
        """Writes a word of the node's state before the next period, without a flash write or a packet."""
        names = [name for name, _, _ in self.twin.names()]
        index = names.index(buffer)
        old = self._poked.get((buffer, word), self._words(buffer)[word])
        self._poked[buffer, word] = value
        mask = (old ^ value) & 0xFFFFFFFF
        self.add(messages.poke(self._now_us, index, word, mask - (1 << 32) if mask >> 31 else mask))

    def configure(self, **values: int) -> None:
        """Parameters by name, in memory only: gone at the next start."""
        for name, value in values.items():
            self.poke("params", PARAMETERS[name], value)

    def reset(self) -> None:
        """Pulls the reset line; plant and flash are kept."""
        self._restart(RESET)

    def cut_power(self) -> None:
        """Takes the power away at once and gives it back; plant and flash are kept. BlockedError without a switch."""
        self._restart(POWER_CUT)

    def cut_power_at_write(self, seconds: float, write: int, halves: int = 0) -> bool:
        """Lets time pass, with the power going at that flash write (1 is the next) of which so many halves (0..2) are
        stored, and gives it back; what it sent meanwhile is lost. False when there were fewer writes."""
        batch, horizon_us = self._next(self._now_us + round(seconds * 1e6))
        events = [self._event(*item) for item in batch]
        del self._queue[: len(batch)]
        work = self.device.cut_at_write(horizon_us, events, write, halves)
        cut = self._loop.run(work, what=f"exchange with {self.name}")
        self._restart(POWER_CUT)
        return cut

    def _restart(self, cause: int) -> None:
        self._loop.run(self.device.restart(self._now_us, cause), what=f"{self.name} after a restart")
        self._commander = self._new_commander()
        self._queue = [(t, n, what) for t, n, what in self._queue if isinstance(what, Event)]

    def _us(self, at_s: float | None) -> int:
        return self._now_us if at_s is None else round(at_s * 1e6)

    def begin_with(self, schedule: Schedule, injected: list[Injection]) -> None:
        """Begins afresh under a schedule of faults; `injected` grows with what they do."""
        self._loop.run(self.device.begin_with(schedule, injected), what=f"{self.name} at its begin")
        assert self.device.injector is not None
        self.device.injector.rebooted = self._rebooted

    # --- commands

    @property
    def sequence(self) -> int:
        """Number of the last telecommand that went up."""
        return self._commander.sequence

    def send(self, name: str, *arguments: int, data: bytes = b"", at_s: float | None = None) -> Sent:
        """A telecommand that goes up at that time, now without one."""
        sent = Sent(name, arguments, data)
        self._put(self._us(at_s), sent)
        return sent

    def send_packet(self, packet: bytes, at_s: float | None = None) -> None:
        """Bytes at the node's receiver, authentic or not."""
        self.add(messages.packet(self._us(at_s), packet))

    def command(self, name: str, *arguments: int, data: bytes = b"") -> str:
        """Sends a telecommand and waits for its acceptance; the code's name, "ok" when it was obeyed.

        AssertionError when no report comes: without contact none does.
        """
        sent = self.send(name, *arguments, data=data)
        self.until(lambda: self.report(sent), PATIENCE_S, f"acceptance report of {name}")
        report = self.report(sent)
        assert report is not None
        return report.code

    def report(self, sent: Sent, kind: str = "acceptance") -> Heard | None:
        """The acceptance or completion report of a telecommand, if it was heard."""
        if sent.sequence is None:
            return None
        reports = (h for h in self.heard if h.name == kind and h.fields["sequence"] == sent.sequence)
        return next(reports, None)

    def query(
        self,
        image: npt.NDArray[np.int8] | bytes,
        priority: int = 0,
        deadline_s: float = 3600.0,
        at_s: float | None = None,
        model_id: int | None = None,
    ) -> tuple[int, Sent]:
        """Sends an image to classify, with a deadline so many seconds from now; (job, telecommand)."""
        job = next(self._jobs)
        data = image if isinstance(image, bytes) else image.tobytes()
        model = self.twin.node.accelerator.model_id if model_id is None else model_id
        deadline = int(self.now_s + deadline_s)
        return job, self.send("query", job, model, priority, deadline, data=data, at_s=at_s)

    def answer(self, job: int) -> Answer | None:
        """A job's answer, if it was heard; the first when it was sent more than once."""
        return next(iter(self.answers(job)), None)

    def answers_to(self, jobs: Sequence[int], within_s: float) -> list[Answer]:
        """Waits for the answers to these jobs; AssertionError when one is missing by then."""
        self.until(lambda: all(self.answer(job) for job in jobs), within_s, f"answers to {len(jobs)} queries")
        return [answer for job in jobs if (answer := self.answer(job))]

    def answers(self, job: int | None = None) -> list[Answer]:
        """All results that were heard, of one job or of all, repetitions included."""
        results = (heard for heard in self.heard if heard.name == "result")
        return [self._answer(heard) for heard in results if job in (None, heard.fields["job"])]

    def _answer(self, heard: Heard) -> Answer:
        fields = heard.fields
        return Answer(
            job=fields["job"],
            code=heard.code,
            output=heard.packet.data,
            duration_ms=fields["duration"],
            energy_j=fields["energy"] * self.joules_per_unit / 1000,
            work_kcycles=fields["work"],
            sent_s=heard.sent_s,
            count=heard.packet.count,
        )

    def take_over(self, *counts: int) -> Sent:
        """The ground has those packets (by their counts): custody ends."""
        return self.send("custody", data=b"".join(count.to_bytes(2, "big") for count in counts))

    # --- what it knows, and what is so

    def events(self, name: str | None = None) -> list[Heard]:
        """Events that were heard, of one name or all."""
        return [heard for heard in self.heard if heard.name == "event" and name in (None, heard.event)]
