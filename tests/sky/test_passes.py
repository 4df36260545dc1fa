"""Passes against closed forms, astropy and an elevation computed in another way at every second."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pytest

from ascnode.sky.cities import load_cities
from ascnode.sky.constants import SPEED_OF_LIGHT_KM_S
from ascnode.sky.orbit import CircularOrbit
from ascnode.sky.passes import elevation_deg, passes, range_km
from ascnode.sky.stations import Station

EARTH_RADIUS_KM = 6378.137
EARTH_RATE_RAD_S = 7.2921159e-5
EPOCH = datetime(2024, 5, 17, 6, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Site:
    name: str
    latitude_deg: float
    longitude_deg: float
    height_m: float = 0.0


NAIROBI = Site("Nairobi", -1.29, 36.82, 1700)
AUCKLAND = Site("Auckland", -36.85, 174.76, 20)
LA_PAZ = Site("La Paz", -16.50, -68.15, 3600)
STOCKHOLM = Site("Stockholm", 59.33, 18.07, 20)
DENVER = Site("Denver", 39.74, -104.99, 1600)


# astropy 8.0.2 from the same inertial positions: TEME to ITRS to AltAz, with polar motion and UT1.
@pytest.mark.parametrize(
    ("site", "t_s", "expected_deg", "expected_km"),
    [
        (NAIROBI, 5464.2, 35.686725, 877.000),
        (AUCKLAND, 26441.6, 48.086369, 728.290),
        (LA_PAZ, 28125.4, 47.445110, 720.567),
        (STOCKHOLM, 29816.2, 29.436916, 1028.731),
        (DENVER, 46413.0, 26.201893, 1099.632),
        (DENVER, 70505.1, 29.982433, 1007.492),
    ],
)
def test_elevation_and_range_agree_with_astropy(
    site: Site, t_s: float, expected_deg: float, expected_km: float
) -> None:
    orbit = CircularOrbit(550, 53, 40, 15)
    assert float(elevation_deg(orbit, site, EPOCH, t_s)) == pytest.approx(expected_deg, abs=0.001)
    assert float(range_km(orbit, site, EPOCH, t_s)) == pytest.approx(expected_km, abs=0.015)


@pytest.mark.parametrize("inclination_deg", [0, 180])
@pytest.mark.parametrize("height_m", [0, 2850])
@pytest.mark.parametrize("min_elevation_deg", [0, 25, 60])
def test_overhead_pass_lasts_as_long_as_its_closed_form(
    inclination_deg: float, height_m: float, min_elevation_deg: float
) -> None:
    # On the equator the ellipsoid is a circle and an equatorial orbit passes through the zenith.
    orbit = CircularOrbit(550, inclination_deg, 0, 0)
    elevation = math.radians(min_elevation_deg)
    site_radius_km = EARTH_RADIUS_KM + height_m / 1000
    half_arc = math.acos(site_radius_km * math.cos(elevation) / orbit.radius_km) - elevation
    eastward = orbit.node_rate_rad_s + (1 if inclination_deg == 0 else -1) * orbit.latitude_rate_rad_s
    duration_s = 2 * half_arc / abs(eastward - EARTH_RATE_RAD_S)
    found = passes(orbit, [Site("on the equator", 0, 77, height_m)], EPOCH, 0, 20000, min_elevation_deg)
    whole = [one for one in found if one.rise_s > 0 and one.set_s < 20000]
    assert len(whole) >= 2
    for one in whole:
        assert one.set_s - one.rise_s == pytest.approx(duration_s, abs=0.001)
        assert one.culmination_s == pytest.approx((one.rise_s + one.set_s) / 2, abs=0.01)
        assert one.max_elevation_deg == pytest.approx(90, abs=1e-3)


def test_range_at_the_zenith_is_the_height_between() -> None:
    orbit, site = CircularOrbit(550, 0, 0, 0), Site("on the equator", 0, 77, 2850)
    culmination_s = passes(orbit, [site], EPOCH, 0, 20000)[0].culmination_s
    overhead_km = float(range_km(orbit, site, EPOCH, culmination_s))
    assert overhead_km == pytest.approx(550 - 2.85, abs=1e-4)
    assert overhead_km / SPEED_OF_LIGHT_KM_S == pytest.approx(1.8251e-3, abs=1e-7)


def test_range_at_25_degrees_is_the_law_of_sines() -> None:
    orbit, site = CircularOrbit(550, 0, 0, 0), Site("on the equator", 0, 77)
    rise_s = passes(orbit, [site], EPOCH, 0, 20000)[0].rise_s
    elevation = math.radians(25)
    nadir = math.asin(EARTH_RADIUS_KM * math.cos(elevation) / orbit.radius_km)
    slant_km = EARTH_RADIUS_KM * math.sin(math.pi / 2 - elevation - nadir) / math.sin(nadir)
    assert float(range_km(orbit, site, EPOCH, rise_s)) == pytest.approx(slant_km, abs=1e-3)


def sampled_elevation_deg(orbit: CircularOrbit, site: Station, t_s: np.ndarray) -> np.ndarray:
    """Another way: the station turned into the inertial frame, by the Earth rotation angle of IAU 2000.

    That angle lacks the precession in right ascension since 2000, 4612.2" a century, added here.
    """
    days = (EPOCH - datetime(2000, 1, 1, 12, tzinfo=UTC)).total_seconds() / 86400 + t_s / 86400
    turned = 2 * np.pi * (0.7790572732640 + 1.00273781191135448 * days)
    turned += np.radians(4612.156534 / 3600) * days / 36525
    latitude, longitude = math.radians(site.latitude_deg), math.radians(site.longitude_deg) + turned
    a, b = 6378.137, 6356.7523142
    normal = a * a / math.hypot(a * math.cos(latitude), b * math.sin(latitude))
    height_km = site.height_m / 1000
    equatorial = (normal + height_km) * math.cos(latitude)
    axial = (normal * b * b / a / a + height_km) * math.sin(latitude)
    station = np.stack(
        [equatorial * np.cos(longitude), equatorial * np.sin(longitude), np.full_like(t_s, axial)], -1
    )
    east = np.stack([-np.sin(longitude), np.cos(longitude), 0 * t_s], -1)
    north = np.stack(
        [
            -math.sin(latitude) * np.cos(longitude),
            -math.sin(latitude) * np.sin(longitude),
            np.full_like(t_s, math.cos(latitude)),
        ],
        -1,
    )
    sight = orbit.position_km(t_s) - station
    level = np.hypot(np.sum(sight * east, -1), np.sum(sight * north, -1))
    return np.degrees(np.arctan2(np.sum(sight * np.cross(east, north), -1), level))


def runs_above(t_s: np.ndarray, values: np.ndarray) -> list[tuple[float, float, float]]:
    """First and last sample and highest value of each run of positive values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], values > 0, [False]])))
    return [
        (float(t_s[first]), float(t_s[after - 1]), float(values[first:after].max()))
        for first, after in zip(edges[::2], edges[1::2], strict=True)
    ]


