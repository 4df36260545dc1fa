"""Multipliers and rescaling against TFLite Micro's arithmetic."""

import math

import numpy as np
import pytest

from ascnode_gateware.model.layers import ModelError
from ascnode_gateware.model.quantise import quantise_multiplier, quantise_value, requantise
from models.oracle import multiply_by_quantised_multiplier, vectors


def test_rescaling_is_tflite_micros_over_all_shifts_ties_and_extremes() -> None:
    x, multiplier, shift, expected = vectors().T
    assert len(x) > 100_000
    np.testing.assert_array_equal(requantise(x, multiplier, shift), expected)


@pytest.mark.parametrize(
    ("x", "multiplier", "shift", "expected"),
    [
        (5, 2**30, 0, 3),  # 2.5, first rounding: halves up
        (-5, 2**30, 0, -2),
        (-6, 2**30, -1, -2),  # -3 then -1.5, second rounding: halves away from zero
        (6, 2**30, -1, 2),
        (2**31 - 1, 2**31 - 1, -31, 1),
        (-(2**31), 2**31 - 1, 0, -(2**31) + 1),
        (3, 2**30, 4, 24),
        (123_456, 0, -7, 0),
    ],
)
def test_rescaling_by_hand(x: int, multiplier: int, shift: int, expected: int) -> None:
    found = requantise(np.array([x]), np.array([multiplier]), np.array([shift]))
    assert found.tolist() == [expected]
    assert multiply_by_quantised_multiplier(x, multiplier, shift) == expected


@pytest.mark.parametrize(
    ("real", "multiplier", "shift"),
    [
        (123.45, 2071147315, 7),  # tflite-micro quantization_util_test.cc, IntegerFrExp
        (0.125, 1073741824, -2),  # the same file, QuantizeMultiplierArray, as are the next two
        (4.0, 1073741824, 3),
        (0.0, 0, 0),
        (1 - 2**-40, 1073741824, 1),  # rounds up to 2^31 and is halved
        (2.0**-32, 1073741824, -31),
        (2.0**-33, 0, 0),  # flushed: all its bits would be shifted out
    ],
)
def test_multiplier_of_a_factor(real: float, multiplier: int, shift: int) -> None:
    assert quantise_multiplier(real) == (multiplier, shift)


@pytest.mark.parametrize("real", [-0.5, math.nan, math.inf, 2.0**31])
def test_a_factor_that_no_multiplier_holds_is_refused(real: float) -> None:
    with pytest.raises(ModelError, match="rescaling factor"):
        quantise_multiplier(real)


@pytest.mark.parametrize(
    ("real", "scale", "zero_point", "expected"),
    [(6.0, 0.0235294122248888, -128, 127), (-1.0, 0.4, 3, 0), (1.0, 0.4, 3, 6), (0.0, 0.7, -11, -11)],
)
def test_activation_bounds_round_half_away_from_zero(
    real: float, scale: float, zero_point: int, expected: int
) -> None:
    assert quantise_value(real, scale, zero_point) == expected
