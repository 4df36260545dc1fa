"""Which words jobs read and write: what a result depends on, and when a word is free for something else."""

import numpy as np
import numpy.typing as npt

from ascnode_gateware.program.executor_arithmetic import Int64

Addresses = npt.NDArray[np.uint16]


class AccessLog:
    """Takes down every access since `clear` and refuses none."""

    def __init__(self) -> None:
        self._read: list[Int64] = []
        self._written: list[Int64] = []

    def clear(self) -> None:
        self._read.clear()
        self._written.clear()

    @property
    def read(self) -> Addresses:
        """Ascending, each once."""
        return _unique(self._read)

    @property
    def written(self) -> Addresses:
        return _unique(self._written)

    def write(self, addresses: Int64) -> None:
        self._written.append(addresses)

    def check_pixels(self, addresses: Int64) -> None:
        self._read.append(addresses)

    def check_fetch(self, addresses: Int64) -> None:
        self._read.append(addresses)

    def check_skip(self, written: Int64, skips: Int64) -> None:
        self._read.append(skips)

    def barrier(self) -> None:
        """Orders accesses; there is nothing to take down."""

    def load(self) -> None:
        """Likewise."""

    def leave_open(self, what: str) -> None:
        """The executor goes on as the engine does."""


def _unique(parts: list[Int64]) -> Addresses:
    marked = np.zeros(1 << 15, np.bool_)
    for part in parts:
        marked[part] = True
    return np.flatnonzero(marked).astype(np.uint16)
