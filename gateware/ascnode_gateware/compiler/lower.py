"""From a step of the plan to sweeps: what each operator is to the array."""

from dataclasses import dataclass, replace

import numpy as np

from ascnode_gateware.compiler import fold, shapes
from ascnode_gateware.compiler.pixels import Image, Sliding, image_of
from ascnode_gateware.compiler.plan import Step, View, pixels_of
from ascnode_gateware.compiler.pools import average
from ascnode_gateware.compiler.repack import Repacked, repacked
from ascnode_gateware.compiler.sweep import MAX_GROUPS, MAX_KERNEL, Sweep
from ascnode_gateware.compiler.target import Options
from ascnode_gateware.model.layers import (
    Add,
    Convolution,
    Depthwise,
    FullyConnected,
    Int8,
    ModelError,
    Pad,
    Pool,
    Window,
)
from ascnode_gateware.model.quantise import INT8_MAX, INT8_MIN
from ascnode_gateware.program.parameters import Channel
from ascnode_gateware.program.program import LANES

MAX_POINTS = INT8_MIN, INT8_MAX


@dataclass(frozen=True)
class Lowered:
    """A step's sweeps, which run one after another, and how the model's input lies if they want it repacked.

    `copy`, if there is one, runs before them and brings an addition's second operand to the sum's place.
    """

    sweeps: tuple[Sweep, ...]
    repacked: Repacked | None = None
    copy: Sweep | None = None


def lower(step: Step, options: Options, owns_input: bool) -> Lowered:
    """`owns_input`: the step alone reads the model's input, which may then lie as suits it best."""
    lowered = _lower(step, options, owns_input)
    return replace(lowered, copy=_copy(step, step.skip)) if step.skip and step.copies else lowered


def _lower(step: Step, options: Options, owns_input: bool) -> Lowered:
    layer = step.layer
    match layer:
        case Convolution():
            return _dense(step, layer, layer.weights, options, owns_input)
        case Depthwise():
            return _depthwise(step, layer, options, owns_input)
        case FullyConnected():
            return Lowered((_fully_connected(step, layer, options),))
        case Pool():
            return Lowered(_pool(step, layer))
        case Pad():
            return Lowered((_pad(step, layer),))
        case Add():
            return Lowered((_copy(step, step.source),))
    raise ModelError(f"{layer.name} cannot run")


def _dense(
    step: Step, layer: Convolution | Depthwise, weights: Int8, options: Options, owns_input: bool
) -> Lowered:
    """Of weights int8 [out, ky, kx, in]; repacks the input where that saves cycles."""
    sliding, pad = _sliding(step, layer.window), layer.input.zero_point
    channels = _channels(layer, weights.reshape(len(weights), -1), options)
    ways: dict[Sweep, Repacked | None] = dict.fromkeys(shapes.dense(sliding, weights, channels, pad))
    if owns_input and options.repack:
        lies, row, taps = repacked(sliding, weights, pad)
        ways |= dict.fromkeys(shapes.dense(row, taps, channels, pad), lies)
    best = shapes.cheapest(ways, layer.name)
    return Lowered((best,), ways[best])


def _depthwise(step: Step, layer: Depthwise, options: Options, owns_input: bool) -> Lowered:
    inputs, taps = layer.input.shape[-1], layer.weights
    if inputs == 1 or layer.depth_multiplier > 1:
        return _dense(step, layer, _spread(taps, inputs, layer.depth_multiplier), options, owns_input)
    channels = _channels(layer, taps.reshape(-1, taps.shape[2]).T, options)
    ways = shapes.per_channel(_sliding(step, layer.window), taps, channels, layer.input.zero_point)
    return Lowered((shapes.cheapest(ways, layer.name),))