@pytest.mark.parametrize(
    ("orbit", "min_elevation_deg"),
    [(CircularOrbit(550, 53, 40, 15), 25.0), (CircularOrbit(650, 97.99, 141, 222), 10.0)],
)
def test_passes_over_all_cities_agree_with_sampling_every_second(
    orbit: CircularOrbit, min_elevation_deg: float
) -> None:
    cities, end_s = load_cities(), 20000.0
    t_s = np.arange(0, end_s + 1)
    found = passes(orbit, cities, EPOCH, 0, end_s, min_elevation_deg)
    compared = 0
    for city in cities:
        runs = runs_above(t_s, sampled_elevation_deg(orbit, city, t_s) - min_elevation_deg)
        mine = [one for one in found if one.station is city]
        for one, (first_s, last_s, highest_deg) in zip(mine, runs, strict=True):
            assert one.rise_s - 0.05 <= first_s < one.rise_s + 1.05
            assert one.set_s - 1.05 < last_s <= one.set_s + 0.05
            assert one.max_elevation_deg == pytest.approx(highest_deg + min_elevation_deg, abs=0.12)
            compared += 1
    assert compared > 50


def test_rise_and_set_stand_at_the_minimum_elevation() -> None:
    orbit = CircularOrbit(550, 53, 40, 15)
    for one in passes(orbit, [NAIROBI, DENVER], EPOCH, 0, 80000):
        edges = elevation_deg(orbit, one.station, EPOCH, [one.rise_s, one.set_s])
        assert edges == pytest.approx([25, 25], abs=1e-6)  # 0.06 deg/s: 20 us
        assert one.rise_s < one.culmination_s < one.set_s


def test_passes_come_in_the_order_of_their_rise() -> None:
    found = passes(CircularOrbit(550, 53, 40, 15), load_cities(), EPOCH, 0, 6000)
    assert [one.rise_s for one in found] == sorted(one.rise_s for one in found)


def test_pass_under_way_is_cut_and_keeps_the_maximum_of_its_part() -> None:
    orbit = CircularOrbit(550, 53, 40, 15)
    whole = passes(orbit, [NAIROBI], EPOCH, 0, 8000)[0]
    start_s = whole.culmination_s + 40
    (cut,) = passes(orbit, [NAIROBI], EPOCH, start_s, whole.set_s - 10)
    assert (cut.rise_s, cut.set_s) == (start_s, whole.set_s - 10)
    assert cut.culmination_s == pytest.approx(start_s, abs=1e-3)
    expected_deg = float(elevation_deg(orbit, NAIROBI, EPOCH, start_s))
    assert cut.max_elevation_deg == pytest.approx(expected_deg, abs=1e-4)


def test_geostationary_satellite_is_always_in_view() -> None:
    sidereal = CircularOrbit(35786, 0, 0, 0)
    always = [one for one in passes(sidereal, load_cities(), EPOCH, 0, 3600) if one.rise_s == 0]
    assert len(always) > 20
    assert {one.set_s for one in always} == {3600}


def test_no_stations_make_no_passes() -> None:
    assert passes(CircularOrbit(550, 53, 0, 0), [], EPOCH, 0, 6000) == []


@pytest.mark.parametrize("min_elevation_deg", [-0.1, 90, 400, math.nan])
def test_elevation_out_of_range_is_refused(min_elevation_deg: float) -> None:
    with pytest.raises(ValueError, match="it lies from 0 to below 90"):
        passes(CircularOrbit(550, 53, 0, 0), [NAIROBI], EPOCH, 0, 6000, min_elevation_deg)


def test_inverted_interval_is_refused() -> None:
    with pytest.raises(ValueError, match="the interval from 60 s to 0 s is empty"):
        passes(CircularOrbit(550, 53, 0, 0), [NAIROBI], EPOCH, 60, 0)
