"""A first layer of few channels: the loader lays the taps of a row side by side, so that whole words are used."""

from dataclasses import dataclass, replace

from ascnode_gateware.compiler import blocks
from ascnode_gateware.compiler.pixels import Image, Sliding
from ascnode_gateware.model.layers import Int8


@dataclass(frozen=True)
class Repacked:
    """The model's input in memory: fields of InputLayout of the same names."""

    rows: int
    row_bytes: int
    columns: int
    groups: int
    step: int
    start: int
    pad: int


def plain(image: Image) -> Repacked:
    """Pixel by pixel."""
    channels = image.channels
    return Repacked(image.height, image.width * channels, image.width, image.groups, channels, 0, 0)


def repacked(sliding: Sliding, weights: Int8, pad: int) -> tuple[Repacked, Sliding, Int8]:
    """The input with a pixel for each output column; what slides over it then, one column wide; its weights.

    `weights` are int8 [out, ky, kx, in]. Padding at the sides lies in memory, that above and below does not.
    """
    if sliding.upright:
        sliding, weights = sliding.transposed(), weights.swapaxes(1, 2)
    source, window, columns = sliding.source, sliding.window, sliding.target.width
    taps = blocks.dilated(weights, 2, window.dilation_w).reshape(*weights.shape[:2], 1, -1)
    image = Image(source.height, columns, taps.shape[3])
    step, start = window.stride_w * source.channels, -window.pad_left * source.channels
    lies = Repacked(source.height, source.width * source.channels, columns, image.groups, step, start, pad)
    narrow = replace(window, kernel_w=1, stride_w=1, dilation_w=1, pad_left=0)
    return lies, Sliding(image, sliding.target, narrow), taps
