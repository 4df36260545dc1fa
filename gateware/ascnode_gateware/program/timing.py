"""Predicts a program's cycles, pass by pass, from docs/accelerator.md's Time and the RTL's latencies; no data needed.

The fetcher, the streamer and the drain each have a clock. Accesses that meet in a bank are counted, not placed:
expect a few cycles of error in a job, and less than 5 % in a layer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ascnode_gateware.program.executor_arithmetic import ExecutionError, Words
from ascnode_gateware.program.executor_source import read_header, span, step_in_bank
from ascnode_gateware.program.job import (
    BANK_WORDS,
    BLOCK_WORDS,
    HEADER_WORDS,
    PARAMETER_WORDS,
    RING_BLOCK_WORDS,
    TABLE_WORDS,
    Job,
    Opcode,
)
from ascnode_gateware.program.program import Program
from ascnode_gateware.program.timing_drain import DrainJob, Drains
from ascnode_gateware.program.timing_model import QUAD_FLASH, StreamSource, Timing
from ascnode_gateware.program.timing_stream import Ring
from ascnode_gateware.program.timing_walk import PassShape, pass_shapes

THROTTLE_CYCLES = 256  # of which register THROTTLE takes some
_LEFT_BIT, _AMOUNT = 1 << 5, 31
_ROUNDS = 5
_MAX_JOBS = BANK_WORDS // HEADER_WORDS


@dataclass(frozen=True)
class JobCycles:
    """Cycles since START: of the header's first word, the first pixel, and the last word written (LOAD: read)."""

    job: Job
    header: int
    first_pixel: int
    end: int
    words: int  # that go past the array
    throttled: int = 0  # cycles in which one could have gone, had THROTTLE not held it

    @property
    def cycles(self) -> int:
        return self.end - self.header + 1


@dataclass(frozen=True)
class Prediction:
    """`layer_ends`: cycles from START to each rise of the layer counter; `cycles`: to idle."""

    jobs: tuple[JobCycles, ...]
    layer_ends: tuple[int, ...]
    cycles: int

    @property
    def layers(self) -> tuple[int, ...]:
        """Cycles of each layer: from the end of the one before."""
        return tuple(end - start for start, end in pairwise((0, *self.layer_ends)))

    @property
    def stalls(self) -> int:
        """Cycles in which no word goes past the array, those that a throttle takes included."""
        return self.cycles - sum(job.words for job in self.jobs)


def predict_program(
    program: Program,
    source: StreamSource = QUAD_FLASH,
    timing: Timing | None = None,
    throttle: int = 0,
) -> Prediction:
    """Of a compiled program; `throttle` is register THROTTLE, 0..255."""
    return predict(
        program.memory,
        program.program_address,
        program.stream,
        ring_base=program.ring_base,
        ring_blocks=program.ring_blocks,
        source=source,
        timing=timing,
        throttle=throttle,
    )


def predict(
    memory: Words,
    program_address: int,
    stream: Words,
    *,
    ring_base: int = 0,
    ring_blocks: int = 4,
    source: StreamSource = QUAD_FLASH,
    timing: Timing | None = None,
    throttle: int = 0,
) -> Prediction:
    """`memory` (uint32 [32768]) with the program, `stream` (uint32) as the ring gets it, without CRCs.

    ExecutionError when a header is one that the engine refuses, or no END comes.
    """
    engine = Predictor(memory, stream, ring_base, ring_blocks, source, timing or Timing(), throttle)
    jobs: list[JobCycles] = []
    address = program_address
    while len(jobs) < _MAX_JOBS:
        job = read_header(memory, address)
        if job.opcode == Opcode.END:
            return Prediction(tuple(jobs), tuple(engine.layer_ends), engine.idle(address))
        jobs.append(engine.job(address, job))
        address = step_in_bank(address, HEADER_WORDS)
    raise ExecutionError(f"no END within {_MAX_JOBS} jobs")


