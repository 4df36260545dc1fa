"""Axes, plots and tables of pages that stand alone."""

import re

import pytest

from ascnode.view.html.page import Html, Number, attributes, document, table
from ascnode.view.html.svg import Extras, bars, log_bars, panel, shares
from ascnode.view.html.ticks import log_ticks, time_ticks, time_told, told, value_ticks


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 100, [0, 50, 100]),
        (0.13, 0.87, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (-40, 95, [-50, 0, 50, 100]),
        (0, 7, [0, 2, 4, 6, 8]),
        (20.1, 20.4, [20.1, 20.2, 20.3, 20.4]),
        (0, 36_000, [0, 10_000, 20_000, 30_000, 40_000]),
    ],
)
def test_an_axis_has_round_values_around_its_data(low: float, high: float, ticks: list[float]) -> None:
    assert value_ticks(low, high) == pytest.approx(ticks)


def test_an_axis_of_time_has_round_times_within_it() -> None:
    assert time_ticks(0, 5735) == [0, 900, 1800, 2700, 3600, 4500, 5400]
    assert time_ticks(100, 400) == [120, 180, 240, 300, 360]
    assert time_ticks(0, 5 * 86_400)[:3] == [0, 86_400, 172_800]


def test_times_read_as_long_as_the_axis_is() -> None:
    assert time_told(120, 300) == "120 s"
    assert time_told(5400, 5735) == "1:30"
    assert time_told(100_800, 300_000) == "1 d 4:00"


def test_numbers_have_the_decimals_of_their_steps() -> None:
    assert told([0, 0.5, 1]) == ["0.0", "0.5", "1.0"]
    assert told([0, 0.05, 0.1]) == ["0.00", "0.05", "0.10"]
    assert told([0, 10_000, 20_000]) == ["0", "10,000", "20,000"]


def test_a_logarithmic_axis_has_decades_and_their_parts() -> None:
    assert log_ticks(0.7, 60) == [1, 2, 5, 10, 20, 50]
    assert log_ticks(0.001, 1000) == pytest.approx([10.0**power for power in range(-3, 4)])


def points(svg: str) -> list[tuple[float, float]]:
    (path,) = re.findall(r'<path d="M([^"]+)" class="l0"/>', svg)
    return [tuple(map(float, pair.split())) for pair in path.split("L")]  # type: ignore[misc]


def test_a_line_goes_from_edge_to_edge_with_the_highest_on_top() -> None:
    found = points(panel("charge", [0, 50, 100], [("", [0.0, 10.0, 5.0])]))
    assert [x for x, _ in found] == [50.0, 341.0, 632.0]
    assert [y for _, y in found] == [132.0, 22.0, 77.0]  # up is less


def test_a_gap_in_the_data_is_no_point() -> None:
    found = points(panel("charge", [0, 50, 100], [("", [0.0, float("nan"), 5.0])]))
    assert len(found) == 2


def test_an_axis_reaches_its_limits() -> None:
    svg = panel("heat", [0, 1], [("", [20.0, 21.0])], extras=Extras([("critical: trip", 95.0)]))
    assert ">100</text>" in svg
    assert "critical: trip</text>" in svg


def test_two_samples_make_a_plot_and_one_does_not() -> None:
    assert panel("x", [0.0], [("", [1.0])]) == ""
    assert panel("x", [0.0, 1.0], [("", [1.0, 1.0])]).startswith("<svg")


def test_bars_stand_on_the_axis_as_high_as_their_counts() -> None:
    for svg in (bars("x", [("a", 1), ("b", 4)]), log_bars("x", [0.1, 1.0, 10.0], [1, 4])):
        heights = [float(one) for one in re.findall(r'height="([^"]+)" class="c"', svg)]
        assert heights[1] == pytest.approx(4 * heights[0], abs=0.2)
    assert bars("x", [("a", 0)]) == log_bars("x", [1, 2], [0]) == ""


def test_shares_are_as_wide_as_their_part() -> None:
    widths = [
        float(one)
        for one in re.findall(r'width="([\d.]+)" height="12"', shares("x", [("a", 3), ("b", 1)], "s"))
    ]
    assert widths == [479.0, 159.0]  # of 640, a gap of 1 after each
    assert shares("x", [("a", 0.0)], "s") == ""


def test_what_is_told_is_text_and_no_markup() -> None:
    bad = "<b>"
    made = (
        panel(bad, [0, 1], [(bad, [0, 1])], extras=Extras([(bad, 1)], marks=[(0.5, bad)]))
        + bars(bad, [(bad, 1)])
        + shares(bad, [(bad, 1.0)], bad)
        + table([bad], [[bad]], [{"x": bad + '"'}])
        + document(bad, "")
    )
    assert bad not in made


def test_numbers_stand_to_the_right_with_their_heading() -> None:
    text = table(
        ["name", "count", "share"], [["a", 12_345, Number("5 %")], [Html("<i>b</i>"), 1, Number("1 %")]]
    )
    assert "<th>name</th><th class=n>count</th><th class=n>share</th>" in text
    assert "<td>a</td><td class=n>12,345</td><td class=n>5 %</td>" in text
    assert "<td><i>b</i></td>" in text
    assert table(["name"], []) == "<p>None.</p>"


def test_attributes_are_for_programs() -> None:
    assert attributes({"figure": "lost", "value": 3}) == ' data-figure="lost" data-value="3"'
