"""Julian dates and sidereal time against published values."""

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest

from ascnode.sky.time import check_window, days_since_j2000, gmst_rad, julian_date


def test_julian_date_of_vallado_example_3_4() -> None:
    assert float(julian_date(datetime(1996, 10, 26, 14, 20, tzinfo=UTC))) == pytest.approx(2450383.09722222)


def test_gmst_of_vallado_example_3_5() -> None:
    # Printed with T cut to twelve digits, which moves the last places of the angle.
    gmst_deg = math.degrees(gmst_rad(datetime(1992, 8, 20, 12, 14, tzinfo=UTC)))
    assert gmst_deg == pytest.approx(152.578787810, abs=1e-7)


def test_gmst_of_meeus_example_12_b() -> None:
    # Astronomical Algorithms, 2nd ed.: 1987 April 10, 19:21:00 UT, 128.7378734 deg.
    gmst_deg = math.degrees(gmst_rad(datetime(1987, 4, 10, 19, 21, tzinfo=UTC)))
    assert gmst_deg == pytest.approx(128.7378734, abs=2e-7)


def test_earth_turns_once_in_a_mean_sidereal_day() -> None:
    epoch = datetime(2026, 3, 20, tzinfo=UTC)
    start, one_turn, an_hour = gmst_rad(epoch, [0.0, 86164.0905, 3600.0])
    assert one_turn == pytest.approx(start, abs=1e-8)
    assert an_hour - start == pytest.approx(3600 * 7.2921159e-5, rel=1e-7)


def test_seconds_after_the_epoch_and_a_later_epoch_are_the_same() -> None:
    epoch = datetime(2026, 3, 20, 23, 59, 7, tzinfo=UTC)
    later = days_since_j2000(epoch + timedelta(seconds=98765.25))
    assert float(days_since_j2000(epoch, 98765.25)) == pytest.approx(float(later), abs=1e-11)


def test_epoch_in_another_zone_is_the_same_instant() -> None:
    tokyo = datetime(1992, 8, 20, 21, 14, tzinfo=timezone(timedelta(hours=9)))
    assert math.degrees(gmst_rad(tokyo)) == pytest.approx(152.578787810, abs=1e-7)


def test_epoch_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="the epoch 2026-03-20T00:00:00 has no time zone"):
        julian_date(datetime(2026, 3, 20))


@pytest.mark.parametrize("window", [(10.0, 10.0), (10.0, 9.0), (0.0, math.inf), (math.nan, 1.0)])
def test_empty_and_endless_windows_are_refused(window: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="is empty or not finite"):
        check_window(*window)
