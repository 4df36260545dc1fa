"""Random numbers that depend on a seed and on what they are for: not on order, nor on what else was drawn."""

import numpy as np
import numpy.typing as npt

from ascnode.sky.vectors import Floats

Words = npt.NDArray[np.uint64]


def uniform(seed: int, *keys: npt.ArrayLike) -> Floats:
    """One number in [0, 1) for each row of the integer keys, which broadcast."""
    words = _mix(np.array([seed & (2**64 - 1)], dtype=np.uint64))
    for key in keys:
        words = _mix(words ^ np.asarray(key, dtype=np.int64).astype(np.uint64))
    share: Floats = np.asarray(words >> np.uint64(11), dtype=np.float64) * 2.0**-53
    return share


def exponential(seed: int, mean: float, *keys: npt.ArrayLike) -> Floats:
    """The same, exponentially distributed with this mean."""
    drawn: Floats = -mean * np.log1p(-uniform(seed, *keys))
    return drawn


def _mix(words: Words) -> Words:
    """SplitMix64's finaliser (Steele, Lea, Flood, OOPSLA 2014): every input bit moves every output bit."""
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
