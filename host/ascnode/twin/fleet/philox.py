"""Random numbers by name: Philox4x32-10, so that a draw depends on its seed and counter and on nothing before it.

Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
"""

import numpy as np
import numpy.typing as npt

from ascnode.sky.vectors import Floats

Words = npt.NDArray[np.uint64]  # 32-bit words

_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (0x9E3779B9, 0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_ROUNDS = 10


def philox(counter: tuple[npt.ArrayLike, ...], key: tuple[int, int]) -> tuple[Words, Words, Words, Words]:
    """Four 32-bit words for each counter of four 32-bit words (arrays that broadcast), under a key of two."""
    a, b, c, d = np.broadcast_arrays(*(np.asarray(word, dtype=np.uint64) & _LOW for word in counter))
    k0, k1 = key
    for _ in range(_ROUNDS):
        first, second = _MULTIPLIERS[0] * a, _MULTIPLIERS[1] * c
        a, c = (second >> np.uint64(32)) ^ b ^ np.uint64(k0), (first >> np.uint64(32)) ^ d ^ np.uint64(k1)
        b, d = second & _LOW, first & _LOW
        k0, k1 = (k0 + _WEYL[0]) & 0xFFFFFFFF, (k1 + _WEYL[1]) & 0xFFFFFFFF
    return a, b, c, d


def exponential(seed: int, kind: int, who: npt.ArrayLike, number: npt.ArrayLike) -> Floats:
    """Exponential draws of mean 1: the `number`-th of a `kind` for each of `who` (arrays that broadcast)."""
    high, low, _, _ = philox((who, number, kind, 0), (seed & 0xFFFFFFFF, seed >> 32 & 0xFFFFFFFF))
    bits = (high << np.uint64(20)) | (low >> np.uint64(12))
    return np.asarray(-np.log1p(-bits.astype(np.float64) * 2.0**-52))
