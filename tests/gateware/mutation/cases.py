"""Programs whose right end is known: random ones, and those made by hand for what random ones seldom meet."""

import random
from dataclasses import dataclass, field
from functools import cache, cached_property

import numpy as np
import numpy.typing as npt

from ascnode_gateware.program.executor import ExecutionResult, execute
from ascnode_gateware.program.job import BANK_WORDS, RING_BLOCK_WORDS, Job, Opcode
from ascnode_gateware.program.parameters import Channel
from ascnode_gateware.program.timing import predict
from ascnode_gateware.program.timing_model import StreamSource
from gateware.program.programs import (
    IDENTITY_BLOCK,
    INPUT,
    OUTPUT,
    PROGRAM,
    WEIGHTS,
    copy_job,
    group_words,
    memory_with,
    word_of,
)
from gateware.program.random_jobs import Sizes, random_program, random_ring
from gateware.program.random_space import Words
from gateware.program.random_weights import random_blocks, random_parameters, random_tables

SMALL, LARGE = Sizes(jobs=3, outputs=40, cycles=2_500), Sizes(jobs=4, outputs=256, cycles=12_000)
_RING = range(0x7000, 0x7080)
_NO_STREAM = np.zeros(0, np.uint32)
_NO_BLOCK = (0, 0, 0, 0)
_TABLES = 0x3C00
_AS_IS = (Channel(0, 2**31 - 1, 0, 0, -128, 127),) * 4  # by 1 - 2^-31, rounded
_COARSE = Channel(0, 2**30, -12, 0, -128, 127)


@dataclass(frozen=True, eq=False)
class Case:
    """A program and its right end; `memory` (uint32 [32768]) and `stream` as random_jobs makes them."""

    memory: Words
    program: int = PROGRAM
    stream: Words = field(default_factory=lambda: _NO_STREAM)
    ring: range = _RING

    @cached_property
    def result(self) -> ExecutionResult:
        return execute(self.memory, self.program, self.stream, ring=self.ring)

    @cached_property
    def words(self) -> int:
        """That go past the array."""
        return sum(job.words for job in self.result.jobs)

    @property
    def ring_blocks(self) -> int:
        return len(self.ring) // RING_BLOCK_WORDS

    @property
    def stream_blocks(self) -> int:
        return len(self.stream) // RING_BLOCK_WORDS

    def cycles(self, source: StreamSource) -> int:
        """As the predictor has them, from START to the end."""
        where = {"ring_base": self.ring.start, "ring_blocks": self.ring_blocks}
        return predict(self.memory, self.program, self.stream, source=source, **where).cycles

    @cached_property
    def settled(self) -> npt.NDArray[np.bool_]:
        """Words that the stream's arrival does not change."""
        places = np.ones(len(self.memory), np.bool_)
        places[self.ring.start : self.ring.stop] = not len(self.stream)
        return places


@cache
def random_case(seed: int, sizes: Sizes = SMALL) -> Case:
    return Case(*random_program(seed, sizes), random_ring(seed))


@cache
def copies(layers: int, **fields: int) -> Case:
    """Each layer copies 60 words of its own."""
    usual = {"cols_less_1": 59, "width": 60, "layer_end": 1, "barrier": 1}
    jobs = [copy_job(**usual, input=0x4100 + 64 * n, output=0x4140 + 64 * n, **fields) for n in range(layers)]
    words = group_words(IDENTITY_BLOCK, channels=_AS_IS)
    memory = memory_with(jobs, {WEIGHTS: words, 0x4100: [0x01020304 * n for n in range(60)]})
    return Case(
        memory, stream=np.resize(np.array(words, np.uint32), 64) if fields.get("stream") else _NO_STREAM
    )


@cache
def from_zero() -> Case:
    """A program at address 0."""
    headers = [*copy_job(layer_end=1).pack(), *Job(Opcode.END).pack()]
    pixels = [0x01020304 * n for n in range(8)]
    segments = {0: headers, WEIGHTS: group_words(IDENTITY_BLOCK, channels=_AS_IS), INPUT: pixels}
    return Case(memory_with([], segments, end=False), program=0)


@cache
def long_phases() -> Case:
    """More than 256 cycles in which only the fetcher works, then only the array, then only the drain."""
    rng = random.Random(1)
    load = Job(Opcode.LOAD, weights=_TABLES)
    run = copy_job(cols_less_1=1023, width=512, period=7, d_col=0, add=1, skip=OUTPUT, layer_end=1)
    words = {WEIGHTS: group_words(IDENTITY_BLOCK, channels=_AS_IS), _TABLES: random_tables(rng, 0).tolist()}
    return Case(memory_with([load, run], words))


@cache
def maxima(groups: int) -> Case:
    """Sums over the whole range that `max` compares, positive and negative, over several passes."""
    rng = random.Random(groups)
    loops = {"n_icg_less_1": 5, "d_icg": 7, "n_ocg_less_1": groups - 1, "d_ocg": 3, "out_step": groups}
    job = copy_job(max=1, cols_less_1=39, width=40, layer_end=1, **loops)
    words = [
        word
        for _ in range(groups)
        for word in (*group_words(channels=_AS_IS), *random_blocks(rng, 6, True, 0))
    ]
    near = [word_of(*(rng.randint(-4, 3) for _ in range(4))) for _ in range(80)]
    far = [rng.getrandbits(32) for _ in range(80)]
    return Case(memory_with([job], {WEIGHTS: words, INPUT: [*near[:40], *far, *near[40:]]}))


