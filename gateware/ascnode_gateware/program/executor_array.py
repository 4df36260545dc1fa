"""What the multiplier array makes of an output group's taps and weights."""

from collections.abc import Callable, Iterable
from functools import reduce

import numpy as np

from ascnode_gateware.program.executor_arithmetic import Int64, Words
from ascnode_gateware.program.executor_pixels import LANES, Float64, PixelWalk, Taps
from ascnode_gateware.program.job import BANK_WORDS, Job

Complain = Callable[[str], None]
_MAX_MODE_SUMS = (-256, 255)
_OLDER_LANES = 3  # words of the window besides its newest
_KEPT_WORDS = 1 << 20


class TapCache:
    """Taps of an output group, kept while the next group reads the same words."""

    def __init__(self, walk: PixelWalk, memory: Words) -> None:
        self._walk = walk
        self._memory = memory
        self._start: int | None = None
        self._kept: list[Taps] = []

    def taps(self, start: int) -> Iterable[Taps]:
        """Of the group whose first pass starts at address `start`."""
        if self._walk.words * self._walk.passes > _KEPT_WORDS:
            return self._walk.taps(self._memory, start)
        start %= BANK_WORDS
        if start != self._start:
            self._start, self._kept = start, list(self._walk.taps(self._memory, start))
        return self._kept


def block_weights(job: Job, words: Words, complain: Complain) -> Float64:
    """[passes, rows, lanes]; a depthwise block that weighs words from before the row is complained of."""
    weights = np.ascontiguousarray(words, "<u4").view(np.int8).reshape(-1, LANES, LANES)
    unfilled = max(0, _OLDER_LANES - job.prime) if job.dw else 0
    if weights[:, :, :unfilled].any():
        complain(f"prime is {job.prime}, but lanes 0..{unfilled - 1} have weights")
    return weights.astype(np.float64)


def row_sums(job: Job, values: Float64, weights: Float64, complain: Complain) -> Int64:
    """Row sums added over the passes, or the largest of them: int64 [outputs, 4]."""
    if job.max:
        return _largest(_whole(np.einsum("porl,prl->por", values, weights)), complain)
    if job.dw:
        return _whole(np.einsum("porl,prl->or", values, weights))
    flat = values[:, :, 0, :].swapaxes(0, 1).reshape(values.shape[1], -1)
    return _whole(flat @ weights.swapaxes(1, 2).reshape(-1, LANES))


def larger(old: Int64, new: Int64) -> Int64:
    """What max keeps: the low 9 bits are compared, so -256..255 in the right order."""
    chosen: Int64 = np.where(_low_9(new) > _low_9(old), new, old)
    return chosen


def _largest(sums: Int64, complain: Complain) -> Int64:
    low, high = _MAX_MODE_SUMS
    if sums.min() < low or sums.max() > high:
        complain(f"a row sum of {sums.min()}..{sums.max()} is outside {low}..{high} of max")
    return reduce(larger, sums)


def _low_9(values: Int64) -> Int64:
    return ((values + 256) & 511) - 256


def _whole(values: Float64) -> Int64:
    whole: Int64 = values.astype(np.int64)
    return whole
