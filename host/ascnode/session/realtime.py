"""Real time: one control period at a time on the monotonic clock; its jitter, and the deadlines that were missed."""

import asyncio
import time
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ascnode.session.messages import Done, Event

# Upper edges of the histogram's bins in us; the last bin is open.
EDGES_US = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 1_000_000)


class Stepper(Protocol):
    """A board with its twin, or a twin alone."""

    async def exchange(
        self, until_us: int, events: Sequence[Event] = (), stop_on_custody: bool = True
    ) -> Done:
        """Advances through events towards a time."""


@dataclass
class Jitter:
    """How late periods began, and which did not end before the next one was due (all in us of wall time)."""

    histogram: list[int] = field(default_factory=lambda: [0] * (len(EDGES_US) + 1))
    missed: list[int] = field(
        default_factory=list
    )  # simulated times of the periods whose deadline was missed
    latest_us: int = 0
    total_us: int = 0
    longest_step_us: int = 0

    def add(self, period_us: int, late_us: int, took_us: int, budget_us: int) -> None:
        """A period that began at simulated time `period_us`, so late, took so long, and had so long."""
        late_us = max(0, late_us)
        self.histogram[bisect_right(EDGES_US, late_us)] += 1
        self.latest_us = max(self.latest_us, late_us)
        self.total_us += late_us
        self.longest_step_us = max(self.longest_step_us, took_us)
        if late_us + took_us > budget_us:
            self.missed.append(period_us)

    @property
    def periods(self) -> int:
        """How many periods there were."""
        return sum(self.histogram)

    @property
    def mean_us(self) -> float:
        """Mean lateness."""
        return self.total_us / self.periods if self.periods else 0.0

    def bins(self) -> list[tuple[str, int]]:
        """(label, count) of each bin, for tables and plots."""
        labels = [f"< {edge} us" for edge in EDGES_US] + [f">= {EDGES_US[-1]} us"]
        return list(zip(labels, self.histogram, strict=True))


async def fly_in_real_time(
    stepper: Stepper,
    start_us: int,
    until_us: int,
    period_us: int,
    events: Sequence[Event] = (),
    speed: float = 1.0,
) -> tuple[list[Done], Jitter]:
    """Steps a period when it is due, `speed` times as fast as the clock; what came late is not skipped.

    A period's deadline is the start of the next one. The board's control period must be `period_us`.
    """
    jitter = Jitter()
    dones: list[Done] = []
    left = list(events)
    origin_s = time.monotonic()
    budget_us = round(period_us / speed)
    now_us = start_us
    while now_us < until_us:
        due_s = origin_s + (now_us - start_us) / speed / 1e6
        await _sleep_until(due_s)
        began_s = time.monotonic()
        done = await stepper.exchange(now_us + period_us, [e for e in left if e.time_us <= now_us], False)
        took_us = round((time.monotonic() - began_s) * 1e6)
        jitter.add(now_us, round((began_s - due_s) * 1e6), took_us, budget_us)
        del left[: done.applied]
        dones.append(done)
        now_us = done.now_us
    return dones, jitter


async def _sleep_until(due_s: float) -> None:
    # The loop's own clock is coarser: it sleeps to shortly before, then yields.
    while (left_s := due_s - time.monotonic()) > 0:
        await asyncio.sleep(max(0.0, left_s - 0.0005))
