"""Weights as the array holds them: int8 [output group, input group, ky, kx, row, lane], zeros where nothing is."""

import numpy as np
import numpy.typing as npt

from ascnode_gateware.model.layers import Int8
from ascnode_gateware.program.job import BLOCK_WORDS
from ascnode_gateware.program.parameters import Channel
from ascnode_gateware.program.program import LANES, Words

PARAMETERS_A_CHANNEL = 3


def dense(weights: Int8) -> Int8:
    """Of weights int8 [out, ky, kx, in]: row r is output channel 4g+r, lane l input channel 4g+l."""
    padded = _filled(_filled(weights, 0), 3)
    out, n_ky, n_kx, inputs = padded.shape
    split = padded.reshape(out // LANES, LANES, n_ky, n_kx, inputs // LANES, LANES)
    return np.ascontiguousarray(split.transpose(0, 4, 2, 3, 1, 5))


def diagonal(weights: Int8) -> Int8:
    """Of weights int8 [ky, kx, channel]: each channel for itself, one tap a pass."""
    padded = _filled(weights, 2)
    split = padded.reshape(*padded.shape[:2], -1, LANES).transpose(2, 0, 1, 3)
    return (split[..., np.newaxis] * np.eye(LANES, dtype=np.int8))[:, np.newaxis]


def window(weights: Int8) -> tuple[Int8, int]:
    """Of weights int8 [ky, kx, channel]: four taps of a row a pass; and the words before the first output.

    The newest pixel is in lane 3: a kernel narrower than 4 ends there, a wider one takes its taps by fours.
    """
    padded = _filled(weights, 2)
    height, width, channels = padded.shape
    if width <= LANES:
        prime, before = width - 1, LANES - width
    else:
        prime, before = LANES - 1, 0
    taps = _filled(np.pad(padded, ((0, 0), (before, 0), (0, 0))), 1)
    split = taps.reshape(height, -1, LANES, channels // LANES, LANES)
    return np.ascontiguousarray(split.transpose(3, 0, 1, 4, 2))[:, np.newaxis], prime


def dilated(weights: Int8, axis: int, dilation: int) -> Int8:
    """With `dilation` - 1 zeros between the taps along an axis."""
    taps = weights.shape[axis]
    shape = list(weights.shape)
    shape[axis] = (taps - 1) * dilation + 1
    spread = np.zeros(shape, np.int8)
    spread[(slice(None),) * axis + (slice(None, None, dilation),)] = weights
    return spread


def pack(blocks: Int8, channels: tuple[Channel, ...]) -> Words:
    """What a job reads: for each output group 12 words of parameters, then 4 words a pass."""
    groups = blocks.shape[0]
    weights = np.ascontiguousarray(blocks).reshape(groups, -1).view("<u4").astype(np.uint32)
    parameters = np.array([channel.pack() for channel in channels], np.uint32)
    words = np.concatenate([parameters.reshape(groups, LANES * PARAMETERS_A_CHANNEL), weights], axis=1)
    assert weights.shape[1] % BLOCK_WORDS == 0
    return words.reshape(-1)


def _filled(weights: Int8, axis: int) -> npt.NDArray[np.int8]:
    """With zeros up to a multiple of 4 along an axis."""
    widths = [(0, 0)] * weights.ndim
    widths[axis] = (0, -weights.shape[axis] % LANES)
    return np.pad(weights, widths)
