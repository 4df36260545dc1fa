"""Parameters of output channels: zero points folded into biases, outputs known in advance, exact divisions."""

from functools import cache

import numpy as np

from ascnode_gateware.model.layers import Int8, Int32, ModelError, Rescale
from ascnode_gateware.model.quantise import INT8_MAX, INT8_MIN, Int64, requantise, wrap_int32
from ascnode_gateware.program.parameters import Channel
from ascnode_gateware.program.program import LANES

# x * (2^31 - 1) / 2^31 rounds to x for every |x| < 2^30: a rescaling that changes nothing, without a left shift.
IDENTITY = (2**31 - 1, 0)
_UNUSED = Channel(0, 0, 0, 0, 0, 0)  # of a lane past the last channel
_SLICE = 1 << 20  # sums checked at a time


def weighted(
    weights: Int8, bias: Int32, rescale: Rescale, zero_points: tuple[int, int], fold_constants: bool
) -> tuple[Channel, ...]:
    """Of weights int8 [out, taps]; `zero_points` are those of input and output."""
    taps = weights.astype(np.int64)
    offsets = wrap_int32(bias.astype(np.int64) - zero_points[0] * taps.sum(axis=1))
    low, high = _bounds(taps, bias.astype(np.int64), zero_points[0])
    channels = []
    for channel, offset in enumerate(offsets.tolist()):
        pair = int(rescale.multiplier[channel]), int(rescale.shift[channel])
        known = _known(int(low[channel]), int(high[channel]), pair, zero_points[1], rescale)
        clamp = (rescale.low, rescale.high) if known is None or not fold_constants else (known, known)
        channels.append(Channel(offset, *pair, zero_points[1], *clamp))
    return whole_groups(channels)


def unweighted(count: int, pair: tuple[int, int], low: int, high: int) -> tuple[Channel, ...]:
    """`count` channels alike, without bias and zero points: pooling, padding, copies."""
    return whole_groups([Channel(0, *pair, 0, low, high)] * count)


def whole_groups(channels: list[Channel]) -> tuple[Channel, ...]:
    """With unused channels up to a multiple of 4."""
    return (*channels, *[_UNUSED] * (-len(channels) % LANES))


def _bounds(taps: Int64, bias: Int64, zero_point: int) -> tuple[Int64, Int64]:
    """Of each channel's sum over every int8 input; exact, since inputs are independent (padding is one of them)."""
    ends = taps * (INT8_MIN - zero_point), taps * (INT8_MAX - zero_point)
    return bias + np.minimum(*ends).sum(axis=1), bias + np.maximum(*ends).sum(axis=1)


def _known(low: int, high: int, pair: tuple[int, int], zero_point: int, rescale: Rescale) -> int | None:
    """The output that every sum in low..high gives; None when there are several or 32 bits would wrap."""
    left = max(pair[1], 0)
    if low << left < -(2**31) or high << left >= 2**31:
        return None
    ends = requantise(np.array([low, high]), np.int64(pair[0]), np.int64(pair[1])) + zero_point  # type: ignore[arg-type]
    first, last = np.clip(ends, rescale.low, rescale.high).tolist()
    return int(first) if first == last else None


@cache
def division(count: int, name: str) -> tuple[int, int]:
    """(multiplier, shift) that divide every sum of `count` int8 like TFLite Micro's average pool; ModelError if none.

    TFLite Micro rounds to nearest, halves away from zero. The engine's first rounding takes halves up, and without
    a right shift it is the only one: a multiplier a little above 1 / count brings negative halves away from zero.
    """
    if count == 1:
        return IDENTITY
    for left in range(8):
        multiplier = (2 ** (31 - left)) // count + 1
        if -INT8_MIN * count << left < 2**31 and _divides(count, multiplier, left):
            return multiplier, left
    raise ModelError(f"{name} averages {count} values; no multiplier divides so many exactly")


def _divides(count: int, multiplier: int, left: int) -> bool:
    """Whether it does so for each sum that `count` int8 can have."""
    end = INT8_MAX * count + 1
    for start in range(INT8_MIN * count, end, _SLICE):
        sums = np.arange(start, min(start + _SLICE, end))
        rounded = np.where(sums > 0, (sums + count // 2) // count, -((count // 2 - sums) // count))
        if not np.array_equal(requantise(sums, np.int64(multiplier), np.int64(left)), rounded):  # type: ignore[arg-type]
            return False
    return True