def _spread(weights: Int8, inputs: int, multiplier: int) -> Int8:
    """Depthwise weights int8 [ky, kx, out] as dense ones [out, ky, kx, in], zero but for a channel's own input."""
    height, width, out = weights.shape
    spread = np.zeros((out, height, width, inputs), np.int8)
    own = np.arange(out)
    spread[own, :, :, own // multiplier] = weights.transpose(2, 0, 1)
    return spread


def _fully_connected(step: Step, layer: FullyConnected, options: Options) -> Sweep:
    channels = _channels(layer, layer.weights, options)
    sliding, weights = _rows(step.source, layer)
    return shapes.cheapest(shapes.dense(sliding, weights, channels, layer.input.zero_point), layer.name)


def _rows(source: View, layer: FullyConnected) -> tuple[Sliding, Int8]:
    """The layer as a convolution: each row of its input is some pixels, or all of them, in the order they lie."""
    depth, out = layer.weights.shape[1], layer.weights.shape[0]
    image, rows = source.image, layer.input.size // depth
    taps = depth // image.channels
    if rows == 1:
        return _whole_input(image, layer.weights)
    target = Image(1, rows, out)
    if depth % image.channels:
        pixels = pixels_of(source, Image(1, rows, depth))
        return Sliding(pixels, target, Window(1, 1, 1, 1)), layer.weights.reshape(out, 1, 1, depth)
    weights = layer.weights.reshape(out, 1, taps, image.channels)
    return Sliding(image.linear(), target, Window(1, taps, 1, taps)), weights


def _whole_input(image: Image, weights: Int8) -> tuple[Sliding, Int8]:
    """One row: a kernel over the whole image, whose words may be called rows, columns or groups as suits."""
    out = len(weights)
    lanes = np.zeros((out, image.pixels, image.groups * LANES), np.int8)
    lanes[:, :, : image.channels] = weights.reshape(out, image.pixels, image.channels)
    columns, groups = _factors(image.words)
    row = Image(1, columns, groups * LANES)
    kernel = lanes.reshape(out, 1, columns, groups * LANES)
    return Sliding(row, Image(1, 1, out), Window(1, columns, 1, 1)), kernel


def _factors(words: int) -> tuple[int, int]:
    """(columns, groups) that a job can count, with columns * groups == words if there are any."""
    for columns in range(1, MAX_KERNEL + 1):
        if words % columns == 0 and words // columns <= MAX_GROUPS:
            return columns, words // columns
    return 1, words


def _pool(step: Step, layer: Pool) -> tuple[Sweep, ...]:
    sliding = _sliding(step, layer.window)
    if layer.op == "AVERAGE_POOL_2D":
        return average(sliding, layer)
    channels = fold.unweighted(sliding.source.channels, fold.IDENTITY, layer.low, layer.high)
    ones = np.ones((layer.window.kernel_h, layer.window.kernel_w, sliding.source.channels), np.int8)
    if sliding.upright:
        sliding, ones = sliding.transposed(), ones.swapaxes(0, 1)
    sweep = shapes.diagonal(sliding, ones, channels, INT8_MIN)
    return (shapes.cheapest([replace(sweep, maximum=True)], layer.name),)


def _pad(step: Step, layer: Pad) -> Sweep:
    """Padding of rows and columns is read where nothing lies; new channels have outputs known in advance."""
    source = pixels_of(step.source, image_of(layer.input.shape))
    point, widths = layer.output.zero_point, ((0, 0), (0, 0), (0, 0), *layer.widths)[-3:]
    if any(width != (0, 0) for width in layer.widths[:-3]) or any(n != 1 for n in layer.input.shape[:-3]):
        raise ModelError(
            f"{layer.name} pads {layer.input.shape} by {layer.widths}; only the last three can grow"
        )
    (top, _), (left, _), (before, _) = widths
    target = image_of(layer.output.shape)
    if widths[2] == (0, 0):
        channels = fold.unweighted(source.channels, fold.IDENTITY, *MAX_POINTS)
        return shapes.cheapest([shapes.copy(source, channels, target, top, left, point)], layer.name)
    moved = np.eye(target.channels, source.channels, -before, np.int8).reshape(target.channels, 1, 1, -1)
    known = [Channel(0, *fold.IDENTITY, 0, point, point)] * target.channels
    known[before : before + source.channels] = [Channel(0, *fold.IDENTITY, 0, *MAX_POINTS)] * source.channels
    window = Window(1, 1, 1, 1, 1, 1, top, left)
    ways = shapes.dense(Sliding(source, target, window), moved, fold.whole_groups(known), point)
    return shapes.cheapest(ways, layer.name)


def _copy(step: Step, operand: View) -> Sweep:
    """An addition's operand as it is."""
    image = pixels_of(operand, step.out.image)
    channels = fold.unweighted(image.channels, fold.IDENTITY, *MAX_POINTS)
    return shapes.cheapest([shapes.copy(image, channels, image, 0, 0, 0)], step.name)


def _sliding(step: Step, window: Window) -> Sliding:
    """The window over the step's source, a folded padding included."""
    tensor = step.layer.input
    if step.pad is not None:
        top, left = (step.pad.widths[axis][0] for axis in (1, 2))
        window = replace(window, pad_top=window.pad_top + top, pad_left=window.pad_left + left)
        tensor = step.pad.input
    source = pixels_of(step.source, image_of(tensor.shape))
    return Sliding(source, image_of(step.layer.output.shape), window)


def _channels(
    layer: Convolution | Depthwise | FullyConnected, taps: Int8, options: Options
) -> tuple[Channel, ...]:
    points = layer.input.zero_point, layer.output.zero_point
    return fold.weighted(taps, layer.bias, layer.rescale, points, options.fold_constants)
