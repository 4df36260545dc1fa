"""The page's own orbits, Sun and shadow against those of ascnode.sky, which outside sources vouch for."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from ascnode.scenario.scenario import Scenario
from ascnode.sky.constants import EARTH_RADIUS_KM
from ascnode.sky.eclipse import illumination
from ascnode.sky.sun import sun_direction
from ascnode.sky.time import gmst_rad
from ascnode.sky.vectors import Floats
from view.browser import Tab
from view.recorded import scenario, write_record
from view.served import Served

DAY_S = 86_400
WITHIN_DEG = 0.01  # on the ground a kilometre; a pixel of the map is 40


@pytest.fixture(scope="module")
def tab(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    path = write_record(tmp_path_factory.mktemp("day") / "day.sqlite", DAY_S, 2, slots=40)
    with Served(path) as served, Tab(chromium, served.url) as tab:
        yield tab.ready()


def page_sky(tab: Tab, t_s: float) -> tuple[Floats, Floats, Floats, dict[str, float]]:
    """Longitudes, latitudes and light of all satellites, and the subsolar point."""
    tab.js(f"ascnode.sky.at({t_s})")
    code = "(s => [[...s.longitude], [...s.latitude], [...s.lit], s.sun])(ascnode.sky)"
    longitude, latitude, lit, sun = tab.js(code)
    return np.array(longitude), np.array(latitude), np.array(lit), sun


def fixed_deg(vectors: Floats, flown: Scenario, t_s: float) -> tuple[Floats, Floats]:
    """Longitude and latitude, geocentric, of inertial vectors (..., 3)."""
    longitude = np.degrees(np.arctan2(vectors[..., 1], vectors[..., 0]) - gmst_rad(flown.epoch, t_s))
    return (longitude + 180) % 360 - 180, np.degrees(
        np.arcsin(vectors[..., 2] / np.linalg.norm(vectors, axis=-1))
    )


def apart_deg(a: Floats, b: Floats) -> Floats:
    return np.abs((a - b + 180) % 360 - 180)


@pytest.mark.parametrize("t_s", [0.0, 1234.5, 40_000.0, 86_399.0])
def test_satellites_are_where_the_sky_has_them(tab: Tab, t_s: float) -> None:
    flown = scenario(DAY_S, 2)
    longitude, latitude, _, _ = page_sky(tab, t_s)
    expected = fixed_deg(flown.space.satellites.positions_km(flown.epoch, t_s), flown, t_s)
    assert np.max(apart_deg(longitude, expected[0])) < WITHIN_DEG
    assert np.max(np.abs(latitude - expected[1])) < WITHIN_DEG


@pytest.mark.parametrize("t_s", [0.0, 50_000.0, 86_399.0])
def test_the_sun_stands_where_the_sky_has_it(tab: Tab, t_s: float) -> None:
    flown = scenario(DAY_S, 2)
    sun = page_sky(tab, t_s)[3]
    longitude, latitude = fixed_deg(sun_direction(flown.epoch, t_s), flown, t_s)
    assert apart_deg(np.array(sun["longitude"]), longitude) < WITHIN_DEG
    assert abs(sun["latitude"] - latitude) < WITHIN_DEG


def test_light_and_shadow_are_those_of_the_cone_but_at_the_edge(tab: Tab) -> None:
    flown = scenario(DAY_S, 2)
    for t_s in (600.0, 30_000.0, 80_000.0):
        lit = page_sky(tab, t_s)[2]
        sun = sun_direction(flown.epoch, t_s)
        places = flown.space.satellites.positions_km(flown.epoch, t_s)
        light = illumination(places, sun)
        assert np.array_equal(lit[light == 1], np.ones(np.count_nonzero(light == 1)))
        # in the umbra's core: the cone is narrower than the cylinder by 10 km at this height
        off_axis_km = np.linalg.norm(places - (places @ sun)[:, np.newaxis] * sun, axis=1)
        core = (light == 0) & (off_axis_km < EARTH_RADIUS_KM - 20)
        assert not lit[core].any()
        assert 0.25 < 1 - lit.mean() < 0.45  # of a 550 km shell, 0.37 at beta 0


def test_the_terminator_is_90_degrees_from_the_sun(tab: Tab) -> None:
    tab.js("ascnode.sky.at(3000)")
    sun = tab.js("ascnode.sky.sun")
    for longitude in range(-180, 180, 40):
        latitude = np.radians(tab.js(f"ascnode.sky.terminator({longitude})"))
        declination, hour_angle = np.radians(sun["latitude"]), np.radians(longitude - sun["longitude"])
        along = np.cos(latitude) * np.cos(declination) * np.cos(hour_angle)
        cosine = np.sin(latitude) * np.sin(declination) + along
        assert abs(cosine) < 1e-6
