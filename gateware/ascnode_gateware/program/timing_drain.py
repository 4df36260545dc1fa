"""When output groups drain, and the bank accesses that this takes from the fetcher and the streamer."""

from dataclasses import dataclass
from math import floor

from ascnode_gateware.program.timing_model import Timing


@dataclass(frozen=True)
class DrainJob:
    """What a drain must know of its job: outputs, add, and the banks of output and skip (None without add)."""

    outputs: int
    add: bool
    output_bank: int
    skip_bank: int | None


@dataclass(frozen=True)
class Drain:
    """`begin`, `end`: its first cycle and that of its last write; `period`: cycles of a word of 4 bytes."""

    job: DrainJob
    begin: float
    end: float
    period: int

    def accesses(self, bank: int, start: float, end: float) -> int:
        """To `bank` in cycles start..end, both included."""
        found = 0
        if self.job.output_bank == bank:
            found += self._written(end) - self._written(start - 1)
        if self.job.skip_bank == bank:
            found += self._written(end + self.period) - self._written(start - 1 + self.period)
        return found

    def _written(self, until: float) -> int:
        """Words written up to and in the cycle `until`."""
        last = self.job.outputs
        return min(max(last + floor((until - self.end) / self.period), 0), last)


class Drains:
    """One drain at a time, in order; a set of accumulators is free when the drain before the last has ended."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._recent: list[Drain] = []  # the last two

    def append(self, job: DrainJob, last_word: float, left_shift: int) -> Drain:
        """Of an output group whose last word goes past the array in cycle `last_word`.

        left_shift: bits, summed over the group's channels, and over both rescalings with add.
        """
        timing = self._timing
        begin = max(last_word + timing.pixel_to_drain, self.all_free)
        period = 4 * (timing.drain_added_byte if job.add else timing.drain_byte) + left_shift
        latency = timing.drain_added_latency if job.add else timing.drain_latency
        drain = Drain(job, begin, begin + latency + period * job.outputs, period)
        self._recent = [*self._recent[-1:], drain]
        return drain

    @property
    def all_free(self) -> float:
        """When every output is written and the sets are free."""
        return self._recent[-1].end + self._timing.drain_to_free if self._recent else 0

    @property
    def set_free(self) -> float:
        """When the next output group has a set of accumulators."""
        return self._recent[0].end + self._timing.drain_to_free if len(self._recent) > 1 else 0

    def accesses(self, bank: int, start: float, end: float) -> int:
        """To `bank` in cycles start..end, both included."""
        return sum(drain.accesses(bank, start, end) for drain in self._recent if drain.end >= start)
