"""Where an executed program's headers, parameters and weights come from, and which accesses have an order."""

from typing import Protocol

import numpy as np

from ascnode_gateware.program.executor_arithmetic import Bool, ExecutionError, Int64, Words
from ascnode_gateware.program.job import BANK_WORDS, HEADER_WORDS, SET_PIXELS, Job, Opcode, unpack

MEMORY_WORDS = 2 * BANK_WORDS
MAX_EXTENT = 512  # of the input's width and height: coordinates compare unsigned in 10 bits


def in_bank(bank_of: int, offsets: Int64) -> Int64:
    """`offsets` as addresses that wrap inside the bank of address `bank_of`."""
    return (offsets & (BANK_WORDS - 1)) | (bank_of & BANK_WORDS)


def step_in_bank(address: int, step: int) -> int:
    """The address `step` words on, wrapped inside its bank."""
    return (address + step) & (BANK_WORDS - 1) | (address & BANK_WORDS)


def span(address: int, count: int) -> Int64:
    """The addresses of `count` words one after another."""
    return in_bank(address, address + np.arange(count, dtype=np.int64))


class Source(Protocol):
    """Where words of the stream come from."""

    def take(self, count: int) -> Words:
        """The next `count` words; ExecutionError when fewer are left."""
        ...


class Watcher(Protocol):
    """Who is told of a job's accesses, in their order, and may refuse one with ExecutionError."""

    def write(self, addresses: Int64) -> None: ...
    def barrier(self) -> None: ...
    def load(self) -> None: ...
    def check_pixels(self, addresses: Int64) -> None: ...
    def check_fetch(self, addresses: Int64) -> None: ...
    def check_skip(self, written: Int64, skips: Int64) -> None: ...
    def leave_open(self, what: str) -> None:
        """Weights or parameters are none that the contract allows."""


class StreamReader:
    """The words of the stream ring, each read once."""

    def __init__(self, words: Words) -> None:
        self._words = np.asarray(words, np.uint32)
        self.consumed = 0

    def take(self, count: int) -> Words:
        """The next `count` words; ExecutionError when the stream has fewer left."""
        left = len(self._words) - self.consumed
        if count > left:
            raise ExecutionError(f"the stream is exhausted: {count} words wanted, {left} left")
        self.consumed += count
        return self._words[self.consumed - count : self.consumed]


class Accesses:
    """What jobs may read and write: which words, and in which order.

    Written words are unsettled while nothing has awaited the end of their drain; reading one races with it. A barrier
    settles them for pixels only, since headers, parameters and weights are fetched ahead of it; a LOAD settles
    them for both. A skip word needs neither: drains run in order.
    """

    def __init__(self, writable: Bool | None, ring: range) -> None:
        everything = np.ones(MEMORY_WORDS, np.bool_)
        self._writable = everything if writable is None else writable.copy()
        self._ring = ~everything
        self._ring[ring.start : ring.stop] = True
        self._for_pixels = self._ring.copy()
        self._for_fetch = self._ring.copy()

    def write(self, addresses: Int64) -> None:
        outside = addresses[~self._writable[addresses] | self._ring[addresses]]
        if outside.size:
            raise ExecutionError(f"an output is written to {outside[0]:#06x}, outside the words for outputs")
        self._for_pixels[addresses] = True
        self._for_fetch[addresses] = True

    def barrier(self) -> None:
        self._for_pixels = self._ring.copy()

    def load(self) -> None:
        self._for_pixels, self._for_fetch = self._ring.copy(), self._ring.copy()

    def check_pixels(self, addresses: Int64) -> None:
        """ExecutionError when a pixel is read from the ring or from unsettled words."""
        self._refuse(addresses[self._for_pixels[addresses]], "a pixel is read", "without a barrier")

    def check_fetch(self, addresses: Int64) -> None:
        """The same for headers, parameters, weights and tables."""
        self._refuse(addresses[self._for_fetch[addresses]], "a header or weight is read", "before a LOAD")

    def check_skip(self, written: Int64, skips: Int64) -> None:
        """The engine adds in place: it walks the skip tensor with the output's address."""
        self._refuse(skips[self._ring[skips]], "a skip word is read", "")
        if len(np.unique(written)) < len(written):
            raise ExecutionError("add writes one word twice in an output group")
        if written[0] != skips[0]:
            raise ExecutionError("skip is not output: the engine adds in place")

    def leave_open(self, what: str) -> None:
        raise ExecutionError(what)

    def _refuse(self, refused: Int64, what: str, without: str) -> None:
        if refused.size:
            at = int(refused[0])
            why = "inside the stream ring" if self._ring[at] else f"which an earlier drain writes, {without}"
            raise ExecutionError(f"{what} at {at:#06x}, {why}")


def read_header(memory: Words, address: int) -> Job:
    """The job whose header lies at `address`; ExecutionError when the engine cannot run it."""
    job = unpack(memory[span(address, HEADER_WORDS)].tolist())
    if job.opcode not in tuple(Opcode):
        raise ExecutionError(f"opcode {job.opcode} is none of END, RUN, LOAD")
    if job.tag:
        raise ExecutionError(f"tag is {job.tag:#04x}, but is reserved and must be 0")
    if job.opcode == Opcode.LOAD and job.layer_end:
        raise ExecutionError("LOAD has no output that could end a layer")
    if job.opcode == Opcode.RUN:
        _check_run(job)
    return job


def _check_run(job: Job) -> None:
    for name, extent in (("width", job.width), ("height", job.height)):
        if not 1 <= extent <= MAX_EXTENT:
            raise ExecutionError(f"{name} is {extent}, outside 1..{MAX_EXTENT}")
    if job.prime > job.cols_less_1:
        raise ExecutionError(f"prime is {job.prime}, but a row has {job.cols_less_1 + 1} words: no output")
    outputs = job.outputs_per_row * (job.rows_less_1 + 1)
    if outputs > SET_PIXELS:
        raise ExecutionError(f"a job has {outputs} outputs; the accumulators hold {SET_PIXELS}")
