"""What the multiplier array makes of an output group's taps and weights."""

from collections.abc import Iterable

import numpy as np

from ascnode_gateware.program.executor_arithmetic import ExecutionError, Int64, Words
from ascnode_gateware.program.executor_pixels import LANES, Float64, PixelWalk, Taps
from ascnode_gateware.program.job import BANK_WORDS, Job

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


def block_weights(job: Job, words: Words) -> Float64:
    """[passes, rows, lanes]; ExecutionError when a depthwise block weighs words from before the row."""
    weights = np.ascontiguousarray(words, "<u4").view(np.int8).reshape(-1, LANES, LANES)
    unfilled = max(0, _OLDER_LANES - job.prime) if job.dw else 0
    if weights[:, :, :unfilled].any():
        raise ExecutionError(f"prime is {job.prime}, but lanes 0..{unfilled - 1} have weights")
    return weights.astype(np.float64)


def row_sums(job: Job, values: Float64, weights: Float64) -> Int64:
    """Row sums added over the passes, or the largest of them: int64 [outputs, 4]."""
    if job.max:
        return _largest(np.einsum("porl,prl->por", values, weights))
    if job.dw:
        return _whole(np.einsum("porl,prl->or", values, weights))
    flat = values[:, :, 0, :].swapaxes(0, 1).reshape(values.shape[1], -1)
    return _whole(flat @ weights.swapaxes(1, 2).reshape(-1, LANES))


def _largest(sums: Float64) -> Int64:
    low, high = _MAX_MODE_SUMS
    if sums.min() < low or sums.max() > high:
        raise ExecutionError(
            f"a row sum of {sums.min():.0f}..{sums.max():.0f} is outside {low}..{high} of max"
        )
    return _whole(sums.max(axis=0))


def _whole(values: Float64) -> Int64:
    whole: Int64 = values.astype(np.int64)
    return whole
