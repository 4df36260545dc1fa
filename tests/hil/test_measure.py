"""Measured values against their limits."""

import math

import pytest

from ascnode_hil.measure import measurement


@pytest.mark.parametrize(
    ("value", "outcome"),
    [(19.999, "fail"), (20, "marginal"), (24.999, "marginal"), (25, "pass"), (99, "pass")],
)
def test_a_lower_limit_and_its_marginal_side(value: float, outcome: str) -> None:
    assert measurement("soc_min", value, "%", low=20, marginal=25).outcome == outcome


@pytest.mark.parametrize(
    ("value", "outcome"), [(95.1, "fail"), (95, "marginal"), (92.1, "marginal"), (92, "pass")]
)
def test_an_upper_limit_and_its_marginal_side(value: float, outcome: str) -> None:
    assert measurement("peak", value, "C", high=95, marginal=92).outcome == outcome


@pytest.mark.parametrize(
    ("value", "outcome"), [(0.9, "fail"), (1.5, "marginal"), (3, "pass"), (4.5, "marginal"), (5.1, "fail")]
)
def test_two_limits_take_two_marginal_ones(value: float, outcome: str) -> None:
    assert measurement("gap", value, "s", 1, 5, (2, 4)).outcome == outcome


def test_a_value_without_limits_passes_and_not_a_number_never_does() -> None:
    assert measurement("latency", 1e9, "s").outcome == "pass"
    assert measurement("latency", math.nan, "s").outcome == "fail"
    assert measurement("latency", math.nan, "s", low=0).outcome == "fail"


def test_it_reads_with_its_unit_and_limits() -> None:
    assert str(measurement("soc_min", 12.3456789, "%", low=20, high=100)) == (
        "soc_min = 12.3457 % (at least 20 and at most 100)"
    )


@pytest.mark.parametrize(
    "limits",
    [
        {"low": 5, "high": 4},
        {"low": 20, "marginal": 19},
        {"high": 20, "marginal": 21},
        {"low": 1, "high": 9, "marginal": 5},
        {"marginal": 5},
        {"low": 1, "high": 9, "marginal": (6, 5)},
    ],
)
def test_limits_that_contradict_each_other_are_refused(limits: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"limit"):
        measurement("x", 3, "s", **limits)  # type: ignore[arg-type]