@cache
def largest_sums() -> Case:
    """Products of -128 and 127 alone, whose sums reach both ends."""
    rng = random.Random(1)
    blocks = [[word_of(*(rng.choice((-128, 127)) for _ in range(4))) for _ in range(4)] for _ in range(6)]
    blocks[0] = [word_of(-128, -128, -128, -128)] * 4
    pixels = [word_of(*(rng.choice((-128, 127, -128)) for _ in range(4))) for _ in range(40)]
    channels = [Channel(0, 2**30, -shift, 0, -128, 127) for shift in (9, 10, 11, 12)]
    words = [word for block in blocks for word in group_words(block, channels=channels)]
    job = copy_job(cols_less_1=39, width=40, n_ocg_less_1=5, out_step=6, layer_end=1)
    return Case(memory_with([job], {WEIGHTS: words, INPUT: pixels}))


@cache
def streamed_beside(ring_start: int, output: int) -> Case:
    """While blocks arrive in the ring, a job's outputs go to the same bank; then a job uses the blocks."""
    rng = random.Random(ring_start)
    first = copy_job(input=output ^ BANK_WORDS, output=output, cols_less_1=249, width=250, layer_end=1)
    second = copy_job(stream=1, output=output + 0x300, n_icg_less_1=119, d_icg=1, layer_end=1)
    words = group_words(*random_blocks(rng, 120, False, 0).reshape(-1, 4).tolist(), channels=[_COARSE] * 4)
    stream = np.array([*words, *[0] * (-len(words) % RING_BLOCK_WORDS)], np.uint32)
    memory = memory_with(
        [first, second],
        {WEIGHTS: group_words(IDENTITY_BLOCK, channels=_AS_IS), output ^ BANK_WORDS: range(250)},
    )
    memory[INPUT : INPUT + 200] = [rng.getrandbits(32) for _ in range(200)]
    return Case(memory, stream=stream, ring=range(ring_start, ring_start + 8 * RING_BLOCK_WORDS))


@cache
def rescalings(groups: int) -> Case:
    """One pixel, many channels: parameters of every kind, and sums on the edges of each rounding and clamp."""
    rng = random.Random(groups)
    words = [word for group in range(groups) for word in _rescaling(rng, group)]
    job = copy_job(cols_less_1=0, n_ocg_less_1=groups - 1, out_step=groups, layer_end=1, d_ocg=1)
    return Case(memory_with([job], {WEIGHTS: words, INPUT: [rng.getrandbits(32) for _ in range(groups)]}))


def _rescaling(rng: random.Random, group: int) -> list[int]:
    """An output group's words; five of six have sums that are biases alone."""
    if group % 6 == 0:
        return [*random_parameters(rng, 12).tolist(), *random_blocks(rng, 1, False, 0).tolist()]
    return group_words(_NO_BLOCK, channels=[_EDGES[group % 6](rng) for _ in range(4)])


def _product_edge(rng: random.Random) -> Channel:
    """x * m + 2^30 is a multiple of 2^31, or one less: a sum of digits that is off by any power of 4 shows."""
    x = rng.randrange(-255, 256, 2)
    multiplier = (rng.choice((0, -1)) - 2**30) * pow(x, -1, 2**31) % 2**31
    return Channel(x, multiplier, 0, rng.randint(-5, 5), -128, 127)


def _tie(rng: random.Random) -> Channel:
    """Half way between two results, or one bit away from there: x * 2^30 is half of x."""
    right = rng.randint(1, 22)
    half = (2 * rng.randint(-100, 30) + 1) << (right - 1)  # a bit beside matters below 0
    beside = rng.choice((0, 1, 1, 1)) << rng.randrange(right)
    return Channel(2 * (half + beside), 2**30, -right, 0, -128, 127)


def _too_large(rng: random.Random) -> Channel:
    """A value of one bit, or its complement, that is shifted hardly or not enough: only this bit tells to clamp."""
    bit = rng.randrange(8, 31)
    right = rng.randint(max(0, bit - 12), min(31, bit + 1))
    return Channel(rng.choice((1 << bit, -1 << bit)), 2**31 - 1, -right, 0, -128, 127)


def _widest(rng: random.Random) -> Channel:
    """The largest products of two to four digits that follow each other, wherever in the multiplier they lie."""
    x, place = rng.choice((-(2**31), 1 - 2**31, 2**31 - 1)), 2 * rng.randrange(12)
    return Channel(x, rng.randint(1, 0xAA) << place, -place - 1 if place else 0, 0, -128, 127)


def _doubled(rng: random.Random) -> Channel:
    """A left shift of each amount whose result shows how often it doubled."""
    left = rng.randint(1, 9)
    return Channel(rng.choice((-2, -1, 1, 2)), 2**30 >> max(0, left - 6), left, 0, -128, 127)


_EDGES = {1: _product_edge, 2: _tie, 3: _too_large, 4: _widest, 5: _doubled}
