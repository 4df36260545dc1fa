"""TFLite Micro's rescaling of a sum, transcribed from its C with Python's unbounded integers, and sums to try.

Source: gemmlowp fixedpoint.h (SaturatingRoundingDoublingHighMul, RoundingDivideByPOT) and tflite-micro
tensorflow/lite/kernels/internal/common.cc (MultiplyByQuantizedMultiplier, double rounding).
"""

import numpy as np
import numpy.typing as npt

SHIFTS = range(-31, 31)
_EDGES = (0, 1, 2, 3, 5, 127, 128, 0x8000, 0xFFFF, 0x10000, 2**24, 2**30 - 1, 2**30, 2**30 + 1, 2**31 - 1)


def multiply_by_quantised_multiplier(x: int, multiplier: int, shift: int) -> int:
    """int32 x * multiplier / 2^31 * 2^shift; the left shift wraps, as it does in the compiled code."""
    left, right = max(shift, 0), max(-shift, 0)
    wrapped = ((x << left) + 2**31) % 2**32 - 2**31
    return rounding_divide_by_pot(doubling_high_mul(wrapped, multiplier), right)


def doubling_high_mul(a: int, b: int) -> int:
    product = a * b
    nudged = product + (2**30 if product >= 0 else 1 - 2**30)
    return nudged >> 31 if nudged >= 0 else -(-nudged >> 31)  # C's division goes towards zero


def rounding_divide_by_pot(x: int, exponent: int) -> int:
    mask = (1 << exponent) - 1
    threshold = (mask >> 1) + (1 if x < 0 else 0)
    return (x >> exponent) + (1 if (x & mask) > threshold else 0)


def vectors(seed: int = 2026, each: int = 30_000) -> npt.NDArray[np.int64]:
    """[n, 4]: sum, multiplier, shift, expected; n > 1e5. Edges at every shift, ties, noise of every size."""
    rng = np.random.default_rng(seed)
    cases = np.concatenate([_edges(), _noise(rng, each), _moderate(rng, 2 * each), _ties(rng, each)])
    expected = [multiply_by_quantised_multiplier(*case) for case in cases.tolist()]
    return np.column_stack([cases, expected])


def _edges() -> npt.NDArray[np.int64]:
    sums = [-(2**31), *_EDGES, *(-edge for edge in _EDGES)]
    multipliers = (0, 2**30, 2**30 + 1, 0x5A827999, 2**31 - 1)
    return np.array([(x, m, s) for x in sums for m in multipliers for s in SHIFTS])


def _noise(rng: np.random.Generator, count: int) -> npt.NDArray[np.int64]:
    """Anything legal; most results are far past int8."""
    return np.column_stack(
        [
            rng.integers(-(2**31), 2**31, count),
            rng.integers(2**30, 2**31, count),
            rng.integers(-31, 31, count),
        ]
    )


def _moderate(rng: np.random.Generator, count: int) -> npt.NDArray[np.int64]:
    """Sums of every size, shifted so that results are up to about 2^10."""
    bits = rng.integers(1, 32, count)
    sums = rng.integers(-(2**31), 2**31, count) >> (31 - bits)
    shifts = np.clip(rng.integers(0, 11, count) - bits, -31, 30)
    return np.column_stack([sums, rng.integers(2**30, 2**31, count), shifts])


def _ties(rng: np.random.Generator, count: int) -> npt.NDArray[np.int64]:
    """Sums halfway between two results, or one beside it: the multiplier 2^30 halves, then the shift halves."""
    right = rng.integers(0, 22, count)
    halves = rng.integers(-200, 200, count) * 2 + 1
    sums = (halves << right) + rng.integers(-2, 3, count)
    return np.column_stack([sums, np.full(count, 2**30), -right])
