"""Seeded random programs that the engine must run: every field, jobs that use each other's outputs.

Half of the jobs are convolutions and depthwise ones over a tensor, half walk the memory as no compiler would. The
executor judges which drafts race with a drain; those get a barrier or are drawn again.
"""

import random
from dataclasses import dataclass, replace

import numpy as np

from ascnode_gateware.program.executor import ExecutionError, execute
from ascnode_gateware.program.job import (
    BANK_WORDS,
    HEADER_WORDS,
    PARAMETER_WORDS,
    RING_BLOCK_WORDS,
    Job,
    Opcode,
)
from gateware.program.random_shapes import random_shape
from gateware.program.random_space import Space, Words, random_memory
from gateware.program.random_weights import random_blocks, random_parameters, random_tables

MAX_LEFT = 30
_DRAFTS = 60
_UNFILLED = 3


@dataclass(frozen=True)
class Sizes:
    """Bounds of a program: RUN jobs, outputs of a job, and cycles of the whole (about, and at most)."""

    jobs: int = 5
    outputs: int = 256
    cycles: int = 25_000


def random_program(seed: int, sizes: Sizes | None = None) -> tuple[Words, int, Words]:
    """(memory uint32 [32768], program_address, stream uint32 of whole ring blocks): the same for the same seed."""
    return _Draft(seed, sizes or Sizes()).program()


def random_ring(seed: int) -> range:
    """Words of `random_program(seed)`'s stream ring: whole blocks in one bank, which no job uses otherwise."""
    rng = random.Random(f"ring {seed}")
    blocks = rng.choice((1, 2, 3, 8, 17))
    places = BANK_WORDS // RING_BLOCK_WORDS
    first = rng.choice((0, places - blocks, rng.randrange(places - blocks)))
    start = rng.randrange(2) * BANK_WORDS + first * RING_BLOCK_WORDS
    return range(start, start + blocks * RING_BLOCK_WORDS)


class _Draft:
    """A program while it grows: `memory` holds all but the END."""

    def __init__(self, seed: int, sizes: Sizes) -> None:
        self.rng = random.Random(seed)
        self.memory = random_memory(np.random.default_rng(seed))
        self.ring = random_ring(seed)
        self.space = Space(self.rng, self.ring)
        self.sizes = sizes
        self.count = self.rng.randint(1, sizes.jobs)
        self.start = self.space.reserve((2 * self.count + 1) * HEADER_WORDS)
        self.jobs: list[Job] = []
        self.stream: list[int] = []
        self.outputs: list[int] = []

    def program(self) -> tuple[Words, int, Words]:
        for index in range(self.count):
            if self.rng.random() < 0.3:
                self._append_load()
            self._append_run(last=index == self.count - 1)
        self._write_headers(self.jobs)
        padded = self.stream + [0xDEADBEEF] * (-len(self.stream) % RING_BLOCK_WORDS)
        return self.memory, self.start, np.array(padded, np.uint32)

    def _append_load(self) -> None:
        words = random_tables(self.rng, 2)
        self._place(Job(Opcode.LOAD, stream=self._streamed()), words)

    def _append_run(self, last: bool) -> None:
        """Appends a job that races with nothing; ValueError when none was found."""
        budget = self.sizes.cycles // self.count
        for _ in range(_DRAFTS):
            job = self._draft(budget)
            raced = job and self._race(job)
            if job and raced and not job.barrier:
                job = replace(job, barrier=1)
                raced = self._race(job)
            if job and not raced:
                self._accept(replace(job, layer_end=int(last or self.rng.random() < 0.5)), budget)
                return
        raise ValueError("no job without a race was found")

    def _draft(self, budget: int) -> Job | None:
        """A RUN job without weights yet; None when its output found no place."""
        rng, near = self.rng, self.rng.choice(self.outputs) if self.outputs else 0
        source = near if self.outputs and rng.random() < 0.7 else rng.getrandbits(15)
        job = random_shape(rng, source, self.sizes.outputs, budget)
        add = any(job.opcode == Opcode.LOAD for job in self.jobs) and rng.random() < 0.6
        out_step = rng.choice((job.n_ocg_less_1 + 1, rng.randint(1, 8), rng.randint(1, 511)))
        job = replace(
            job, add=int(add), out_step=out_step, barrier=int(rng.random() < 0.3), stream=self._streamed()
        )
        output = self._output(job)
        if output is None:
            return None
        return replace(job, output=output, skip=output if add else rng.getrandbits(15))

    def _output(self, job: Job) -> int | None:
        """Now and then over an earlier output (so in place over a skip), else anywhere."""
        offsets = _output_offsets(job)
        if self.outputs and self.rng.random() < 0.4:
            earlier = self.rng.choice(self.outputs)
            return earlier if self.space.may_write(earlier, offsets) else None
        return self.space.output(offsets)

    def _race(self, job: Job) -> bool:
        """Whether the contract leaves open what the program with `job` at its end computes."""
        silent = replace(job, stream=1)  # weights that are 0 and lie nowhere, one output group after another
        jobs = [*self.jobs, silent]
        memory = self._with_headers(jobs)
        words = (job.n_ocg_less_1 + 1) * _group_words(job)
        stream = np.array(self.stream + [0] * words, np.uint32)
        try:
            execute(memory, self.start, stream, ring=self.ring)
        except ExecutionError:
            return True
        return False

    def _accept(self, job: Job, budget: int) -> None:
        outputs = job.outputs_per_row * (job.rows_less_1 + 1)
        max_left = min(MAX_LEFT, budget // (8 * outputs * (job.n_ocg_less_1 + 1)))
        unfilled = max(0, _UNFILLED - job.prime) if job.dw else 0
        groups = [
            np.concatenate(
                [
                    random_parameters(self.rng, max_left),
                    random_blocks(self.rng, job.passes, bool(job.max), unfilled),
                ]
            )
            for _ in range(job.n_ocg_less_1 + 1)
        ]
        self.space.write(job.output, _output_offsets(job))
        self.outputs.append(job.output)
        self._place(job, np.concatenate(groups))

    def _place(self, job: Job, words: Words) -> None:
        """Appends the job with its words in the stream or in free memory."""
        if job.stream:
            self.stream.extend(words.tolist())
        else:
            job = replace(job, weights=self.space.reserve(len(words)))
            places = job.weights & BANK_WORDS | (job.weights + np.arange(len(words))) % BANK_WORDS
            self.memory[places] = words
        self.jobs.append(job)

    def _streamed(self) -> int:
        return int(self.rng.random() < 0.3)

    def _with_headers(self, jobs: list[Job]) -> Words:
        memory = self.memory.copy()
        words = [word for job in [*jobs, Job(Opcode.END)] for word in job.pack()]
        places = self.start & BANK_WORDS | (self.start + np.arange(len(words))) % BANK_WORDS
        memory[places] = words
        return memory

    def _write_headers(self, jobs: list[Job]) -> None:
        self.memory = self._with_headers(jobs)


def _group_words(job: Job) -> int:
    return PARAMETER_WORDS + 4 * job.passes


def _output_offsets(job: Job) -> np.ndarray:
    pixels = np.arange(job.outputs_per_row * (job.rows_less_1 + 1))
    return (pixels[:, np.newaxis] * job.out_step + np.arange(job.n_ocg_less_1 + 1)).reshape(-1)
