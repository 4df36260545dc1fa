"""Single layers that aim at a combination of operator, padding, stride, tiles, channels and place of the weights.

Shapes go up to kernels of 8, strides of 4, 40 channels and more outputs than accumulators hold; numbers go to the
ends: zero points, weights all -128, biases of 31 bits, every shift from -31 to +9, multipliers of 0.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
import tflite

from gateware.rtl.wide_numbers import Int8, Rng, draw_count, draw_point, draw_weights, scaled_tensors
from models.tflite_builder import OpSpec, TensorSpec, build

SLIDING = ("CONV_2D", "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "MAX_POOL_2D")
OTHERS = ("FULLY_CONNECTED", "ADD", "ADD unfused", "PAD")
SET_PIXELS = 256  # outputs that a job can have
_MAX_WORDS = 6000  # of input or output, well inside a bank
_ACTIVATIONS = (
    tflite.ActivationFunctionType.NONE,
    tflite.ActivationFunctionType.RELU,
    tflite.ActivationFunctionType.RELU6,
    tflite.ActivationFunctionType.RELU_N1_TO_1,
)


@dataclass(frozen=True, order=True)
class Aim:
    """`stride` is the horizontal one; `tiled`: more outputs than a job can have; `rest`: output channels modulo 4.

    Padding and stride are "" and 0 for operators without.
    """

    op: str
    padding: str
    stride: int
    tiled: bool
    rest: int
    streamed: bool


def _aims() -> tuple[Aim, ...]:
    sliding = product(SLIDING, ("SAME", "VALID"), (1, 2, 3, 4), (False, True), range(4), (False, True))
    others = product(OTHERS, ("",), (0,), (False, True), range(4), (False, True))
    return tuple(Aim(*values) for values in (*sliding, *others))


AIMS = _aims()


def wide_layer(aim: Aim, seed: int) -> bytes:
    """A .tflite file; the same for the same aim and seed."""
    rng = np.random.default_rng([seed, AIMS.index(aim)])
    return _MAKERS[aim.op](rng, aim)


@dataclass(frozen=True)
class _Slide:
    """A window over an image: input (h, w), output (h, w), kernel, and the options that say so."""

    extent: tuple[int, int]
    out: tuple[int, int]
    kernel: tuple[int, int]
    fields: dict[str, int]

    @property
    def taps(self) -> int:
        return self.kernel[0] * self.kernel[1]

    @property
    def outputs(self) -> int:
        return self.out[0] * self.out[1]


def _conv(rng: Rng, aim: Aim) -> bytes:
    while True:
        slide, inputs, outputs = _slide(rng, aim, dilates=True), draw_count(rng), draw_count(rng, aim.rest)
        if _fits(slide, inputs, outputs) and slide.outputs * slide.taps * inputs * outputs < _macs(rng):
            break
    weights = draw_weights(rng, (outputs, *slide.kernel, inputs))
    return _weighted(rng, "CONV_2D", "Conv2DOptions", slide, inputs, weights, 0)


def _depthwise(rng: Rng, aim: Aim) -> bytes:
    while True:
        slide, inputs = _slide(rng, aim, dilates=True), draw_count(rng)
        multiplier = int(rng.choice([1, 1, 1, 2, 3, 5]))
        outputs = inputs * multiplier
        dense = inputs if multiplier > 1 else 1  # what the array does with a multiplier
        fits = outputs % 4 == aim.rest and _fits(slide, inputs, outputs)
        if fits and slide.outputs * slide.taps * outputs * dense < _macs(rng):
            break
    weights = draw_weights(rng, (1, *slide.kernel, outputs))
    slide.fields["DepthMultiplier"] = multiplier
    return _weighted(rng, "DEPTHWISE_CONV_2D", "DepthwiseConv2DOptions", slide, inputs, weights, 3)


def _pool(rng: Rng, aim: Aim) -> bytes:
    while True:
        slide, channels = _slide(rng, aim, dilates=False), draw_count(rng, aim.rest)
        fits = _fits(slide, channels, channels) and (
            aim.op != "AVERAGE_POOL_2D" or _averages(slide, channels)
        )
        if fits and slide.outputs * slide.taps * channels < _macs(rng):
            break
    same = {"scales": [float(rng.choice([0.02, 1.0]))], "zero_points": [draw_point(rng)]}
    tensors = [
        TensorSpec((1, *slide.extent, channels), **same),
        TensorSpec((1, *slide.out, channels), **same),
    ]
    fields = {**slide.fields, "FilterHeight": slide.kernel[0], "FilterWidth": slide.kernel[1]}
    return build(tensors, [OpSpec(aim.op, [0], [1], "Pool2DOptions", fields)], [0], [1])


def _dense(rng: Rng, aim: Aim) -> bytes:
    """Rows of their own, or, now and then, one row that is a whole image."""
    channels, depth = draw_count(rng, aim.rest), int(rng.integers(1, 200))
    fields = {"FusedActivationFunction": int(rng.choice(_ACTIVATIONS))}
    shape: tuple[int, ...] = (1, depth)
    out_shape: tuple[int, ...] = (1, channels)
    if aim.tiled:
        rows, depth = int(rng.integers(SET_PIXELS + 1, 400)), int(rng.integers(1, 33))
        shape, out_shape, fields["KeepNumDims"] = (1, rows, depth), (1, rows, channels), 1
    elif rng.random() < 0.5:
        image = rng.integers(1, 6, 2)
        shape = (1, int(image[0]), int(image[1]), draw_count(rng))
        depth = int(np.prod(shape))
    weights = draw_weights(rng, (channels, depth))
    tensors, inputs = scaled_tensors(rng, "FULLY_CONNECTED", shape, out_shape, weights, 0)
    op = OpSpec("FULLY_CONNECTED", inputs, [2], "FullyConnectedOptions", fields)
    return build(tensors, [op], [0], [2])


def _add(rng: Rng, aim: Aim) -> bytes:
    """A convolution's output plus its input, either one first."""
    channels = draw_count(rng, aim.rest, 24)
    shape = (1, *_extents(rng, aim.tiled), channels)
    weights = draw_weights(rng, (channels, 1, 1, channels))
    scales = [float(s) for s in 0.05 * 2.0 ** rng.uniform(-8, 8, 3)]
    scales[2] = float(max(scales[:2]) * 2.0 ** rng.uniform(-15, 4))
    tensors = [TensorSpec(shape, scales=[s], zero_points=[draw_point(rng)]) for s in scales]
    tensors += [TensorSpec(data=weights, scales=[scales[1] / scales[0] / float(rng.choice([60, 200]))])]
    one = {"StrideH": 1, "StrideW": 1, "DilationHFactor": 1, "DilationWFactor": 1}
    fields = {"FusedActivationFunction": int(rng.choice(_ACTIVATIONS))}
    operands = [0, 1] if rng.random() < 0.5 else [1, 0]
    ops = [
        OpSpec("CONV_2D", [0, 3, -1], [1], "Conv2DOptions", one),
        OpSpec("ADD", operands, [2], "AddOptions", fields),
    ]
    return build(tensors, ops, [0], [2])


