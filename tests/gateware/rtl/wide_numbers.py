"""Numbers of layers that reach the ends of what is legal: shifts, biases, zero points, weights."""

import numpy as np
import numpy.typing as npt

from models.tflite_builder import TensorSpec

SHIFTS = range(-31, 10)

Rng = np.random.Generator
Int8 = npt.NDArray[np.int8]


def draw_count(rng: Rng, rest: int | None = None, most: int = 40) -> int:
    """Channels, mostly few; `rest`: modulo 4."""
    top = most if rng.random() < 0.2 else 12
    count = int(rng.integers(1, top + 1))
    return count if rest is None else min((count + 3) // 4 * 4 + rest - 4 * (rest > 0), most - 4 + rest)


def scaled_tensors(
    rng: Rng, op: str, shape: tuple[int, ...], out_shape: tuple[int, ...], weights: Int8, axis: int
) -> tuple[list[TensorSpec], list[int]]:
    """Input, weights, output and bias, and an operator's inputs among them."""
    channels, taps = weights.shape[axis], weights.size // weights.shape[axis]
    factors = _factors(rng, channels, taps)
    in_scale, out_scale = (float(s) for s in 0.05 * 2.0 ** rng.uniform(-2, 2, 2))
    scales = (factors * out_scale / in_scale).astype(np.float32)
    bias = rng.integers(-(1 << 15), 1 << 15, channels)
    wild = rng.random(channels) < 0.15
    bias[wild] = rng.choice([2**30, -(2**30), 2**31 - 1, -(2**31), 2**24], int(wild.sum()))
    tensors = [
        TensorSpec(shape, scales=[in_scale], zero_points=[draw_point(rng)]),
        TensorSpec(data=weights, scales=list(scales), axis=axis),
        TensorSpec(out_shape, scales=[out_scale], zero_points=[draw_point(rng)]),
        TensorSpec(data=bias.astype(np.int32), scales=list(in_scale * scales), axis=0),
    ]
    absent = [0, 1] if op == "DEPTHWISE_CONV_2D" else [0, 1, -1]  # there TFLite Micro dies of a -1
    return tensors, [0, 1, 3] if rng.random() < 0.9 else absent


def _factors(rng: Rng, channels: int, taps: int) -> npt.NDArray[np.float64]:
    """What each channel's sums are multiplied by; one for all of them now and then."""
    count = channels if rng.random() < 0.8 else 1
    fill = 2.0 ** rng.uniform(-2, 1, count) / (74 * np.sqrt(taps))  # outputs fill about an int8
    legal = 2.0 ** (rng.integers(SHIFTS.start, SHIFTS.stop, count) - rng.uniform(0, 1, count))
    factors = np.where(rng.random(count) < rng.choice([0, 0.3, 1]), legal, fill)
    factors[rng.random(count) < 0.03] = 2.0**-40  # past what a shift can do: a multiplier of 0
    return factors


def draw_weights(rng: Rng, shape: tuple[int, ...]) -> Int8:
    draw = rng.random()
    if draw < 0.1:
        return np.full(shape, rng.choice([-128, 127]), np.int8)
    if draw < 0.25:
        return rng.choice(np.array([-128, -127, 0, 127], np.int8), shape)
    return rng.integers(-128, 128, shape).astype(np.int8)


def draw_point(rng: Rng) -> int:
    """A zero point, at an end of its range as often as not."""
    return int(rng.choice([-128, 127, -127, 0, *rng.integers(-128, 128, 4)]))
