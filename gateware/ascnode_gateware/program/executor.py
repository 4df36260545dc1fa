"""Runs a program as the engine does, bit for bit, in NumPy: the model that RTL and compiler are checked against.

Written from docs/accelerator.md alone. It computes in program order, and refuses programs whose result depends
on how far the engine's fetcher, streamer and drain have come.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ascnode_gateware.program.executor_arithmetic import (
    Bool,
    ExecutionError,
    Int64,
    Scale,
    Words,
    rescale,
    scale_of,
    signed32,
    wrap32,
    wrong_digits,
)
from ascnode_gateware.program.executor_array import TapCache, block_weights, larger, row_sums
from ascnode_gateware.program.executor_pixels import LANES, PixelWalk
from ascnode_gateware.program.executor_source import (
    MEMORY_WORDS,
    Accesses,
    Source,
    StreamReader,
    Watcher,
    in_bank,
    read_header,
    span,
    step_in_bank,
)
from ascnode_gateware.program.job import (
    BANK_WORDS,
    BLOCK_WORDS,
    HEADER_WORDS,
    PARAMETER_WORDS,
    TABLE_WORDS,
    Job,
    Opcode,
)

__all__ = ["Engine", "ExecutionError", "ExecutionResult", "JobRecord", "execute"]

_MAX_JOBS = BANK_WORDS // HEADER_WORDS  # more would run round the bank
_BYTES = 256


@dataclass(frozen=True)
class JobRecord:
    """What one job did; `words` went past the array, of which `pixel_reads` came from memory, not from padding."""

    address: int
    job: Job
    passes: int = 0
    words: int = 0
    pixel_reads: int = 0
    fetched_words: int = 0  # parameters, weights, tables
    written_words: int = 0


@dataclass(frozen=True, eq=False)
class ExecutionResult:
    """`memory` after END, uint32 [32768]; the layer counter; words taken from the stream."""

    memory: Words
    jobs: tuple[JobRecord, ...]
    layers: int
    stream_words: int


OnJob = Callable[[JobRecord, Words], None]


def execute(
    memory: Words,
    program_address: int,
    stream: Words,
    *,
    on_job: OnJob | None = None,
    writable: Bool | None = None,
    ring: range = range(0),
) -> ExecutionResult:
    """The program at `program_address` until END; `memory` (uint32 [32768]) is left as it is.

    `stream` are the ring's words without CRCs. `on_job` sees each job's record and the memory once all of the
    job is written. `writable` (bool [32768]) marks the words that jobs may write; None allows all.
    `ring`: the stream ring's words, which no job may use otherwise.
    ExecutionError names the job that the engine cannot run, or whose result the contract leaves open.
    """
    if memory.shape != (MEMORY_WORDS,) or memory.dtype != np.uint32:
        raise ExecutionError(f"memory is {memory.dtype} {memory.shape}, not uint32 ({MEMORY_WORDS},)")
    reader = StreamReader(stream)
    engine = Engine(memory.copy(), reader, Accesses(writable, ring))
    records: list[JobRecord] = []
    address = program_address
    while len(records) < _MAX_JOBS:
        record = engine.run_at(address, len(records))
        if record is None:
            layers = sum(record.job.layer_end for record in records)
            return ExecutionResult(engine.memory, tuple(records), layers, reader.consumed)
        records.append(record)
        if on_job is not None:
            on_job(record, engine.memory)
        address = step_in_bank(address, HEADER_WORDS)
    raise ExecutionError(f"no END within {_MAX_JOBS} jobs")


@dataclass(frozen=True, eq=False)
class _Tables:
    first: Int64
    second: Int64
    scale: Scale


class Engine:
    """Memory (uint32 [32768], which jobs change), stream and tables: what one job hands to the next.

    `accesses` is told of every word that a job reads or writes, in its order, and of what the contract leaves open.
    """

    def __init__(self, memory: Words, stream: Source, accesses: Watcher) -> None:
        self.memory = memory
        self.stream = stream
        self._accesses = accesses
        self._tables: _Tables | None = None

    def run_at(self, address: int, index: int) -> JobRecord | None:
        """Runs job `index`, whose header is at `address`; None when it is END."""
        try:
            return self.run(address, read_header(self.memory, address))
        except ExecutionError as error:
            raise ExecutionError(f"job {index} at {address:#06x}: {error}") from None

    def run(self, address: int, job: Job) -> JobRecord | None:
        """Runs `job`, whose header is at `address`; None when it is END. ExecutionError as from `execute`."""
        self._accesses.check_fetch(span(address, job.words))
        if job.opcode == Opcode.END:
            return None
        return self._load(address, job) if job.opcode == Opcode.LOAD else self._run(address, job)

    def _load(self, address: int, job: Job) -> JobRecord:
        self._accesses.load()
        words = self._fetch(job, 0, TABLE_WORDS)
        numbers = signed32(words[: 2 * _BYTES])
        scale = self._scale(words[2 * _BYTES : -1], words[-1:])
        self._tables = _Tables(numbers[:_BYTES], numbers[_BYTES:], scale)
        return JobRecord(address, job, fetched_words=TABLE_WORDS)

    def _run(self, address: int, job: Job) -> JobRecord:
        if job.add and self._tables is None:
            raise ExecutionError("add without an earlier LOAD")
        if job.barrier:
            self._accesses.barrier()
        walk, groups = PixelWalk(job), job.n_ocg_less_1 + 1
        words_of_group = PARAMETER_WORDS + BLOCK_WORDS * job.passes
        source, reads, written = TapCache(walk, self.memory), 0, 0
        for group in range(groups):
            words = self._fetch(job, group * words_of_group, words_of_group)
            accumulators, read = self._accumulate(job, source, job.input + group * walk.group_step, words)
            outputs = self._drain(job, group, accumulators, words[:PARAMETER_WORDS])
            reads, written = reads + read, written + outputs
        passes = job.passes * groups
        return JobRecord(address, job, passes, passes * walk.words, reads, groups * words_of_group, written)

    def _fetch(self, job: Job, offset: int, count: int) -> Words:
        if job.stream:
            return self.stream.take(count)
        addresses = span(step_in_bank(job.weights, offset), count)
        self._accesses.check_fetch(addresses)
        return self.memory[addresses]

    def _accumulate(self, job: Job, source: TapCache, start: int, words: Words) -> tuple[Int64, int]:
        """Accumulators int64 [outputs, 4] of an output group, and the pixels read for them."""
        weights = block_weights(job, words[PARAMETER_WORDS:], self._accesses.leave_open)
        total: Int64 | None = None
        reads = 0
        for taps in source.taps(start):
            self._accesses.check_pixels(taps.read)
            blocks = weights[taps.first : taps.first + len(taps.values)]
            sums = row_sums(job, taps.values, blocks, self._accesses.leave_open)
            combine = larger if job.max else np.add
            total = sums if total is None else combine(total, sums)
            reads += len(taps.read)
        assert total is not None
        return total, reads

    def _drain(self, job: Job, group: int, accumulators: Int64, parameters: Words) -> int:
        """Writes an output group; the words written."""
        channels = parameters.reshape(LANES, -1)
        x = wrap32(accumulators + signed32(channels[:, 0]))
        values = rescale(x, self._scale(channels[:, 1], channels[:, 2]))
        offsets = np.arange(len(values), dtype=np.int64) * job.out_step + group
        addresses = in_bank(job.output, job.output + offsets)
        if job.add:
            values = self._add(job, values, addresses, in_bank(job.skip, job.skip + offsets))
        lanes = np.ascontiguousarray(values.astype(np.int8))
        self.memory[addresses] = lanes.view("<u4").reshape(-1)
        self._accesses.write(addresses)
        return len(values)

    def _scale(self, digits: Words, control: Words) -> Scale:
        wrong = wrong_digits(digits)
        if wrong:
            self._accesses.leave_open(wrong)
        return scale_of(digits, control)

    def _add(self, job: Job, values: Int64, addresses: Int64, skips: Int64) -> Int64:
        self._accesses.check_skip(addresses, skips)
        assert self._tables is not None
        others = np.ascontiguousarray(self.memory[skips], "<u4").view(np.uint8).reshape(-1, LANES)
        x = wrap32(self._tables.first[values & 0xFF] + self._tables.second[others])
        return rescale(x, self._tables.scale)
