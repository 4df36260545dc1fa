"""Ground links: limits alone and together, and by two ways that must agree."""

import math

import numpy as np
import pytest

from ascnode.mesh.ground import GroundRules, Sites, ground_links, links_by_search
from ascnode.sky.cities import load_cities
from ascnode.sky.orbit import CircularOrbit
from ascnode.sky.passes import elevation_deg, range_km
from ascnode.sky.shells import Shell
from mesh.element_sets import element_sets
from mesh.tools import EPOCH, shells

CITIES = load_cities()[:40]
SHELLS = shells(Shell(550, 53, 72, 22, 39), Shell(1200, 87.9, 12, 20, 1, star=True))


@pytest.mark.parametrize(
    "rules", [GroundRules(), GroundRules(0.0), GroundRules(25.0, 900.0), GroundRules(40.0, 2000.0)]
)
@pytest.mark.parametrize("t_s", [0.0, 5000.0])
def test_arcs_and_search_find_the_same(rules: GroundRules, t_s: float) -> None:
    sites = Sites.of(CITIES, EPOCH)
    for satellites in (SHELLS, element_sets(shells(Shell(550, 53, 20, 20, 3)))):
        positions_km = satellites.positions_km(EPOCH, t_s)
        found = ground_links(satellites, sites, t_s, positions_km, rules)
        searched = links_by_search(sites, t_s, positions_km, rules)
        assert np.array_equal(found.first, searched.first)
        assert np.array_equal(found.satellite, searched.satellite)
        assert found.range_km == pytest.approx(searched.range_km, abs=1e-6)
        assert found.sin_elevation == pytest.approx(searched.sin_elevation, abs=1e-9)


def test_links_are_those_that_passes_would_count() -> None:
    # The sky's own functions, one satellite and one station at a time, checked there against astropy.
    sites = Sites.of(CITIES[:5], EPOCH)
    links = ground_links(SHELLS, sites, 321.0, SHELLS.positions_km(EPOCH, 321.0), GroundRules())
    for k, city in enumerate(CITIES[:5]):
        satellites, ranges = links.seen_by(k)
        for satellite in range(0, SHELLS.count, 7):
            orbit: CircularOrbit = SHELLS.orbit(satellite)
            high = float(elevation_deg(orbit, city, EPOCH, 321.0))
            assert (satellite in satellites) == (high >= 25), (city.name, satellite, high)
            if satellite in satellites:
                apart = float(range_km(orbit, city, EPOCH, 321.0))
                assert ranges[list(satellites).index(satellite)] == pytest.approx(apart, abs=1e-6)


def test_range_alone_does_not_look_at_the_horizon() -> None:
    sites = Sites.of(CITIES, EPOCH)
    positions_km = SHELLS.positions_km(EPOCH, 0.0)
    links = ground_links(SHELLS, sites, 0.0, positions_km, GroundRules(None, 4000.0))
    site_km, _ = sites.inertial(0.0)
    apart_km = np.linalg.norm(positions_km[None] - site_km[:, None], axis=2)
    assert len(links.satellite) == np.count_nonzero(apart_km <= 4000)
    assert links.sin_elevation.min() < -0.1


def test_satellite_that_sgp4_gives_up_is_not_seen() -> None:
    sites = Sites.of(CITIES, EPOCH)
    positions_km = SHELLS.positions_km(EPOCH, 0.0)
    seen = links_by_search(sites, 0.0, positions_km, GroundRules()).satellite
    positions_km[seen[0]] = math.nan
    assert seen[0] not in links_by_search(sites, 0.0, positions_km, GroundRules()).satellite


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ((None, None), "ground links need a least elevation, a greatest range, or both"),
        ((90.0, None), r"min_elevation_deg is 90\.0: it lies from -90 to below 90"),
        ((None, 0.0), r"max_range_km is 0\.0: a ground link has a length"),
    ],
)
def test_limits_that_make_no_sense_are_refused(
    limits: tuple[float | None, float | None], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        GroundRules(*limits)
