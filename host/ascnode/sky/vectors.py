"""Array types, and products over the last axis of arrays of 3-vectors."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def dot(a: Floats, b: Floats) -> Floats:
    """Inner products of (..., 3) with (..., 3), broadcast: (...)."""
    product: Floats = np.asarray(np.sum(a * b, axis=-1), dtype=np.float64)
    return product


def norm(a: Floats) -> Floats:
    """Lengths of (..., 3): (...)."""
    return np.sqrt(dot(a, a))


def angle(a: Floats, b: Floats) -> Floats:
    """Angles between (..., 3) and (..., 3), rad in 0..pi: (...). Accurate at both ends, as acos is not."""
    return np.arctan2(norm(np.cross(a, b)), dot(a, b))
