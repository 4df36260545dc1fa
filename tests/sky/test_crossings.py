"""Spans in which functions of time are positive, against closed forms."""

import math

import numpy as np
import pytest

from ascnode.sky.crossings import positive_spans


def test_sine_above_a_level_has_its_closed_form_spans() -> None:
    levels = np.array([0.25, -0.5])

    def function(t_s: np.ndarray, row: np.ndarray) -> np.ndarray:
        return np.sin(2 * np.pi * t_s / 100) - levels[row]

    spans = positive_spans(function, 2, 0, 200, step_s=7)
    quarter, half = math.asin(0.25) * 50 / math.pi, math.asin(0.5) * 50 / math.pi
    expected = [
        (1, 0.0, 50 + half, 1.5),
        (0, quarter, 50 - quarter, 0.75),
        (1, 100 - half, 150 + half, 1.5),
        (0, 100 + quarter, 150 - quarter, 0.75),
        (1, 200 - half, 200.0, 0.5),
    ]
    assert [span.row for span in spans] == [row for row, *_ in expected]
    for span, (_, start_s, end_s, peak) in zip(spans, expected, strict=True):
        assert (span.start_s, span.end_s) == pytest.approx((start_s, end_s), abs=1e-6)
        assert span.peak == pytest.approx(peak, abs=1e-9)


@pytest.mark.parametrize("centre_s", [13.0, 20.0, 27.9, 0.02, 99.97])
def test_span_far_shorter_than_the_grid_step_is_found(centre_s: float) -> None:
    (span,) = positive_spans(lambda t_s, row: 0.05**2 - (t_s - centre_s) ** 2, 1, 0, 100, step_s=10)
    assert span.start_s == pytest.approx(max(centre_s - 0.05, 0), abs=1e-6)
    assert span.end_s == pytest.approx(min(centre_s + 0.05, 100), abs=1e-6)
    assert span.peak_s == pytest.approx(centre_s, abs=1e-5)


def test_two_peaks_in_one_span_count_once_with_the_higher() -> None:
    spans = positive_spans(lambda t_s, row: 3 + np.sin(t_s / 5) + t_s / 100, 1, 0, 60, step_s=1)
    assert [(span.start_s, span.end_s) for span in spans] == [(0, 60)]
    assert spans[0].peak_s == pytest.approx(39.5, abs=0.3)


def test_function_that_is_never_positive_has_no_span() -> None:
    assert positive_spans(lambda t_s, row: 0 * t_s - 1e-9, 1, 0, 100, step_s=10) == []
    assert positive_spans(lambda t_s, row: 0 * t_s, 1, 0, 100, step_s=10) == []
