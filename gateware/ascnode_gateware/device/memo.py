"""What follows from words of memory, found again as long as those words are the same."""

from collections.abc import Hashable
from hashlib import blake2b
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from ascnode_gateware.program.program import Words

Addresses = npt.NDArray[np.uint16]
T = TypeVar("T")
_LIMIT = 2048  # values: about 40 images of a keyword spotter, some 30 MB


class Memo(Generic[T]):
    """Values by a key and by the contents of the addresses that they were made from.

    Which addresses these are may itself depend on their contents: a program's headers say what it reads.
    """

    def __init__(self, limit: int = _LIMIT) -> None:
        self._limit, self._count = limit, 0
        self._known: dict[Hashable, list[tuple[Addresses, dict[bytes, T]]]] = {}

    def find(self, key: Hashable, memory: Words) -> T | None:
        for addresses, values in self._known.get(key, ()):
            found = values.get(_digest(memory, addresses))
            if found is not None:
                return found
        return None

    def keep(self, key: Hashable, memory: Words, addresses: Addresses, value: T) -> None:
        """`memory` as it was when `value` was made of it. All is forgotten when there is too much."""
        if self._count >= self._limit:
            self._known.clear()
            self._count = 0
        self._count += 1
        places = self._known.setdefault(key, [])
        for known, values in places:
            if np.array_equal(known, addresses):
                values[_digest(memory, known)] = value
                return
        places.append((addresses, {_digest(memory, addresses): value}))


def _digest(memory: Words, addresses: Addresses) -> bytes:
    return blake2b(memory[addresses].tobytes(), digest_size=16).digest()
