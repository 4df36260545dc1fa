"""The simulated nodes of a run: the fleet twin's power and heat, and each node's own jobs on top."""

import math
from collections.abc import Iterable, Sequence
from functools import cache
from heapq import heappop, heappush

import numpy as np

from ascnode.scenario.job import Finished, Job, Jobs
from ascnode.scenario.ledger import COMPUTE, QUEUE, Account
from ascnode.scenario.payload import Payload
from ascnode.scenario.scenario import Scenario
from ascnode.scenario.tables.policy import Cap
from ascnode.sky.sun import sun_direction
from ascnode.sky.vectors import Floats
from ascnode.twin.fleet.classes import NodeClass
from ascnode.twin.fleet.fleet import Fleet
from ascnode_fw.flight.layout import scale
from ascnode_fw.wire import dictionary as d

_DAYS_PER_YEAR = 365.25
_OUT = 2  # load shed that stands for a node out of service


def job_kc(scenario: Scenario, payload: Payload) -> int:
    """The work of a job, in 1000 cycles, as the firmware counts it."""
    if scenario.accelerator == "none":
        return scale(payload.macs, scenario.node.cycles_per_mac, 1000)
    return scale(payload.cycles, scenario.node.work_scale, 1000)


class Nodes:
    """All satellites as simulated nodes; those that are boards are here for the sky alone, and hold no jobs."""

    def __init__(self, scenario: Scenario, payload: Payload, caps: Sequence[Cap] = ()) -> None:
        hardware, epoch = scenario.node, scenario.epoch
        node = NodeClass(hardware, radiator_face=scenario.radiator_face, control_ms=scenario.step_ms)

        @cache
        def sun_of_minute(minute: int) -> Floats:
            return sun_direction(epoch, 60.0 * minute + 30.0)  # it moves 0.0007 deg in a minute

        self.fleet = Fleet(
            scenario.space.planes(), lambda t_s: sun_of_minute(int(np.asarray(t_s) // 60)), [node]
        )
        kept = (1 - hardware.array_loss_per_year) ** (scenario.age_days / _DAYS_PER_YEAR)
        self.fleet.state.array_left[:] = kept
        self.work_kc = float(job_kc(scenario, payload))
        self.capacity_j = hardware.battery_wh * 3600
        self.now_us = 0
        self._step_us = scenario.step_ms * 1000
        self._points = hardware.operating_points
        self._period_s = scenario.space.orbit(0).period_s
        self._jobs: dict[int, Jobs] = {}
        self._arriving: list[tuple[int, int, int, Account]] = []
        self._order = 0
        self._caps = [(cap.at_s, cap.at_s + cap.for_s, each_w(cap, scenario)) for cap in caps]

    # --- jobs

    def arrive(self, time_us: int, satellite: int, account: Account) -> None:
        """A query reaches a node; it is admitted or refused in the first period at or after that time."""
        heappush(self._arriving, (time_us, account.query.job, satellite, account))

    def held(self) -> Iterable[Account]:
        """The queries that wait or run, or are about to be admitted."""
        yield from (account for *_, account in self._arriving)
        for jobs in self._jobs.values():
            yield from (job.account for job in jobs.all())

    def load(self, satellite: int) -> tuple[int, float]:
        """Jobs of a node and their work left in 1000 cycles."""
        jobs = self._jobs.get(satellite)
        return (len(jobs), jobs.kc()) if jobs else (0, 0.0)

    def busy(self) -> Iterable[int]:
        """The satellites that hold jobs."""
        return self._jobs

    def lose(self, satellite: int) -> list[Account]:
        """A node fails: what it held."""
        jobs = self._jobs.pop(satellite, None)
        self.fleet.state.queue_kc[satellite] = 0
        return [job.account for job in jobs.all()] if jobs else []

    def out_of_service(self, satellites: Iterable[int]) -> None:
        """From now on these do not work, all others do."""
        self.fleet.state.hold[:] = 0
        self.fleet.state.hold[list(satellites)] = _OUT

    # --- time

    def advance(self, until_us: int) -> list[Finished]:
        """Whole periods until that time is reached; what ended in them, in order of time."""
        ended: list[Finished] = []
        while self.now_us < until_us:
            ended += self._period()
        return sorted(ended, key=lambda one: (one.time_us, one.satellite, one.account.query.job))

    def _period(self) -> list[Finished]:
        state = self.fleet.state
        ended = self._expire()
        if self._caps:
            self.fleet.cap_node(self._cap_w(self.now_us / 1e6))
        ended += self._admit()
        for satellite, jobs in self._jobs.items():
            state.queue_kc[satellite] = jobs.kc()
        self.fleet.step(self._step_us / 1e6)
        for satellite in list(self._jobs):
            ended += self._work(satellite)
        self.now_us += self._step_us
        return ended

    def _cap_w(self, now_s: float) -> float:
        return min((each for start, end, each in self._caps if start <= now_s < end), default=0.0)

    def _expire(self) -> list[Finished]:
        return [
            Finished(self.now_us, satellite, job.account, d.EXPIRED)
            for satellite, jobs in self._jobs.items()
            for job in jobs.expired(self.now_us / 1e6)
        ]

    def _admit(self) -> list[Finished]:
        refused: list[Finished] = []
        spare_j = None
        while self._arriving and self._arriving[0][0] <= self.now_us:
            _, _, satellite, account = heappop(self._arriving)
            spare_j = self.fleet.spare_j() if spare_j is None else spare_j
            code = self._refusal(satellite, account, float(spare_j[satellite]))
            if code != d.OK:
                refused.append(Finished(self.now_us, satellite, account, code))
                continue
            self._order += 1
            query = account.query
            job = Job(query.priority, query.deadline_s, self._order, account, self.work_kc)
            self._jobs.setdefault(satellite, Jobs()).add(job)
        return refused

    def _refusal(self, satellite: int, account: Account, spare_j: float) -> int:
        # As flight/tasks.py refuses.
        state, query = self.fleet.state, account.query
        jobs = self._jobs.get(satellite, Jobs())
        if state.shed[satellite] or state.hold[satellite]:
            return d.SHED
        if state.tripped[satellite]:
            return d.TOO_HOT
        if jobs.full:
            return d.QUEUE_FULL
        clock_khz, power_w = self._expected(satellite, spare_j)
        wait_s = (jobs.ahead_kc(query.priority, query.deadline_s) + self.work_kc) / clock_khz
        if wait_s >= query.deadline_s - self.now_us / 1e6:
            return d.TOO_LATE
        busy_s = (jobs.kc() + self.work_kc) / clock_khz + 1
        return d.NO_ENERGY if power_w * busy_s > spare_j else d.OK

    def _expected(self, satellite: int, spare_j: float) -> tuple[float, float]:
        # The point in use, or the one that an idle node would start at [A: with an orbit until the next dawn].
        point = int(self.fleet.state.point[satellite])
        if not point:
            room_w = max(0.0, spare_j) / self._period_s
            point = max([1, *(i for i, (_, power_w) in enumerate(self._points) if power_w <= room_w)])
        clock_khz, power_w = self._points[min(point, len(self._points) - 1)]
        return max(1.0, clock_khz), power_w

    def _work(self, satellite: int) -> list[Finished]:
        jobs = self._jobs[satellite]
        point = int(self.fleet.state.point[satellite])
        ended = []
        if point:
            clock_khz, power_w = self._points[point]
            for after_us, job in jobs.work(clock_khz, power_w, self._step_us):
                ended.append(self._answer(satellite, job, self.now_us + math.ceil(after_us)))
        if not len(jobs):
            del self._jobs[satellite]
            self.fleet.state.queue_kc[satellite] = 0
        return ended

    def _answer(self, satellite: int, job: Job, time_us: int) -> Finished:
        account = job.account
        account.energy_j = job.spent_j
        account.spend(QUEUE, time_us - min(round(job.spent_us), time_us - account.mark_us))
        account.spend(COMPUTE, time_us)
        return Finished(time_us, satellite, account, d.OK)


def each_w(cap: Cap, scenario: Scenario) -> float:
    """What a cap allows one node."""
    return cap.each_w if cap.each_w is not None else (cap.total_w or 0.0) / len(scenario.space.compute)