class Predictor:
    """Job by job, as `predict` does. `throttle`: register THROTTLE; words go past the array that much slower."""

    def __init__(
        self,
        memory: Words,
        stream: Words,
        ring_base: int,
        ring_blocks: int,
        source: StreamSource,
        timing: Timing,
        throttle: int = 0,
    ) -> None:
        self._stretch = THROTTLE_CYCLES / (THROTTLE_CYCLES - throttle)
        # A throttled cycle behind a pass's last word hides the one that the next pass waits.
        self._hidden = 1 - max(0.0, 2 - self._stretch) * self._stretch
        self._memory, self._stream, self._timing = memory, stream, timing
        self._ring_bank = _bank(ring_base)
        blocks = -(-len(stream) // RING_BLOCK_WORDS)
        self._ring = Ring(source, ring_blocks, blocks) if blocks else None
        self._drains = Drains(timing)
        self._load_left = 0  # bits of left shift in LOAD's rescaling
        self._now: float = timing.start_to_header
        self.layer_ends: list[int] = []

    def idle(self, address: int) -> int:
        """The cycle in which END is done."""
        end = self._read(1, self._now, _bank(address)) + self._timing.end_to_idle
        return round(max(end, self._drains.all_free))

    def job(self, address: int, job: Job) -> JobCycles:
        """The next job, whose header lies at `address`."""
        header = self._now
        header_end = self._read(HEADER_WORDS, header, _bank(address))
        return (
            self._load(job, header, header_end)
            if job.opcode == Opcode.LOAD
            else self._run(job, header, header_end)
        )

    def _load(self, job: Job, header: float, header_end: float) -> JobCycles:
        control = self._controls(job, TABLE_WORDS - 1, 1, TABLE_WORDS)
        start = max(header_end, self._drains.all_free - 1) + self._timing.header_to_table
        end = self._fetch(job, TABLE_WORDS, start)
        self._load_left = int(_left_shifts(control).sum())
        self._now = end + self._timing.table_to_header
        return JobCycles(job, round(header), round(start), round(end), 0)

    def _run(self, job: Job, header: float, header_end: float) -> JobCycles:
        shifts = self._group_shifts(job)
        shapes = pass_shapes(job)
        drained = _drain_job(job)
        ready = self._fetch(job, PARAMETER_WORDS + BLOCK_WORDS, header_end + 1)
        first = max(ready, self._drains.all_free if job.barrier else 0, self._drains.set_free)
        taken = first
        for group, left in enumerate(shifts):
            taken = max(taken, self._drains.set_free)
            last_word, taken = self._group(job, shapes, taken, final=group == len(shifts) - 1)
            drain = self._drains.append(drained, last_word, left)
        self._now = drain.begin + self._timing.drain_to_header
        if job.layer_end:
            self.layer_ends.append(round(drain.end + self._timing.drain_to_free))
        passes, words = len(shifts) * job.passes, shapes[0].words
        held = round(passes * self._held(words))
        return JobCycles(job, round(header), round(first + 1), round(drain.end), passes * words, held)

    def _held(self, words: int) -> float:
        """Cycles that the throttle takes from a pass: all between two words, and some before the first.

        Behind another pass the cycle between the two is one of them; behind a wait for a block it may be any.
        """
        each = self._stretch - 1
        follows = words * self._stretch > BLOCK_WORDS
        first = min(each, abs(each - 1)) if follows and each >= 1 else each if follows else each / 2
        return (words - 1) * each + first

    def _group(self, job: Job, shapes: Sequence[PassShape], taken: float, final: bool) -> tuple[float, float]:
        """(cycle of the output group's last word, when the next group's first pass could be taken)."""
        bank, fetch_bank = _bank(job.input), self._fetch_bank(job)
        shares_bank = bank == fetch_bank
        per_input_group, last_pass = len(shapes), job.passes - 1
        for index in range(job.passes):
            shape = shapes[index % per_input_group]
            count = BLOCK_WORDS
            if index == last_pass:
                count = 0 if final else PARAMETER_WORDS + BLOCK_WORDS
            last_word = taken + shape.words * self._stretch - (0 if job.stream else self._hidden)
            if shares_bank and shape.hidden is not None:
                # Cycles that the throttle takes leave the bank to the fetcher.
                free = shape.hidden + (not shape.first_is_read) + shape.words * (self._stretch - 1)
                last_word += max(0, count - free)
            last_word = self._delayed(bank, taken + 1, last_word, shape.read_share)
            taken_at = taken + 1 + (shares_bank and shape.first_is_read)
            ready = self._fetch(job, count, taken_at) if count else 0
            taken = max(last_word + self._timing.pass_to_pass, ready)
        return last_word, taken

    def _delayed(self, bank: int, first: float, last: float, share: float = 1) -> float:
        """`last` later by the accesses to `bank` since `first` that go before: the drain's and the ring's filling.

        `share` of the cycles need the bank. Each delay makes room for more of them: it is added up until it stands.
        """
        delay = 0.0
        for _ in range(_ROUNDS):
            found = share * self._others(bank, first, last + delay)
            if found - delay < 0.5:
                return last + found
            delay = found
        return last + delay

    def _others(self, bank: int, start: float, end: float) -> float:
        found: float = self._drains.accesses(bank, start, end)
        if self._ring is not None and bank == self._ring_bank:
            found += self._ring.filled(start, end + 1)
        return found

    def _fetch(self, job: Job, count: int, first: float) -> float:
        """The cycle of the last of `count` parameter, weight or table words, asked for from `first` on."""
        if not job.stream:
            return self._read(count, first, _bank(job.weights))
        if self._ring is None:
            raise ExecutionError("a job reads the stream, but there is none")
        last = self._ring.take(count, first)
        return last + self._drains.accesses(self._ring_bank, last - count + 1, last)

    def _read(self, count: int, first: float, bank: int) -> float:
        return self._delayed(bank, first, first + count - 1)

    def _fetch_bank(self, job: Job) -> int:
        return self._ring_bank if job.stream else _bank(job.weights)

    def _group_shifts(self, job: Job) -> list[int]:
        """Bits of left shift of each output group, over its channels and both rescalings."""
        groups, stride = job.n_ocg_less_1 + 1, PARAMETER_WORDS + BLOCK_WORDS * job.passes
        starts = np.arange(groups)[:, np.newaxis] * stride
        places = (starts + np.arange(2, PARAMETER_WORDS, 3)).reshape(-1)
        words = self._words_at(job, places, groups * stride)
        added = 4 * self._load_left if job.add else 0
        sums: list[int] = (_left_shifts(words).reshape(groups, -1).sum(axis=1) + added).tolist()
        return sums

    def _controls(self, job: Job, place: int, count: int, total: int) -> Words:
        return self._words_at(job, place + np.arange(count), total)

    def _words_at(self, job: Job, places: np.ndarray[tuple[int], np.dtype[np.int64]], total: int) -> Words:
        """Words `places` of the `total` that the job fetches."""
        if not job.stream:
            return self._memory[span(job.weights, total)[places]]
        taken = self._ring.taken if self._ring else 0
        if taken + total > len(self._stream):
            raise ExecutionError(f"the stream is exhausted: {total} words wanted")
        return self._stream[taken + places]


def _left_shifts(control: Words) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.where(control & _LEFT_BIT, (control & _AMOUNT) + 1, 0).astype(np.int64)


def _drain_job(job: Job) -> DrainJob:
    outputs = job.outputs_per_row * (job.rows_less_1 + 1)
    return DrainJob(outputs, bool(job.add), _bank(job.output), _bank(job.skip) if job.add else None)


def _bank(address: int) -> int:
    return address // BANK_WORDS
