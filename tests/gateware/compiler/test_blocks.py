"""Weights and parameters in words, by hand from docs/accelerator.md; bytes are asymmetric on purpose."""

import numpy as np

from ascnode_gateware.compiler import blocks
from ascnode_gateware.program.parameters import Channel

FIRST = Channel(0x0123_4567, 1 << 30, -5, 3, -128, 127)
OTHER = Channel(-2, 3, 2, -1, -7, 9)


def words(taps: np.ndarray) -> list[int]:
    channels = (FIRST, OTHER, FIRST, OTHER) * taps.shape[0]
    packed = blocks.pack(taps, channels).reshape(taps.shape[0], -1)
    return packed[:, 12:].reshape(-1).tolist()


def test_parameters_lead_an_output_group() -> None:
    packed = blocks.pack(np.zeros((1, 1, 1, 1, 4, 4), np.int8), (FIRST, OTHER, FIRST, OTHER)).tolist()
    # 2^30 is digit 15 = 1; 3 is -1 + 4: digits 3 and 1. Shift right 5; shift left 2 has bit 5 set.
    assert packed[:6] == [0x0123_4567, 0x4000_0000, 0x7F80_0305, 0xFFFF_FFFE, 0b0111, 0x09F9_FF22]
    assert packed[6:12] == packed[:6]


def test_dense_rows_are_output_channels_and_lanes_input_channels() -> None:
    weights = np.zeros((5, 1, 2, 6), np.int8)
    weights[1, 0, 0] = [0x11, 0x12, 0x13, 0x14, 0x15, 0x16]
    weights[4, 0, 1] = [0x41, 0x42, 0x43, 0x44, 0x45, -1]
    packed = np.array(words(blocks.dense(weights))).reshape(2, 4, 4)  # group, pass (icg outer, kx inner), row
    assert packed[0, 0].tolist() == [0, 0x1413_1211, 0, 0]
    assert packed[0, 2].tolist() == [0, 0x1615, 0, 0]
    assert packed[1, 1].tolist() == [0x4443_4241, 0, 0, 0]
    assert packed[1, 3].tolist() == [0xFF45, 0, 0, 0]
    assert np.count_nonzero(packed) == 4


def test_a_window_of_3_ends_in_the_newest_lane() -> None:
    taps, prime = blocks.window(np.array([[[1, 11], [2, 12], [3, 13]]], np.int8))
    assert prime == 2
    assert words(taps) == [0x0302_0100, 0x0D0C_0B00, 0, 0]


def test_a_window_of_5_takes_four_taps_and_one() -> None:
    taps, prime = blocks.window(np.arange(1, 6, dtype=np.int8).reshape(1, 5, 1))
    assert prime == 3
    assert words(taps) == [0x0403_0201, 0, 0, 0, 0x05, 0, 0, 0]


def test_a_diagonal_gives_each_row_its_own_lane() -> None:
    taps = blocks.diagonal(np.array([[[1, 2, 3, 4, 5]]], np.int8))
    assert words(taps) == [0x01, 0x0200, 0x03_0000, 0x0400_0000, 0x05, 0, 0, 0]


def test_dilation_spreads_taps_with_zeros() -> None:
    spread = blocks.dilated(np.array([[7, 8, 9]], np.int8), 1, 3)
    assert spread.tolist() == [[7, 0, 0, 8, 0, 0, 9]]
