"""Places on the ground against published coordinates."""

import math
from dataclasses import dataclass

import numpy as np
import pytest

from ascnode.sky.stations import earth_fixed, to_earth_fixed


@dataclass(frozen=True)
class Site:
    name: str
    latitude_deg: float
    longitude_deg: float
    height_m: float = 0.0


# Vallado, example 7-1; the others from astropy 8.0.2, EarthLocation.from_geodetic.
@pytest.mark.parametrize(
    ("site", "position_km"),
    [
        (Site("Vallado 7-1", 39.007, -104.883, 2187), [-1275.1219, -4797.9890, 3994.2975]),
        (Site("Nairobi", -1.29, 36.82, 1700), [5105.916, 3822.493, -142.667]),
        (Site("Auckland", -36.85, 174.76, 20), [-5088.654, 466.686, -3804.098]),
        (Site("Stockholm", 59.33, 18.07, 20), [3100.673, 1011.659, 5462.796]),
    ],
)
def test_earth_fixed_position_is_the_published_one(site: Site, position_km: list[float]) -> None:
    positions, _ = earth_fixed([site])
    assert positions[0] == pytest.approx(position_km, abs=1e-3)


def test_up_is_normal_to_the_ellipsoid_and_not_to_a_sphere() -> None:
    positions, up = earth_fixed(
        [Site("45 north", 45.0, 0.0), Site("pole", 90.0, 0.0), Site("equator", 0, 90)]
    )
    radial = positions / np.linalg.norm(positions, axis=-1, keepdims=True)
    tilt_deg = np.degrees(np.arccos(np.clip(np.sum(radial * up, axis=-1), -1, 1)))
    assert tilt_deg == pytest.approx([0.1924, 0, 0], abs=1e-4)
    assert np.linalg.norm(positions, axis=-1)[1:] == pytest.approx([6356.7523, 6378.137], abs=1e-4)


def test_sidereal_time_turns_the_sky_westward() -> None:
    fixed = to_earth_fixed(np.array([[7000.0, 0, 100], [0, 7000, -100]]), np.array([math.pi / 2, math.pi]))
    assert fixed == pytest.approx(np.array([[0, -7000.0, 100], [0, -7000, -100]]), abs=1e-9)


@pytest.mark.parametrize(
    ("site", "sentence"),
    [
        (Site("Nowhere", 90.01, 0), "Nowhere: latitude_deg is 90.01, beyond a pole"),
        (Site("Nowhere", 0, -180.5), "Nowhere: longitude_deg is -180.5, beyond 180"),
        (Site("Nowhere", 0, 0, math.nan), "Nowhere: height_m is nan"),
        (
            Site("Nowhere", 0, 0, -7e6),
            "Nowhere: height_m is -7000000.0, beyond 100000: no place on the ground",
        ),
    ],
)
def test_places_off_the_map_are_refused_by_name(site: Site, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        earth_fixed([Site("Pole", 90, 0), site])
