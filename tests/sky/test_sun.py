"""The Sun against published almanac values and astropy."""

import math
from datetime import UTC, datetime

import numpy as np
import pytest

from ascnode.sky.orbit import CircularOrbit
from ascnode.sky.sun import beta_deg, sun_direction

PROMISED_DEG = 0.001
NUTATION_DEG = 0.005  # in the published apparent places, not in the mean frame of date


def right_ascension_declination_deg(epoch: datetime) -> tuple[float, float]:
    x, y, z = sun_direction(epoch)
    return math.degrees(math.atan2(y, x)) % 360, math.degrees(math.asin(z))


def apart_deg(a: np.ndarray, b: np.ndarray) -> float:
    return math.degrees(float(np.linalg.norm(a / np.linalg.norm(a) - b / np.linalg.norm(b))))


def test_vector_of_vallado_example_5_1() -> None:
    published_au = np.array([0.9771945, 0.1924424, 0.0834308])
    assert apart_deg(sun_direction(datetime(2006, 4, 2, tzinfo=UTC)), published_au) < 0.001


def test_apparent_place_of_meeus_example_25_b() -> None:
    # Astronomical Algorithms, 2nd ed.: 1992 October 13, 0h TD.
    right_ascension_deg, declination_deg = right_ascension_declination_deg(datetime(1992, 10, 13, tzinfo=UTC))
    assert right_ascension_deg == pytest.approx(198.378121, abs=PROMISED_DEG + NUTATION_DEG)
    assert declination_deg == pytest.approx(-7.783817, abs=PROMISED_DEG + NUTATION_DEG)


# astropy 8.0.2: get_sun (aberration included), bias and precession of IAU 2006.
@pytest.mark.parametrize(
    ("epoch", "direction"),
    [
        (datetime(2026, 1, 4, 6, 30, tzinfo=UTC), [0.240218, -0.890641, -0.386075]),
        (datetime(2026, 3, 20, 14, 46, tzinfo=UTC), [1.0, -2.8e-05, -1e-05]),
        (datetime(2026, 8, 17, 21, 15, tzinfo=UTC), [-0.818964, 0.526507, 0.228229]),
        (datetime(2027, 11, 2, 3, 45, tzinfo=UTC), [-0.771741, -0.583476, -0.252925]),
    ],
)
def test_direction_agrees_with_astropy(epoch: datetime, direction: list[float]) -> None:
    assert apart_deg(sun_direction(epoch), np.array(direction)) < PROMISED_DEG


# Instants of the US Naval Observatory's table of the seasons, to a minute (0.0007 deg).
@pytest.mark.parametrize(
    ("instant", "right_ascension_deg", "declination_deg"),
    [
        (datetime(2022, 3, 20, 15, 33, tzinfo=UTC), 0.0, 0.0),
        (datetime(2022, 6, 21, 9, 14, tzinfo=UTC), 90.0, 23.438),
        (datetime(2022, 9, 23, 1, 4, tzinfo=UTC), 180.0, 0.0),
        (datetime(2022, 12, 21, 21, 48, tzinfo=UTC), 270.0, -23.438),
        (datetime(2024, 3, 20, 3, 6, tzinfo=UTC), 0.0, 0.0),
        (datetime(2024, 6, 20, 20, 51, tzinfo=UTC), 90.0, 23.438),
        (datetime(2024, 9, 22, 12, 44, tzinfo=UTC), 180.0, 0.0),
        (datetime(2024, 12, 21, 9, 20, tzinfo=UTC), 270.0, -23.438),
    ],
)
def test_seasons_begin_when_the_almanac_says(
    instant: datetime, right_ascension_deg: float, declination_deg: float
) -> None:
    right_ascension, declination = right_ascension_declination_deg(instant)
    assert abs((right_ascension - right_ascension_deg + 180) % 360 - 180) < PROMISED_DEG + NUTATION_DEG
    assert declination == pytest.approx(declination_deg, abs=PROMISED_DEG + NUTATION_DEG)


def test_times_after_the_epoch_give_unit_vectors() -> None:
    directions = sun_direction(datetime(2026, 3, 20, tzinfo=UTC), np.arange(5) * 1e6)
    assert directions.shape == (5, 3)
    assert np.linalg.norm(directions, axis=-1) == pytest.approx(np.ones(5), abs=1e-15)


def test_beta_of_a_dawn_dusk_orbit_in_june() -> None:
    # 650 km sun-synchronous, ascending node at 18 h local time: 58.57 deg on the solstice.
    solstice = datetime(2024, 6, 20, 20, 51, tzinfo=UTC)
    orbit = CircularOrbit(650, 97.99, raan_deg=90 + 90, argument_of_latitude_deg=0)
    beta = float(beta_deg(orbit.plane_normal(0.0), sun_direction(solstice)))
    assert beta == pytest.approx(58.57, abs=0.02)


def test_beta_is_negative_on_the_far_side_of_the_plane() -> None:
    sun = np.array([0.8, 0.0, 0.6])
    normals = np.array([[0.0, 0, 1], [0, 0, -1], [0, 1, 0]])
    assert beta_deg(normals, sun) == pytest.approx([36.8699, -36.8699, 0], abs=1e-4)
