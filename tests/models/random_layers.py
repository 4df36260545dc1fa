"""Seeded single-layer models of every kind, shaped to hurt: odd channels, strides, dilation, both paddings."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import tflite

from models.tflite_builder import OpSpec, TensorSpec, build

KINDS = ("conv", "depthwise", "dense", "average", "maximum")
GRAPH_KINDS = ("add", "pad")  # the reference runs them, a node's CPU does not
_ACTIVATIONS = (
    tflite.ActivationFunctionType.NONE,
    tflite.ActivationFunctionType.RELU,
    tflite.ActivationFunctionType.RELU6,
    tflite.ActivationFunctionType.RELU_N1_TO_1,
)

Rng = np.random.Generator


def random_layer(kind: str, seed: int) -> bytes:
    """A .tflite file of one layer; the same file for the same seed."""
    return _MAKERS[kind](np.random.default_rng([seed, *kind.encode()]))


def random_images(shape: tuple[int, ...], count: int, seed: int) -> npt.NDArray[np.int8]:
    """int8 [count, *shape without its 1]: the two extremes, then an alternation, then noise."""
    images = np.random.default_rng(seed).integers(-128, 128, (count, *shape[1:])).astype(np.int8)
    alternating = np.resize(np.array([-128, 127], np.int8), shape[1:])
    for position, image in enumerate((np.int8(-128), np.int8(127), alternating)[:count]):
        images[position] = image
    return images


def _conv(rng: Rng) -> bytes:
    shape, out_shape, kernel, fields = _slide(rng, dilates=True)
    channels = int(rng.integers(1, 10))
    weights = rng.integers(-128, 128, (channels, *kernel, shape[3])).astype(np.int8)
    return _weighted(rng, "CONV_2D", "Conv2DOptions", fields, shape, (*out_shape, channels), weights, 0)


def _depthwise(rng: Rng) -> bytes:
    shape, out_shape, kernel, fields = _slide(rng, dilates=True)
    multiplier = int(rng.choice([1, 1, 2, 3]))
    channels = shape[3] * multiplier
    weights = rng.integers(-128, 128, (1, *kernel, channels)).astype(np.int8)
    fields = {**fields, "DepthMultiplier": multiplier}
    return _weighted(
        rng, "DEPTHWISE_CONV_2D", "DepthwiseConv2DOptions", fields, shape, (*out_shape, channels), weights, 3
    )


def _dense(rng: Rng) -> bytes:
    rows, depth, channels = (int(n) for n in rng.integers(1, [3, 40, 20]))
    weights = rng.integers(-128, 128, (channels, depth)).astype(np.int8)
    fields = {"FusedActivationFunction": int(rng.choice(_ACTIVATIONS))}
    shape, out_shape = (1, rows, depth), (1, rows, channels)
    if rows == 1:
        shape, out_shape = (1, depth), (1, channels)
    else:
        fields["KeepNumDims"] = 1
    return _weighted(rng, "FULLY_CONNECTED", "FullyConnectedOptions", fields, shape, out_shape, weights, 0)


def _weighted(
    rng: Rng,
    op: str,
    options: str,
    fields: dict[str, int],
    shape: tuple[int, ...],
    out_shape: tuple[int, ...],
    weights: npt.NDArray[np.int8],
    axis: int,
) -> bytes:
    """Scales such that outputs fill about an int8, now and then far more or less; some without a bias."""
    channels, taps = out_shape[-1], weights.size // out_shape[-1]
    scales = 0.01 * 2.0 ** rng.uniform(-3, 3, channels if rng.random() < 0.7 else 1)
    in_scale = 0.05
    spread = in_scale * np.median(scales) * 5500 * np.sqrt(taps) / 60
    out_scale = float(spread * 2.0 ** rng.choice([-14, -3, 0, 0, 0, 0, 4]))
    bias = rng.integers(-30_000, 30_000, channels).astype(np.int32)
    bias[rng.random(channels) < 0.1] = rng.choice([2**30, -(2**30)])  # dead channels, as trained models have
    tensors = [
        TensorSpec(shape, scales=[in_scale], zero_points=[int(rng.integers(-128, 128))]),
        TensorSpec(data=weights, scales=list(scales), axis=axis),
        TensorSpec(out_shape, scales=[out_scale], zero_points=[int(rng.integers(-128, 128))]),
        TensorSpec(data=bias, scales=list(in_scale * scales), axis=0),
    ]
    absent = [0, 1] if op == "DEPTHWISE_CONV_2D" else [0, 1, -1]  # there TFLite Micro dies of a -1
    inputs = [0, 1, 3] if rng.random() < 0.85 else absent
    return build(tensors, [OpSpec(op, inputs, [2], options, fields)], [0], [2])


def _pool(op: str) -> Callable[[Rng], bytes]:
    def maker(rng: Rng) -> bytes:
        shape, out_shape, kernel, fields = _slide(rng, dilates=False)
        fields = {**fields, "FilterHeight": kernel[0], "FilterWidth": kernel[1]}
        same = {"scales": [0.02], "zero_points": [int(rng.integers(-128, 128))]}
        tensors = [TensorSpec(shape, **same), TensorSpec((*out_shape, shape[3]), **same)]
        return build(tensors, [OpSpec(op, [0], [1], "Pool2DOptions", fields)], [0], [1])

    return maker


def _add(rng: Rng) -> bytes:
    """A convolution's output plus its input, as a residual block has it."""
    shape = (1, 5, 4, 3)
    weights = rng.integers(-128, 128, (3, 1, 1, 3)).astype(np.int8)
    points = [int(n) for n in rng.integers(-128, 128, 3)]
    scales = [float(s) for s in 0.05 * 2.0 ** rng.uniform(-4, 4, 3)]
    scales[2] = float((scales[0] + scales[1]) * rng.uniform(0.3, 2))
    tensors = [TensorSpec(shape, scales=[s], zero_points=[z]) for s, z in zip(scales, points, strict=True)]
    tensors += [TensorSpec(data=weights, scales=[scales[1] / 200 / scales[0]])]
    one = {"StrideH": 1, "StrideW": 1, "DilationHFactor": 1, "DilationWFactor": 1}
    ops = [
        OpSpec("CONV_2D", [0, 3, -1], [1], "Conv2DOptions", one),
        OpSpec("ADD", [0, 1], [2], "AddOptions", {"FusedActivationFunction": int(rng.choice(_ACTIVATIONS))}),
    ]
    return build(tensors, ops, [0], [2])


