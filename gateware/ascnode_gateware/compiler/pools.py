"""Average pools: sums of ones, divided by the number of taps inside the input, which differs at the border."""

from collections.abc import Iterator
from itertools import groupby

import numpy as np

from ascnode_gateware.compiler import fold, shapes
from ascnode_gateware.compiler.pixels import Sliding
from ascnode_gateware.compiler.sweep import Rect, Sweep
from ascnode_gateware.model.layers import Pool


def average(sliding: Sliding, layer: Pool) -> tuple[Sweep, ...]:
    """One sweep for each rectangle of outputs that average equally many pixels."""
    if sliding.upright:
        sliding = sliding.transposed()
    w, source, target = sliding.window, sliding.source, sliding.target
    rows = _runs(w.kernel_h, w.stride_h, w.pad_top, source.height, target.height)
    columns = _runs(w.kernel_w, w.stride_w, w.pad_left, source.width, target.width)
    parts = [
        (tall * wide, Rect(top, left, height, width))
        for top, height, tall in rows
        for left, width, wide in columns
    ]
    return tuple(_part(sliding, layer, count, None if len(parts) == 1 else rect) for count, rect in parts)


def _part(sliding: Sliding, layer: Pool, count: int, region: Rect | None) -> Sweep:
    channels = fold.unweighted(
        sliding.source.channels, fold.division(count, layer.name), layer.low, layer.high
    )
    ones = np.ones((sliding.window.kernel_h, sliding.window.kernel_w, sliding.source.channels), np.int8)
    return shapes.cheapest(shapes.per_channel(sliding, ones, channels, 0, region), layer.name)


def _runs(kernel: int, stride: int, pad: int, extent: int, out: int) -> list[tuple[int, int, int]]:
    """(first output, outputs, taps inside) along one axis, of outputs with equally many."""
    found, start = [], 0
    for taps, group in groupby(_inside(kernel, stride, pad, extent, out)):
        length = len(list(group))
        found.append((start, length, taps))
        start += length
    return found


def _inside(kernel: int, stride: int, pad: int, extent: int, out: int) -> Iterator[int]:
    """Taps inside the input of each output along one axis."""
    for position in range(out):
        first = position * stride - pad
        yield min(first + kernel, extent) - max(first, 0)
