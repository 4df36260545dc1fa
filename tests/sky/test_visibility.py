"""Visibility by arcs against looking at every satellite, with elevations computed in another way."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pytest

from ascnode.sky.cities import load_cities
from ascnode.sky.constellation import Constellation, constellation
from ascnode.sky.elements import ElementSets
from ascnode.sky.passes import elevation_deg, look_angles
from ascnode.sky.places import Site
from ascnode.sky.stations import Station, earth_fixed
from ascnode.sky.time import gmst_rad
from ascnode.sky.tle import parse_tle
from ascnode.sky.visibility import Ground, arcs, visible

EPOCH = datetime(2026, 3, 20, 12, tzinfo=UTC)
STATIONS: Sequence[Station] = (
    Site("north pole", 90, 0),
    Site("south pole", -90, 0, 2800),
    Site("equator", 0, 0),
    Site("date line", 10, 180),
    Site("under the shell's edge", 53, 20),
    Site("mountain", 27.99, 86.93, 8800),
    Site("Dead Sea", 31.5, 35.5, -430),
    Site("an airliner", -40, -70, 12000),
    *load_cities()[:25],
)


def elevations_deg(positions_km: np.ndarray, t_s: float) -> np.ndarray:
    """(stations, satellites): satellites turned into the Earth-fixed frame, angle from the horizon by atan2."""
    turn = float(gmst_rad(EPOCH, t_s))
    x, y, z = positions_km.T
    fixed = np.stack([np.cos(turn) * x + np.sin(turn) * y, np.cos(turn) * y - np.sin(turn) * x, z], axis=-1)
    site, up = earth_fixed(STATIONS)
    sight = fixed[np.newaxis] - site[:, np.newaxis]
    height = np.einsum("mni,mi->mn", sight, up)
    along = np.linalg.norm(np.cross(sight, up[:, np.newaxis]), axis=-1)
    return np.degrees(np.arctan2(height, along))


@pytest.mark.parametrize(
    "code",
    [
        "starlink-gen1",
        "S:780:86.4:66/6/1",
        "D:20180:55:24/6/1",
        "D:35786:0:36/1/0",
        "D:35786:63:300/100/7",
        "D:500:97.4:200/1/0+D:8000:120:4000/2/1",
        "D:550:180:60/3/1",
        "D:120000:28:500/5/0",
        "D:160:90:20000/4/1",
        "D:10:45:5000/20/3",  # below the airliner
    ],
)
def test_arcs_hold_what_looking_at_every_satellite_finds(code: str) -> None:
    satellites = constellation(code, EPOCH)
    ground = Ground.of(STATIONS)
    for t_s in (0.0, 1234.5, 3e6):
        elevation = elevations_deg(satellites.positions_km(EPOCH, t_s), t_s)
        for minimum in (0.0, 10.0, 25.0, 60.0, 85.0, 89.9):
            found = visible(satellites, ground, EPOCH, t_s, minimum)
            station, satellite = np.nonzero(elevation >= minimum)
            assert found.station.tolist() == station.tolist()
            assert found.satellite.tolist() == satellite.tolist()
            assert found.elevation_deg == pytest.approx(elevation[station, satellite], abs=1e-6)


def test_constellations_above_are_seen_at_all() -> None:
    found = visible(constellation("starlink-gen1", EPOCH), Ground.of(STATIONS), EPOCH, 0.0)
    assert np.all(np.diff(found.begin)[2:] > 0)  # polar stations see the shells at 97.6 deg, but rarely


def test_each_station_may_have_its_own_elevation() -> None:
    satellites, ground = constellation("starlink-gen1-1", EPOCH), Ground.of(STATIONS)
    minima = np.linspace(0, 80, len(STATIONS))
    mixed = visible(satellites, ground, EPOCH, 60.0, minima)
    for i, minimum in enumerate(minima):
        alone = visible(satellites, ground, EPOCH, 60.0, float(minimum))
        mine = slice(mixed.begin[i], mixed.begin[i + 1])
        assert mixed.satellite[mine].tolist() == alone.satellite[alone.station == i].tolist()


def test_arc_is_one_run_of_slots_that_may_pass_the_planes_end() -> None:
    ring = constellation("D:550:53.0:720/1/0", EPOCH)
    assert isinstance(ring, Constellation)
    ground, wrapped = Ground.of(STATIONS), 0
    for t_s in np.arange(0, 5700, 60.0):
        run = arcs(ring, ground, EPOCH, float(t_s), 10.0)
        seen = visible(ring, ground, EPOCH, float(t_s), 10.0)
        wrapped += np.count_nonzero(run.slot + run.count > 720)
        for i in range(len(run.plane)):
            station = np.searchsorted(run.begin, i, side="right") - 1
            slots = (run.slot[i] + np.arange(run.count[i])) % 720
            assert sorted(slots) == seen.satellite[seen.begin[station] : seen.begin[station + 1]].tolist()
    assert wrapped > 3


def test_sightings_are_the_look_angles_of_the_orbit() -> None:
    satellites = constellation("starlink-gen1-1", EPOCH)
    found = visible(satellites, Ground.of(STATIONS), EPOCH, 500.0, 30.0)
    assert isinstance(satellites, Constellation)
    for v in range(0, len(found.satellite), 7):
        orbit, station = satellites.orbit(int(found.satellite[v])), STATIONS[found.station[v]]
        azimuth, elevation, range_km = look_angles(orbit, station, EPOCH, 500.0)
        assert found.elevation_deg[v] == pytest.approx(float(elevation), abs=1e-6)
        assert float(elevation) == pytest.approx(float(elevation_deg(orbit, station, EPOCH, 500.0)), abs=1e-9)
        assert found.range_km[v] == pytest.approx(float(range_km), abs=1e-6)
        assert (found.azimuth_deg[v] - float(azimuth) + 180) % 360 - 180 == pytest.approx(0, abs=1e-4)


def test_azimuth_runs_from_north_over_east() -> None:
    ring = constellation("D:550:0:72/1/0", EPOCH)
    north = visible(ring, Ground.of([Site("north of it", 8, 0)]), EPOCH, 0.0, 0.0)
    highest = np.argmax(north.elevation_deg)
    assert abs(north.azimuth_deg[highest] - 180) < 25
    below = visible(ring, Ground.of([Site("below it", 0, 0)]), EPOCH, 0.0, 0.0)
    low = below.elevation_deg < 60
    assert np.all(np.minimum(np.abs(below.azimuth_deg - 90), np.abs(below.azimuth_deg - 270))[low] < 1e-6)
    # Eastward lies the higher longitude: the satellite that comes next in the ring.
    assert below.azimuth_deg[np.argmax(below.satellite == (below.satellite[0] + 1) % 72)] < 360


def test_element_sets_are_seen_where_they_are() -> None:
    lines = [
        "1 25544U 98067A   26079.50000000  .00016717  00000-0  30000-3 0  999",
        "2 25544  51.6400 208.9163 0006317  69.9862 {:8.4f} 15.50000000    1",
    ]

    def checked(line: str) -> str:
        return line + str(sum(int(c) if c.isdecimal() else c == "-" for c in line) % 10)

    sets = [f"{checked(lines[0])}\n{checked(lines[1].format(degrees))}" for degrees in range(0, 360, 2)]
    satellites = ElementSets("ring", *parse_tle("\n".join(sets)))
    elevation = elevations_deg(satellites.positions_km(EPOCH, 1000.0), 1000.0)
    found = visible(satellites, Ground.of(STATIONS), EPOCH, 1000.0, 10.0)
    station, satellite = np.nonzero(elevation >= 10)
    assert len(station) > 20
    assert (found.station.tolist(), found.satellite.tolist()) == (station.tolist(), satellite.tolist())


def test_no_station_sees_nothing() -> None:
    found = visible(constellation("kuiper", EPOCH), Ground.of([]), EPOCH, 0.0)
    assert (found.begin.tolist(), len(found.satellite), found.sight_km.shape) == ([0], 0, (0, 3))


@pytest.mark.parametrize("minimum", [-0.1, 90.0, float("nan")])
def test_elevations_outside_are_refused(minimum: float) -> None:
    with pytest.raises(ValueError, match=r"min_elevation_deg is .*: it lies from 0 to below 90"):
        visible(constellation("kuiper", EPOCH), Ground.of(STATIONS), EPOCH, 0.0, minimum)