def _pad(rng: Rng) -> bytes:
    widths = np.zeros((4, 2), np.int32)
    widths[1:3] = rng.integers(0, 4, (2, 2))
    shape = np.array([1, 5, 4, 3])
    same = {"scales": [0.02], "zero_points": [int(rng.integers(-128, 128))]}
    out_shape = tuple(int(n) for n in shape + widths.sum(axis=1))
    tensors = [TensorSpec((1, 5, 4, 3), **same), TensorSpec(out_shape, **same), TensorSpec(data=widths)]
    return build(tensors, [OpSpec("PAD", [0, 2], [1], "PadOptions")], [0], [1])


def _slide(
    rng: Rng, dilates: bool
) -> tuple[tuple[int, ...], tuple[int, int, int], tuple[int, int], dict[str, int]]:
    """Input shape, output shape without channels, kernel and options of a layer that slides a window."""
    extents, kernel = (rng.integers(1, 9, 2), rng.integers(1, 5, 2))
    strides = rng.integers(1, 4, 2)
    dilation = rng.integers(1, 3, 2) if dilates and rng.random() < 0.3 else np.array([1, 1])
    same = bool(rng.random() < 0.5)
    reach = (kernel - 1) * dilation + 1
    if not same:
        extents = np.maximum(extents, reach)
    out = -(-extents // strides) if same else (extents - reach) // strides + 1
    fields = {"Padding": int(not same), "StrideH": int(strides[0]), "StrideW": int(strides[1])}
    if dilates:
        fields |= {"DilationHFactor": int(dilation[0]), "DilationWFactor": int(dilation[1])}
    fields["FusedActivationFunction"] = int(rng.choice(_ACTIVATIONS))
    shape = (1, int(extents[0]), int(extents[1]), int(rng.integers(1, 8)))
    return shape, (1, int(out[0]), int(out[1])), (int(kernel[0]), int(kernel[1])), fields


_MAKERS: dict[str, Callable[[Rng], bytes]] = {
    "conv": _conv,
    "depthwise": _depthwise,
    "dense": _dense,
    "average": _pool("AVERAGE_POOL_2D"),
    "maximum": _pool("MAX_POOL_2D"),
    "add": _add,
    "pad": _pad,
}
