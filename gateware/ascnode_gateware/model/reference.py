"""NumPy reference of int8 inference, bit for bit TFLite Micro's; the yardstick of every other kernel.

Sums of int8 products are exact in float64 up to 2^53, so that BLAS does them; rescaling is int64.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ascnode_gateware.model.layers import (
    Add,
    Convolution,
    Depthwise,
    FullyConnected,
    Int8,
    Int32,
    Layer,
    Model,
    Pad,
    Pool,
    Rescale,
    Reshape,
    Tensor,
    Window,
)
from ascnode_gateware.model.quantise import Int64, requantise, rounding_shift, wrap_int32

Float64 = npt.NDArray[np.float64]
Step = Callable[..., Int8]

_ADD_LEFT_SHIFT = 20


class Reference:
    """Runs one model on one image or a batch; prepared once, stateless between runs."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._steps = [(layer, _step(layer)) for layer in model.layers]

    def run(self, images: Int8) -> Int8:
        """int8 [n, *input shape without its leading 1] to int8 [n, *output shape likewise]."""
        return self.run_all(images)[self._model.output.id]

    def run_all(self, images: Int8) -> dict[int, Int8]:
        """Every activation by tensor id, each [n, *shape without its leading 1]; ValueError on another shape."""
        wanted = _inner(self._model.input)
        if images.dtype != np.int8 or images.shape[1:] != wanted:
            raise ValueError(f"images are {images.dtype} {images.shape}; the model takes int8 (n, {wanted})")
        tensors = {self._model.input.id: images}
        for layer, step in self._steps:
            operands = [tensors[layer.input.id]]
            if isinstance(layer, Add):
                operands.append(tensors[layer.other.id])
            tensors[layer.output.id] = step(*operands).reshape(-1, *_inner(layer.output))
        return tensors


def _inner(tensor: Tensor) -> tuple[int, ...]:
    return tensor.shape[1:]


def _step(layer: Layer) -> Step:
    """What the layer does to a batch; its constants are prepared here, outside the run."""
    match layer:
        case Convolution():
            return _convolution(layer)
        case Depthwise():
            return _depthwise(layer)
        case FullyConnected():
            return _fully_connected(layer)
        case Pool():
            return _average(layer) if layer.op == "AVERAGE_POOL_2D" else _maximum(layer)
        case Add():
            return _add(layer)
        case Pad():
            return _pad(layer)
        case Reshape():
            return lambda x: x
    raise TypeError(f"{layer.name} has no reference")


def _convolution(layer: Convolution) -> Step:
    channels = layer.weights.shape[0]
    matrix = layer.weights.reshape(channels, -1).T.astype(np.float64)
    finish = _finish(layer.bias, layer.rescale, layer.output)
    windows = _windows(layer.window, layer.input, layer.output)

    def step(x: Int8) -> Int8:
        patches = windows(x)
        return finish(patches.reshape(-1, matrix.shape[0]) @ matrix)

    return step


def _depthwise(layer: Depthwise) -> Step:
    weights = layer.weights.astype(np.float64)
    finish = _finish(layer.bias, layer.rescale, layer.output)
    windows = _windows(layer.window, layer.input, layer.output)

    def step(x: Int8) -> Int8:
        patches = np.repeat(windows(x), layer.depth_multiplier, axis=-1)
        return finish(np.einsum("nyxhwc,hwc->nyxc", patches, weights))

    return step


def _fully_connected(layer: FullyConnected) -> Step:
    matrix = layer.weights.T.astype(np.float64)
    finish = _finish(layer.bias, layer.rescale, layer.output)
    zero_point = layer.input.zero_point
    return lambda x: finish((x.reshape(-1, matrix.shape[0]) - np.float64(zero_point)) @ matrix)


def _finish(bias: Int32, rescale: Rescale, output: Tensor) -> Callable[[Float64], Int8]:
    """Sums [..., channels] to int8: bias, rescaling, zero point, clamp."""
    offsets, multiplier = bias.astype(np.int64), rescale.multiplier.astype(np.int64)
    shift = rescale.shift.astype(np.int64)

    def finish(sums: Float64) -> Int8:
        acc = wrap_int32(sums.astype(np.int64) + offsets)
        return _clamped(requantise(acc, multiplier, shift) + output.zero_point, rescale.low, rescale.high)

    return finish


