"""Which words a job streams past its blocks: addresses, padding, and the taps of every output."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ascnode_gateware.program.executor_arithmetic import Bool, Int64, Words
from ascnode_gateware.program.executor_source import in_bank
from ascnode_gateware.program.job import Job

Float64 = npt.NDArray[np.float64]

LANES = 4
_CHUNK_WORDS = 1 << 17  # streamed words held at once: bounds the memory of jobs with very many passes
_COORDINATES = 1 << 10


@dataclass(frozen=True, eq=False)
class Taps:
    """What the array multiplies in passes first..first + len(values) - 1 of an output group.

    `values` [passes, outputs, rows or 1, lanes] holds int8 numbers, exact in float64, for BLAS; `read` are the
    addresses of the words that are not padding.
    """

    first: int
    values: Float64
    read: Int64


class PixelWalk:
    """The walk of one RUN job over its input."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._kx = np.arange(job.n_kx_less_1 + 1, dtype=np.int64)
        self._ky = np.arange(job.n_ky_less_1 + 1, dtype=np.int64)
        self._rows = np.arange(job.rows_less_1 + 1, dtype=np.int64)
        self._cols = np.arange(job.cols_less_1 + 1, dtype=np.int64)
        across = len(self._kx[1:]) * job.d_kx
        down = len(self._ky[1:]) * (across + job.d_ky) + across
        self._steps = (
            down + job.d_icg,
            across + job.d_ky,
            job.d_kx,
        )  # to the next icg, ky, kx from their first
        self.group_step = job.n_icg_less_1 * self._steps[0] + down + job.d_ocg
        self.passes = job.passes
        self.words = len(self._rows) * len(self._cols)
        row_step = len(self._cols[1:]) * job.d_col + job.d_row
        self._offsets = (self._rows[:, np.newaxis] * row_step + self._cols * job.d_col).reshape(-1)

    def taps(self, memory: Words, start: int) -> Iterator[Taps]:
        """Of an output group whose first pass starts at address `start`, pass by pass in order."""
        chunk = max(1, _CHUNK_WORDS // self.words)
        for first in range(0, self.passes, chunk):
            passes = np.arange(first, min(first + chunk, self.passes), dtype=np.int64)
            yield self._gather(memory, start, passes)

    def _gather(self, memory: Words, start: int, passes: Int64) -> Taps:
        bases = start + self._base_offsets(passes)
        addresses = in_bank(self._job.input, bases[:, np.newaxis] + self._offsets)
        inside = self._inside(passes)
        padding = np.uint32((self._job.pad & 0xFF) * 0x01010101)
        words = np.where(inside, memory[addresses], padding)
        lanes = np.ascontiguousarray(words, "<u4").view(np.int8)
        values = self._windows(lanes.reshape(len(passes), len(self._rows), len(self._cols), LANES))
        return Taps(int(passes[0]), values, addresses[inside])

    def _counters(self, passes: Int64) -> tuple[Int64, Int64, Int64]:
        """icg, ky, kx of each pass; kx is the inner loop."""
        outer, kx = np.divmod(passes, len(self._kx))
        icg, ky = np.divmod(outer, len(self._ky))
        return icg, ky, kx

    def _base_offsets(self, passes: Int64) -> Int64:
        return np.stack(self._counters(passes), axis=1) @ np.array(self._steps, np.int64)

    def inside_axes(self) -> tuple[Bool, Bool]:
        """([n_kx, cols], [n_ky, rows]): columns and rows inside the input; below 0 is past every size in 10 bits."""
        job = self._job
        x = job.ix0 + job.kx_inc * self._kx[:, np.newaxis] + job.sx * self._cols
        y = job.iy0 + job.ky_inc * self._ky[:, np.newaxis] + job.sy * self._rows
        return x % _COORDINATES < job.width, y % _COORDINATES < job.height

    def _inside(self, passes: Int64) -> Bool:
        """[passes, words]: which words are read."""
        _, ky, kx = self._counters(passes)
        inside_x, inside_y = self.inside_axes()
        return (inside_y[ky][:, :, np.newaxis] & inside_x[kx][:, np.newaxis, :]).reshape(len(passes), -1)

    def _windows(self, lanes: npt.NDArray[np.int8]) -> Float64:
        """[passes, rows, cols, 4] to taps [passes, outputs, 4 rows (1 when all see the same), 4 lanes]."""
        newest = np.arange(self._job.prime, len(self._cols), self._job.period + 1)
        if not self._job.dw:
            return lanes[:, :, newest, :].astype(np.float64).reshape(len(lanes), -1, 1, LANES)
        # Before a row's first word the window holds the words of the row before, and of the pass before.
        starts = np.arange(len(lanes) * len(self._rows), dtype=np.int64) * len(self._cols)
        ages = newest[:, np.newaxis] - np.arange(LANES)[::-1]
        words = np.maximum(starts[:, np.newaxis, np.newaxis] + ages, 0)
        columns = lanes.reshape(-1, LANES)[words].astype(
            np.float64
        )  # [passes * rows, outputs, lane, channel]
        return columns.swapaxes(2, 3).reshape(len(lanes), -1, LANES, LANES)
