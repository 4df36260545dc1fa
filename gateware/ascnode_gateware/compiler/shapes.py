"""Sweeps of a sliding window: dense over all channels, or each channel for itself."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from ascnode_gateware.compiler import blocks
from ascnode_gateware.compiler.pixels import Image, Sliding
from ascnode_gateware.compiler.sweep import MAX_GROUPS, MAX_INCREMENT, MAX_KERNEL, Rect, Sweep
from ascnode_gateware.compiler.tiles import estimate
from ascnode_gateware.model.layers import Int8, ModelError, Window
from ascnode_gateware.program.job import BANK_WORDS
from ascnode_gateware.program.parameters import Channel
from ascnode_gateware.program.program import LANES

_MAX_OUTPUT_CHANNELS = 511 * LANES  # out_step has 9 bits
_MAX_PERIOD = 8  # words between outputs
_MAX_COVERED = 512  # pixels that coordinates can count


def whole(image: Image) -> Rect:
    """All the pixels."""
    return Rect(0, 0, image.height, image.width)


def cheapest(candidates: Iterable[Sweep], name: str) -> Sweep:
    """The one that takes the fewest cycles; ModelError when none can run."""
    best: tuple[int, Sweep] | None = None
    failure: ModelError | None = None
    for sweep in candidates:
        try:
            _check(sweep, name)
            cycles = estimate(sweep, name)
        except ModelError as error:
            failure = failure or error
            continue
        if best is None or cycles < best[0]:
            best = cycles, sweep
    if best is None:
        raise failure or ModelError(f"{name} cannot run")
    return best[1]


def dense(sliding: Sliding, weights: Int8, channels: tuple[Channel, ...], pad: int) -> list[Sweep]:
    """Ways to run weights int8 [out, ky, kx, in]."""
    if sliding.upright:
        sliding, weights = sliding.transposed(), weights.swapaxes(1, 2)
    ways = _dilations(sliding, weights, 1)
    return [_sweep(slid, blocks.dense(taps), channels, pad, None) for slid, taps in ways]


def per_channel(
    sliding: Sliding, weights: Int8, channels: tuple[Channel, ...], pad: int, region: Rect | None = None
) -> list[Sweep]:
    """Ways to run weights int8 [ky, kx, channel]: over the window of a row, or tap by tap."""
    if region is None and sliding.upright:
        sliding, weights = sliding.transposed(), weights.swapaxes(0, 1)
    ways = _dilations(sliding, weights, 0)
    found = [diagonal(*way, channels, pad, region) for way in ways]
    if sliding.covering and sliding.source.pixels <= _MAX_COVERED:
        ways = [_covering_row(sliding, weights)]
    if sliding.window.stride_w <= _MAX_PERIOD:
        found += [_window(*way, channels, pad, region) for way in ways]
    return found


def diagonal(
    sliding: Sliding, weights: Int8, channels: tuple[Channel, ...], pad: int, region: Rect | None = None
) -> Sweep:
    """Tap by tap; weights int8 [ky, kx, channel]."""
    sweep = _sweep(sliding, blocks.diagonal(weights), channels, pad, region)
    return replace(sweep, group_step=1)


def copy(source: Image, channels: tuple[Channel, ...], target: Image, top: int, left: int, pad: int) -> Sweep:
    """`source` with `top` rows and `left` columns before it, and what `target` has more after it."""
    ones = np.ones((1, 1, source.channels), np.int8)
    return diagonal(Sliding(source, target, Window(1, 1, 1, 1, 1, 1, top, left)), ones, channels, pad)


def _window(
    sliding: Sliding, weights: Int8, channels: tuple[Channel, ...], pad: int, region: Rect | None
) -> Sweep:
    taps, prime = blocks.window(blocks.dilated(weights, 1, sliding.window.dilation_w))
    sweep = _sweep(sliding, taps, channels, pad, region)
    return replace(sweep, group_step=1, window=True, prime=prime, step_x=LANES)


def _sweep(
    sliding: Sliding, taps: Int8, channels: tuple[Channel, ...], pad: int, region: Rect | None
) -> Sweep:
    if sliding.pointwise and region is None:
        sliding = replace(sliding, source=sliding.source.linear(), target=sliding.target.linear())
    w = sliding.window
    return Sweep(
        sliding.source,
        sliding.target,
        region or whole(sliding.target),
        *(w.stride_h, w.stride_w, w.pad_top, w.pad_left, w.dilation_h, w.dilation_w),
        taps,
        channels,
        pad,
    )


def _dilations(sliding: Sliding, weights: Int8, axis: int) -> list[tuple[Sliding, Int8]]:
    """As it is, and with zeros between the taps if coordinates cannot step over so many; ky is at `axis`."""
    w = sliding.window
    if max(w.dilation_h, w.dilation_w) <= MAX_INCREMENT:
        return [(sliding, weights)]
    spread = blocks.dilated(blocks.dilated(weights, axis, w.dilation_h), axis + 1, w.dilation_w)
    height, width = spread.shape[axis : axis + 2]
    plain = replace(w, kernel_h=height, kernel_w=width, dilation_h=1, dilation_w=1)
    return [(sliding, weights), (replace(sliding, window=plain), spread)]


def _covering_row(sliding: Sliding, weights: Int8) -> tuple[Sliding, Int8]:
    """A window over the whole input as one row: four pixels a pass whatever the width."""
    taps = sliding.source.pixels
    row = Sliding(sliding.source.linear(), sliding.target, Window(1, taps, 1, 1))
    return row, weights.reshape(1, taps, -1)


def _check(sweep: Sweep, name: str) -> None:
    """ModelError when the counts do not fit a job's fields or a tensor does not fit a bank."""
    ocg, icg, n_ky, n_kx = sweep.blocks.shape[:4]
    if max(n_ky, n_kx) > MAX_KERNEL:
        raise ModelError(
            f"{name} has a kernel of {n_ky}x{n_kx}; at most {MAX_KERNEL} rows and columns can run"
        )
    if max(ocg, icg) > MAX_GROUPS or sweep.target.channels > _MAX_OUTPUT_CHANNELS:
        raise ModelError(
            f"{name} has {icg * LANES} input and {sweep.target.channels} output channels; "
            f"at most {MAX_GROUPS * LANES} and {_MAX_OUTPUT_CHANNELS} can run"
        )
    for what, image in (("input", sweep.source), ("output", sweep.target)):
        if image.words > BANK_WORDS:
            raise ModelError(
                f"{name} has an {what} of {image.height}x{image.width}x{image.channels}, {image.bytes} bytes in "
                f"memory; a bank holds {BANK_WORDS * LANES}: use a smaller image or fewer channels"
            )
