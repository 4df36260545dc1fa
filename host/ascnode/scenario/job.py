"""One simulated node's jobs: what the firmware's task table does, with the same order and the same codes."""

import math
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import NamedTuple

from ascnode.scenario.ledger import Account
from ascnode_fw.flight.tasks import SLOTS


class Finished(NamedTuple):
    """A job's end: when, on which satellite; code is OK or why it has no answer."""

    time_us: int
    satellite: int
    account: Account
    code: int


@dataclass(order=True)
class Job:
    """Priority, then deadline, then first come, as the flight software orders them."""

    priority: int
    deadline_s: int
    order: int
    account: Account = field(compare=False)
    left_kc: float = field(compare=False)
    spent_us: float = field(compare=False, default=0.0)
    spent_j: float = field(compare=False, default=0.0)


class Jobs:
    """At most 16, as on a board; `running` goes on until it is done."""

    def __init__(self) -> None:
        self.running: Job | None = None
        self._waiting: list[Job] = []

    def __len__(self) -> int:
        return len(self._waiting) + (self.running is not None)

    @property
    def full(self) -> bool:
        """No slot is left."""
        return len(self) >= SLOTS

    def all(self) -> list[Job]:
        """The running job first."""
        return [self.running, *sorted(self._waiting)] if self.running else sorted(self._waiting)

    def kc(self) -> float:
        """Work left, 1000 cycles."""
        return math.fsum(job.left_kc for job in self.all())

    def ahead_kc(self, priority: int, deadline_s: int) -> float:
        """Work that comes before a new job of that urgency."""
        ahead = [job for job in self._waiting if (job.priority, job.deadline_s) <= (priority, deadline_s)]
        return math.fsum(job.left_kc for job in ([self.running] if self.running else []) + ahead)

    def add(self, job: Job) -> None:
        """Queues it."""
        heappush(self._waiting, job)

    def expired(self, now_s: float) -> list[Job]:
        """Takes out the jobs whose deadline has passed."""
        gone = [job for job in self.all() if job.deadline_s <= now_s]
        if gone:
            self._waiting = sorted(job for job in self._waiting if job.deadline_s > now_s)
            if self.running and self.running.deadline_s <= now_s:
                self.running = None
        return gone

    def work(self, clock_khz: float, power_w: float, period_us: int) -> list[tuple[float, Job]]:
        """Works for a period; the finished jobs, each with its us after the period's start."""
        done = []
        now_us = 0.0
        while now_us < period_us:
            if self.running is None:
                if not self._waiting:
                    break
                self.running = heappop(self._waiting)
            job = self.running
            need_us = job.left_kc / clock_khz * 1e6
            used_us = min(need_us, period_us - now_us)
            now_us += used_us
            job.spent_us += used_us
            job.spent_j += power_w * used_us * 1e-6
            job.left_kc = 0.0 if used_us == need_us else job.left_kc - clock_khz * used_us * 1e-6
            if job.left_kc <= 0:
                self.running = None
                done.append((now_us, job))
        return done
