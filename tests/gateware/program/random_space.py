"""Free and taken words of the memory that a random program grows in, and the words it is filled with."""

import random

import numpy as np
import numpy.typing as npt

from ascnode_gateware.program.job import BANK_WORDS

Words = npt.NDArray[np.uint32]


class Space:
    """Which words hold headers, parameters or weights, and which an earlier job has written."""

    def __init__(self, rng: random.Random, ring: range) -> None:
        self._rng = rng
        self._reserved = np.zeros((2, BANK_WORDS), np.bool_)  # what outputs must leave alone
        self._reserved.reshape(-1)[ring.start : ring.stop] = True
        self._written = np.zeros((2, BANK_WORDS), np.bool_)

    def reserve(self, count: int, bank: int | None = None) -> int:
        """The address of `count` words for headers or weights, which may wrap; nothing else will use them."""
        for _ in range(1000):
            address = self._start(count, bank)
            words = self._span(address, np.arange(count))
            if not (self._reserved[words] | self._written[words]).any():
                self._reserved[words] = True
                return address
        raise ValueError(f"no {count} words are free")

    def output(self, offsets: npt.NDArray[np.int64]) -> int | None:
        """An address from which `offsets` hit no reserved word; None when none was found."""
        for _ in range(50):
            address = self._start(int(offsets.max()) + 1, None)
            if self.may_write(address, offsets):
                return address
        return None

    def may_write(self, address: int, offsets: npt.NDArray[np.int64]) -> bool:
        return not self._reserved[self._span(address, offsets)].any()

    def write(self, address: int, offsets: npt.NDArray[np.int64]) -> None:
        self._written[self._span(address, offsets)] = True

    def _start(self, count: int, bank: int | None) -> int:
        bank = self._rng.randrange(2) if bank is None else bank
        straddling = self._rng.random() < 0.2
        offset = -self._rng.randrange(count) if straddling else self._rng.randrange(BANK_WORDS)
        return bank << 14 | offset % BANK_WORDS

    @staticmethod
    def _span(address: int, offsets: npt.NDArray[np.int64]) -> tuple[int, npt.NDArray[np.int64]]:
        return address >> 14, (address + offsets) % BANK_WORDS


def random_memory(generator: np.random.Generator) -> Words:
    """Noise with runs of the extreme bytes, uint32 [32768]."""
    lanes = generator.integers(-128, 128, (2 * BANK_WORDS, 4), np.int8)
    for value in (-128, 127, 0):
        first = int(generator.integers(0, 2 * BANK_WORDS - 200))
        lanes[first : first + 200] = value
    return as_words(lanes)


def as_words(lanes: npt.NDArray[np.int8]) -> Words:
    """int8 [n, 4] to uint32 [n], lane 0 in the lowest bits."""
    return np.ascontiguousarray(lanes).view("<u4").reshape(-1).astype(np.uint32)


def small_or_edge(rng: random.Random, top: int) -> int:
    """1..top, mostly small, now and then `top` itself."""
    draw = rng.random()
    if draw < 0.1:
        return top
    return rng.randint(1, top) if draw < 0.3 else rng.randint(1, max(1, min(top, 12)))
