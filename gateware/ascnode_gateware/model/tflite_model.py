"""Reads a fully int8 .tflite file into `Model`: layers with the very integers that TFLite Micro computes with."""

import binascii
from pathlib import Path
from typing import Any

import tflite

from ascnode_gateware.model.layers import (
    Add,
    Convolution,
    Depthwise,
    FullyConnected,
    Layer,
    Model,
    ModelError,
    Pad,
    Pool,
    Reshape,
    Tensor,
)
from ascnode_gateware.model.quantise import quantise_multiplier
from ascnode_gateware.model.tflite_graph import Graph, guarded
from ascnode_gateware.model.tflite_operator import Operator

_ADD_LEFT_SHIFT = 20  # tflite-micro add_common.cc, int8


def load_model(path: Path, *, drop_final_softmax: bool = False) -> Model:
    """`read_model` of a file; ModelError names the file, OSError passes through."""
    try:
        return read_model(path.read_bytes(), drop_final_softmax=drop_final_softmax)
    except ModelError as error:
        raise ModelError(f"{path.name}: {error}") from error


def read_model(data: bytes, *, drop_final_softmax: bool = False) -> Model:
    """The model in `data`; ModelError for a corrupt file and for anything that cannot run.

    A softmax at the very end changes no ranking: with `drop_final_softmax` the model ends at its input, the logits.
    """
    with guarded():
        return _read(Graph(data), binascii.crc32(data) & 0x3FFFFFFF, drop_final_softmax)


def _read(graph: Graph, model_id: int, drop_final_softmax: bool) -> Model:
    input_id, output_id = graph.ends()
    source = graph.activation(input_id)
    known = {input_id: source}
    layers: list[Layer] = []
    for index, op, table in graph.operators():
        if drop_final_softmax and op == "SOFTMAX" and table.Outputs(0) == output_id:
            output_id = table.Inputs(0)
            break
        layers.append(_read_layer(graph, index, op, table, known))
        known[layers[-1].output.id] = layers[-1].output
    if not layers or layers[-1].output.id != output_id:
        raise ModelError("the model's output is not what its last layer computes")
    return Model(model_id, source, layers[-1].output, tuple(layers))


def _read_layer(graph: Graph, index: int, op: str, table: Any, known: dict[int, Tensor]) -> Layer:
    reader = _READERS.get(op)
    if reader is None:
        raise ModelError(
            f"layer {index} ({op}) cannot run; the supported operators are {', '.join(_READERS)}"
        )
    return reader(Operator(graph, index, op, table, known))


def _convolution(op: Operator) -> Layer:
    options = op.options(tflite.Conv2DOptions)
    weights = op.weights(4)
    window = op.window(options, weights.shape[1:3], (options.DilationHFactor(), options.DilationWFactor()))
    channels, depth = weights.shape[0], weights.shape[3]
    op.require(op.input.shape[3] == depth, f"has {op.input.shape[3]} input channels and weights for {depth}")
    op.require(
        op.output.shape[3] == channels, f"has {op.output.shape[3]} output channels and weights for {channels}"
    )
    rescale = op.rescale(channels, 0, options.FusedActivationFunction())
    return Convolution(op.index, op.op, op.input, op.output, window, weights, op.bias(channels), rescale)


def _depthwise(op: Operator) -> Layer:
    options = op.options(tflite.DepthwiseConv2DOptions)
    weights = op.weights(4)
    op.require(weights.shape[0] == 1, f"has weights of shape {weights.shape}")
    window = op.window(options, weights.shape[1:3], (options.DilationHFactor(), options.DilationWFactor()))
    channels, depth = weights.shape[3], op.input.shape[3]
    op.require(
        op.output.shape[3] == channels, f"has {op.output.shape[3]} output channels and weights for {channels}"
    )
    op.require(channels % depth == 0, f"maps {depth} channels to {channels}, which is no multiple")
    rescale = op.rescale(channels, 3, options.FusedActivationFunction())
    bias = op.bias(channels)
    return Depthwise(
        op.index, op.op, op.input, op.output, window, channels // depth, weights[0], bias, rescale
    )


def _fully_connected(op: Operator) -> Layer:
    options = op.options(tflite.FullyConnectedOptions)
    op.require(options.WeightsFormat() == 0, "has shuffled weights, which cannot run")
    weights = op.weights(2)
    channels, depth = weights.shape
    rows = op.input.size // depth
    fits = (
        rows * depth == op.input.size
        and rows * channels == op.output.size
        and op.output.shape[-1] == channels
    )
    op.require(fits, f"maps {op.input.shape} to {op.output.shape} with weights of shape {weights.shape}")
    rescale = op.rescale(channels, 0, options.FusedActivationFunction())
    return FullyConnected(op.index, op.op, op.input, op.output, weights, op.bias(channels), rescale)


def _pool(op: Operator) -> Layer:
    options = op.options(tflite.Pool2DOptions)
    window = op.window(options, (options.FilterHeight(), options.FilterWidth()))
    op.require(op.input.shape[3] == op.output.shape[3], "changes the number of channels")
    op.require(_same_quantisation(op), "changes scale or zero point, which it must not")
    return Pool(op.index, op.op, op.input, op.output, window, *op.clamp(options.FusedActivationFunction()))


def _reshape(op: Operator) -> Layer:
    op.require(op.input.size == op.output.size, f"maps {op.input.shape} to {op.output.shape}")
    op.require(_same_quantisation(op), "changes scale or zero point, which it must not")
    return Reshape(op.index, op.op, op.input, op.output)


def _add(op: Operator) -> Layer:
    options = op.options(tflite.AddOptions)
    other = op.computed(1)
    op.require(op.input.shape == other.shape == op.output.shape, "broadcasts, which cannot run")
    twice_larger = 2 * max(op.input.scale, other.scale)
    factors = (
        op.input.scale / twice_larger,
        other.scale / twice_larger,
        twice_larger / ((1 << _ADD_LEFT_SHIFT) * op.output.scale),
    )
    op.require(max(factors) < 1, "has an output scale too small for its inputs")
    (first, second, total) = (quantise_multiplier(factor) for factor in factors)
    multipliers, shifts = (first[0], second[0], total[0]), (first[1], second[1], total[1])
    clamp = op.clamp(options.FusedActivationFunction())
    return Add(op.index, op.op, op.input, op.output, other, multipliers, shifts, *clamp)


def _pad(op: Operator) -> Layer:
    widths = op.numbers(1)
    dimensions = len(op.input.shape)
    op.require(
        widths.shape == (dimensions, 2) and int(widths.min()) >= 0, f"has the widths {widths.tolist()}"
    )
    pairs = tuple((int(before), int(after)) for before, after in widths)
    padded = tuple(n + before + after for n, (before, after) in zip(op.input.shape, pairs, strict=True))
    op.require(padded == op.output.shape, f"has an output of shape {op.output.shape}, not {padded}")
    return Pad(op.index, op.op, op.input, op.output, pairs)


def _same_quantisation(op: Operator) -> bool:
    return (op.input.scale, op.input.zero_point) == (op.output.scale, op.output.zero_point)


_READERS = {
    "ADD": _add,
    "AVERAGE_POOL_2D": _pool,
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _fully_connected,
    "MAX_POOL_2D": _pool,
    "PAD": _pad,
    "RESHAPE": _reshape,
}