def _pad(rng: Rng, aim: Aim) -> bytes:
    """Of rows and columns, now and then of channels as well; `aim.rest` is that of its output."""
    widths = np.zeros((4, 2), np.int32)
    widths[1:3] = rng.integers(0, 5, (2, 2))
    channels = draw_count(rng, aim.rest)
    if channels > 1 and rng.random() < 0.4:
        before = int(rng.integers(0, channels))
        widths[3] = before, int(rng.integers(0, channels - before))
    height, width = _extents(rng, aim.tiled)
    shape = (1, height, width, int(channels - widths[3].sum()))
    same = {"scales": [0.02], "zero_points": [draw_point(rng)]}
    out_shape = tuple(int(n) for n in np.array(shape) + widths.sum(axis=1))
    outputs = out_shape[1] * out_shape[2]
    if (outputs > SET_PIXELS and not aim.tiled) or outputs * -(-out_shape[3] // 4) > _MAX_WORDS:
        return _pad(rng, aim)
    tensors = [TensorSpec(shape, **same), TensorSpec(out_shape, **same), TensorSpec(data=widths)]
    return build(tensors, [OpSpec("PAD", [0, 2], [1], "PadOptions")], [0], [1])


def _slide(rng: Rng, aim: Aim, dilates: bool) -> _Slide:
    out, kernel = _extents(rng, aim.tiled), rng.integers(1, 9, 2)
    strides = np.array([aim.stride if rng.random() < 0.5 else rng.integers(1, 5), aim.stride])
    dilation = rng.integers(1, 4, 2) if dilates and rng.random() < 0.2 else np.array([1, 1])
    reach = (kernel - 1) * dilation + 1
    slack = rng.integers(0, strides)
    same = aim.padding == "SAME"
    extent = np.array(out) * strides - slack if same else (np.array(out) - 1) * strides + reach + slack
    fields = {
        "Padding": tflite.Padding.SAME if same else tflite.Padding.VALID,
        "StrideH": int(strides[0]),
        "StrideW": int(strides[1]),
        "FusedActivationFunction": int(rng.choice(_ACTIVATIONS)),
    }
    if dilates:
        fields |= {"DilationHFactor": int(dilation[0]), "DilationWFactor": int(dilation[1])}
    return _Slide((int(extent[0]), int(extent[1])), out, (int(kernel[0]), int(kernel[1])), fields)


def _extents(rng: Rng, tiled: bool) -> tuple[int, int]:
    """Height and width of an output: long in one direction now and then."""
    if not tiled:
        height, width = rng.integers(1, 13, 2)
        return (int(height), int(width)) if rng.random() < 0.8 else (1, int(rng.integers(1, SET_PIXELS + 1)))
    height = int(rng.choice([1, 2, 3, 9, 16, 17, 20, 40, 270]))
    least = SET_PIXELS // height + 1
    return height, int(rng.integers(least, least + 8))


def _macs(rng: Rng) -> int:
    return int(rng.choice([30_000, 100_000, 300_000, 800_000]))


def _fits(slide: _Slide, inputs: int, outputs: int) -> bool:
    words = slide.extent[0] * slide.extent[1] * -(-inputs // 4)
    return words <= _MAX_WORDS and slide.outputs * -(-outputs // 4) <= _MAX_WORDS


def _averages(slide: _Slide, channels: int) -> bool:
    """Whether a bank holds what it needs: at the border each count of pixels has constants, and jobs for each row."""
    passes = slide.kernel[0] * -(-slide.kernel[1] // 4)
    constants = slide.taps * -(-channels // 4) * (12 + 4 * passes)
    return constants <= _MAX_WORDS and slide.out[0] * slide.kernel[1] * 12 <= _MAX_WORDS


def _weighted(rng: Rng, op: str, options: str, slide: _Slide, inputs: int, weights: Int8, axis: int) -> bytes:
    shape, out_shape = (1, *slide.extent, inputs), (1, *slide.out, weights.shape[axis])
    tensors, sources = scaled_tensors(rng, op, shape, out_shape, weights, axis)
    return build(tensors, [OpSpec(op, sources, [2], options, slide.fields)], [0], [2])


_MAKERS: dict[str, Callable[[Rng, Aim], bytes]] = {
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "AVERAGE_POOL_2D": _pool,
    "MAX_POOL_2D": _pool,
    "FULLY_CONNECTED": _dense,
    "ADD": _add,
    "ADD unfused": _add,
    "PAD": _pad,
}
