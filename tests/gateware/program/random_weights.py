"""Parameters, weights and tables of random jobs: realistic ones, and every extreme that the words can carry."""

import random

import numpy as np

from ascnode_gateware.program.parameters import Channel, recode
from gateware.program.random_space import Words, as_words

_BIASES = (0, 1, -1, 2**31 - 1, -(2**31), 2**30, -(2**30), 0x7FFF_FF80)
_MULTIPLIERS = (0, 1, 2, 3, 2**30, 2**30 + 1, 2**31 - 1, 0x5555_5555, 0x2AAA_AAAA, 0x6666_6667)


def random_parameters(rng: random.Random, max_left: int) -> Words:
    """12 words of an output group; no left shift past `max_left`, since the drain takes a cycle for each bit."""
    return _words([word for _ in range(4) for word in _channel(rng, max_left).pack()])


def random_tables(rng: random.Random, max_left: int) -> Words:
    """LOAD's 514 words."""
    bits = rng.choice((12, 24, 32))
    tables = [rng.getrandbits(bits) - (1 << (bits - 1)) for _ in range(512)]
    return _words([*tables, recode(_multiplier(rng)), _channel(rng, max_left).scale_word()])


def random_blocks(rng: random.Random, passes: int, largest_only: bool, unfilled: int) -> Words:
    """4 words for each pass; lanes below `unfilled` weigh nothing (a depthwise row's words before its first).

    Now and then all weigh -128: with pixels of -128 the largest sum that a row can have.
    """
    generator = np.random.default_rng(rng.getrandbits(32))
    blocks = generator.integers(-127, 128, (passes, 4, 4), np.int8)
    if largest_only:
        blocks = _small_sums(generator, passes, unfilled)
    elif rng.random() < 0.3:
        blocks[generator.random(blocks.shape) < 0.5] = rng.choice((127, -127, 0))
    if not largest_only and rng.random() < 0.3:
        blocks[:, rng.randrange(4)] = -128
    blocks[:, :, :unfilled] = 0
    return as_words(blocks.reshape(-1, 4))


def _small_sums(generator: np.random.Generator, passes: int, unfilled: int) -> np.ndarray:
    """Rows that sum one byte, two, or a difference: -256..255, which is what max can hold."""
    blocks = np.zeros((passes * 4, 4), np.int8)
    order = np.argsort(generator.random((passes * 4, 4 - unfilled)), axis=1) + unfilled
    rows = np.arange(passes * 4)
    blocks[rows, order[:, 0]] = 1
    if unfilled < 3:
        blocks[rows, order[:, 1]] = generator.integers(-1, 2, passes * 4)
    return blocks.reshape(passes, 4, 4)


def _channel(rng: random.Random, max_left: int) -> Channel:
    plain = rng.random() < 0.6
    bias = rng.randint(-20_000, 20_000) if plain else rng.choice((*_BIASES, rng.getrandbits(32) - 2**31))
    shift = rng.randint(-12, -4) if plain else rng.randint(-31, max_left)
    return Channel(bias, _multiplier(rng), shift, rng.randint(-128, 127), *_clamp(rng))


def _multiplier(rng: random.Random) -> int:
    draw = rng.random()
    if draw < 0.7:
        return rng.randint(2**30, 2**31 - 1)
    return rng.choice(_MULTIPLIERS) if draw < 0.85 else rng.getrandbits(31)


def _clamp(rng: random.Random) -> tuple[int, int]:
    draw = rng.random()
    if draw < 0.6:
        return -128, 127
    low, high = sorted((rng.randint(-128, 127), rng.randint(-128, 127)))
    return (low, low) if draw > 0.95 else (low, high)


def _words(values: list[int]) -> Words:
    return np.array([value & 0xFFFFFFFF for value in values], np.uint32)
