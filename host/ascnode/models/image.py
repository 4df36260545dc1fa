"""Compiles a model to the compact image that a node's CPU runs; layout in ascnode_fw.accel.layout."""

import struct
from binascii import crc32
from dataclasses import dataclass
from itertools import pairwise
from math import prod

import numpy as np

from ascnode_fw.accel import layout
from ascnode_gateware.model.layers import (
    Convolution,
    Depthwise,
    FullyConnected,
    Int8,
    Int32,
    Layer,
    Model,
    ModelError,
    Pool,
    Rescale,
    Reshape,
    Window,
)

_POINT = Window(1, 1, 1, 1)
_BIAS = 128  # images and arenas hold int8 + 128


@dataclass
class _Part:
    """One layer on its way into the image."""

    words: list[int]
    table: bytes = b""
    weights: bytes = b""

    def place(self, word: int, size: int, at: int) -> int:
        """Notes where `size` bytes go; a layer without them keeps 0 there. Returns where they end."""
        self.words[word] = at if size else 0
        return at + size


def compile_image(model: Model) -> bytes:
    """The node image of `model`; ModelError names the first layer that a node's CPU does not run (ADD, PAD).

    Its MACs are those the CPU executes: the model's own, save where a depthwise layer with a depth multiplier on
    more than one channel had to become a convolution.
    """
    parts = [_lower(layer) for layer in model.layers if not isinstance(layer, Reshape)]
    if not parts or any(a.output.id != b.input.id for a, b in pairwise(model.layers)):
        raise ModelError("the model is not a chain of layers, each fed by the one before it")
    at = layout.HEADER_BYTES + len(parts) * layout.WORDS * 4
    for part in parts:
        at = part.place(layout.TABLE, len(part.table), at)
    for part in parts:
        at = part.place(layout.WEIGHTS, len(part.weights), at)
    macs = sum(part.words[layout.MACS] for part in parts)
    if max(macs, at) >= layout.MAX_WORD:
        raise ModelError(f"the model, {macs} MACs and {at} bytes, is too large for a node's CPU")
    header = (layout.MAGIC, layout.VERSION, len(parts), at + 4, model.model_id, macs)
    body = struct.pack(layout.HEADER, *header)
    body += b"".join(struct.pack(f"<{layout.WORDS}I", *part.words) for part in parts)
    body += b"".join(part.table for part in parts) + b"".join(part.weights for part in parts)
    return body + struct.pack("<I", crc32(body))


def _lower(layer: Layer) -> _Part:
    match layer:
        case Convolution():
            return _convolution(layer, layer.window, layer.weights)
        case Depthwise() if layer.depth_multiplier == 1:
            return _depthwise(layer)
        case Depthwise():
            return _convolution(layer, layer.window, _as_convolution(layer))
        case FullyConnected():
            return _fully_connected(layer)
        case Pool():
            kind = layout.AVERAGE if layer.op == "AVERAGE_POOL_2D" else layout.MAXIMUM
            return _Part(_words(layer, kind, layer.window, _maps(layer), (layer.low, layer.high), 0))
    raise ModelError(f"{layer.name} cannot run on a node's CPU")


def _convolution(layer: Convolution | Depthwise, window: Window, weights: Int8) -> _Part:
    return _weighted(layer, layout.CONVOLUTION, window, _maps(layer), weights)


def _depthwise(layer: Depthwise) -> _Part:
    return _weighted(layer, layout.DEPTHWISE, layer.window, _maps(layer), layer.weights)


def _fully_connected(layer: FullyConnected) -> _Part:
    channels, depth = layer.weights.shape
    rows = layer.input.size // depth
    return _weighted(layer, layout.CONVOLUTION, _POINT, (1, rows, depth, 1, rows, channels), layer.weights)


def _as_convolution(layer: Depthwise) -> Int8:
    """The same sums as weights [out, kernel_h, kernel_w, in], zero where output and input channel do not meet."""
    depth, channels = layer.input.shape[3], layer.output.shape[3]
    weights = np.zeros((channels, *layer.weights.shape[:2], depth), np.int8)
    out = np.arange(channels)
    weights[out, :, :, out // layer.depth_multiplier] = layer.weights.transpose(2, 0, 1)
    return weights


def _weighted(
    layer: Convolution | Depthwise | FullyConnected,
    kind: int,
    window: Window,
    maps: tuple[int, ...],
    weights: Int8,
) -> _Part:
    depthwise = kind == layout.DEPTHWISE
    taps = prod(weights.shape[:2] if depthwise else weights.shape[1:])
    if taps > layout.MAX_TAPS:
        raise ModelError(f"{layer.name} sums {taps} products; a node's CPU takes at most {layout.MAX_TAPS}")
    rescale = layer.rescale
    words = _words(layer, kind, window, maps, (rescale.low, rescale.high), prod(maps[3:]) * taps)
    zero_in = 0 if depthwise else layer.input.zero_point + _BIAS
    sums = 0 if depthwise else weights.reshape(len(weights), -1).sum(axis=1, dtype=np.int64)
    folded = layer.bias.astype(np.int64) - zero_in * sums - layout.SUM_OFFSET
    return _Part(words, _table(folded.astype(np.int32), rescale), _unsigned(weights))


def _maps(layer: Layer) -> tuple[int, ...]:
    """Height, width and channels of input and output."""
    return (*layer.input.shape[1:], *layer.output.shape[1:])


def _words(
    layer: Layer, kind: int, window: Window, maps: tuple[int, ...], clamp: tuple[int, int], macs: int
) -> list[int]:
    """The layer's words in layout's order, offsets still 0."""
    if max(layer.input.size, layer.output.size) > layout.MAX_TENSOR:
        raise ModelError(
            f"{layer.name} has more than {layout.MAX_TENSOR} activations, too many for a node's CPU"
        )
    w = window
    geometry = (
        w.kernel_h,
        w.kernel_w,
        w.stride_h,
        w.stride_w,
        w.dilation_h,
        w.dilation_w,
        w.pad_top,
        w.pad_left,
    )
    values = (layer.input.zero_point, layer.output.zero_point, *clamp)
    return [kind, *maps, *geometry, *(value + _BIAS for value in values), 0, 0, macs]


def _table(bias: Int32, rescale: Rescale) -> bytes:
    """uint16 [channels, RESCALE_WORDS]: bias 16 + 16 bits, multiplier 11 + 10 + 10 bits, shift + 31."""
    bits = bias.view(np.uint32)
    multiplier = rescale.multiplier
    columns = (bits >> 16, bits & 0xFFFF, multiplier >> 20, multiplier >> 10 & 1023, multiplier & 1023)
    return np.stack([*columns, rescale.shift + 31], axis=1).astype("<u2").tobytes()


def _unsigned(weights: Int8) -> bytes:
    return (weights.view(np.uint8) ^ 0x80).tobytes()
