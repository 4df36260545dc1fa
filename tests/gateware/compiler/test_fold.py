"""Biases, known channels and divisions against exact arithmetic."""

from fractions import Fraction

import numpy as np
import pytest

from ascnode_gateware.compiler import fold
from ascnode_gateware.model.layers import ModelError, Rescale
from models.oracle import multiply_by_quantised_multiplier


def rescale(multiplier: int, shift: int, low: int = -128, high: int = 127) -> Rescale:
    return Rescale(np.array([multiplier], np.int32), np.array([shift], np.int32), low, high)


def folded(weights: list[int], bias: int, scaled: Rescale, points: tuple[int, int]) -> fold.Channel:
    taps, offsets = np.array([weights], np.int8), np.array([bias], np.int32)
    return fold.weighted(taps, offsets, scaled, points, True)[0]


def tflite_micros_average(total: int, count: int) -> int:
    """reference_integer_ops AveragePool: half the count away from zero, then C's division."""
    rounded = total + count // 2 if total > 0 else total - count // 2
    quotient = abs(rounded) // count
    return quotient if rounded > 0 else -quotient


def test_the_inputs_zero_point_goes_into_the_bias() -> None:
    channel = folded([3, -5, 100], 1000, rescale(1 << 30, -9), (-7, 4))
    assert channel.bias == 1000 + 7 * (3 - 5 + 100)
    assert (channel.multiplier, channel.shift, channel.zero_point) == (1 << 30, -9, 4)
    assert (channel.low, channel.high) == (-128, 127)


def test_a_folded_bias_wraps_as_the_accumulator_does() -> None:
    channel = folded([127] * 100, 2**31 - 1, rescale(1 << 30, -20), (-128, 0))
    assert channel.bias == 2**31 - 1 + 128 * 12700 - 2**32


def test_a_channel_is_known_exactly_when_both_ends_of_its_sum_give_one_output() -> None:
    """Weight 1, zero point 0, halved 7 times: -128..127 + bias; from bias 10 * 128 on the output changes at a tie."""
    for bias in range(1100, 1500):
        ends = {multiply_by_quantised_multiplier(bias + x, 1 << 30, -6) for x in (-128, 127)}
        channel = folded([1], bias, rescale(1 << 30, -6), (0, 0))
        known = channel.low == channel.high
        assert known == (len(ends) == 1)
        if known:
            assert {channel.low} == ends


def test_a_dead_channel_is_known_and_a_wrapping_one_is_not() -> None:
    dead = folded([5, -9], -(2**30), rescale(1 << 30, -8), (3, -20))
    assert (dead.low, dead.high) == (-128, -128)
    wrapping = folded([5, -9], 2**31 - 1, rescale(1 << 30, -8), (3, -20))
    assert (wrapping.low, wrapping.high) == (-128, 127)
    shifted = folded([5, -9], 2**30, rescale(1 << 30, 1), (3, -20))
    assert (shifted.low, shifted.high) == (-128, 127)


def test_an_identity_rescaling_changes_no_byte() -> None:
    values = [multiply_by_quantised_multiplier(x, *fold.IDENTITY) for x in range(-128, 128)]
    assert values == list(range(-128, 128))


@pytest.mark.parametrize("count", [1, 2, 3, 4, 9, 15, 25, 36, 49, 64, 125, 256, 1000, 2500])
def test_a_division_is_tflite_micros(count: int) -> None:
    multiplier, shift = fold.division(count, "layer")
    assert 0 <= multiplier < 2**31
    sums = range(-128 * count, 127 * count + 1, max(1, count // 50))
    ties = [n * count // 2 + d for n in range(-255, 255, 2) for d in (-1, 0, 1)]
    for total in (*sums, *ties):
        if -128 * count <= total <= 127 * count:
            found = multiply_by_quantised_multiplier(total, multiplier, shift)
            assert found == tflite_micros_average(total, count)
    assert Fraction(multiplier * 2**shift, 2**31) > Fraction(1, count) or count == 1


def test_a_division_that_no_multiplier_does_is_refused() -> None:
    with pytest.raises(ModelError, match="layer 3 averages 65536 values"):
        fold.division(65536, "layer 3")