def _windows(window: Window, source: Tensor, output: Tensor) -> Callable[[Int8], Float64]:
    """int8 [n, h, w, c] to real-zero-based patches [n, out_h, out_w, kernel_h, kernel_w, c]; padding is 0."""
    _, height, width, channels = source.shape
    _, out_h, out_w, _ = output.shape
    top, left = window.pad_top, window.pad_left
    padded_h = max(
        top + height, (out_h - 1) * window.stride_h + (window.kernel_h - 1) * window.dilation_h + 1
    )
    padded_w = max(
        left + width, (out_w - 1) * window.stride_w + (window.kernel_w - 1) * window.dilation_w + 1
    )
    shape = (out_h, out_w, window.kernel_h, window.kernel_w, channels)

    def windows(x: Int8) -> Float64:
        padded = np.zeros((len(x), padded_h, padded_w, channels))
        np.subtract(x, np.float64(source.zero_point), out=padded[:, top : top + height, left : left + width])
        n, row, column, item = padded.strides
        strides = (
            *(n, row * window.stride_h, column * window.stride_w),
            *(row * window.dilation_h, column * window.dilation_w, item),
        )
        return np.ndarray((len(x), *shape), np.float64, padded, 0, strides)

    return windows


def _average(layer: Pool) -> Step:
    taps, counts = _taps(layer), _tap_counts(layer)

    def step(x: Int8) -> Int8:
        sums = np.zeros((len(x), *_inner(layer.output)), np.int64)
        for out, source in taps:
            sums[out] += x[source]
        # C divides towards zero, so half the count is taken away from zero first.
        rounded = np.where(sums > 0, (sums + counts // 2) // counts, -((counts // 2 - sums) // counts))
        return _clamped(rounded, layer.low, layer.high)

    return step


def _maximum(layer: Pool) -> Step:
    taps = _taps(layer)

    def step(x: Int8) -> Int8:
        largest = np.full((len(x), *_inner(layer.output)), -128, np.int8)
        for out, source in taps:
            np.maximum(largest[out], x[source], out=largest[out])
        return np.minimum(np.maximum(largest, np.int8(layer.low)), np.int8(layer.high))

    return step


def _taps(layer: Pool) -> list[tuple[tuple[slice, ...], tuple[slice, ...]]]:
    """For each tap: the outputs for which it lies inside the input, and the inputs it then reads."""
    w, (_, height, width, _), (_, out_h, out_w, _) = layer.window, layer.input.shape, layer.output.shape
    rows = _spans(w.kernel_h, w.pad_top, w.stride_h, height, out_h)
    columns = _spans(w.kernel_w, w.pad_left, w.stride_w, width, out_w)
    whole = slice(None)
    return [((whole, out_y, out_x), (whole, y, x)) for out_y, y in rows for out_x, x in columns]


def _spans(kernel: int, pad: int, stride: int, extent: int, out: int) -> list[tuple[slice, slice]]:
    """Of each tap along one axis that any output finds inside the input."""
    spans = [_span(tap - pad, stride, extent, out) for tap in range(kernel)]
    return [(outs, ins) for outs, ins in spans if outs.stop > outs.start]


def _span(offset: int, stride: int, extent: int, out: int) -> tuple[slice, slice]:
    """Outputs o in [first, end) with 0 <= o * stride + offset < extent, and the inputs they read."""
    first = max(0, -(offset // stride))
    end = max(first, min(out, (extent - offset + stride - 1) // stride))
    start = first * stride + offset
    return slice(first, end), slice(start, start + (end - first) * stride, stride)


def _tap_counts(layer: Pool) -> Int64:
    """Taps inside the input, [out_h, out_w, 1]."""
    _, out_h, out_w, _ = layer.output.shape
    counts = np.zeros((1, out_h, out_w, 1), np.int64)
    for out, _ in _taps(layer):
        counts[out] += 1
    return counts.reshape(out_h, out_w, 1)


def _add(layer: Add) -> Step:
    first, second, total = (np.int64(multiplier) for multiplier in layer.multipliers)
    right = [np.int64(-shift) for shift in layer.shifts]

    def scaled(values: Int64, multiplier: np.int64, shift: np.int64) -> Int64:
        return rounding_shift((values * multiplier + (1 << 30)) >> 31, shift)

    def step(x: Int8, y: Int8) -> Int8:
        a = scaled((x.astype(np.int64) - layer.input.zero_point) << _ADD_LEFT_SHIFT, first, right[0])
        b = scaled((y.astype(np.int64) - layer.other.zero_point) << _ADD_LEFT_SHIFT, second, right[1])
        return _clamped(scaled(a + b, total, right[2]) + layer.output.zero_point, layer.low, layer.high)

    return step


def _pad(layer: Pad) -> Step:
    widths = [(0, 0), *layer.widths[1:]]
    return lambda x: np.pad(x, widths, constant_values=layer.output.zero_point)


def _clamped(values: Int64, low: int, high: int) -> Int8:
    return np.minimum(np.maximum(values, low), high).astype(np.int8)
