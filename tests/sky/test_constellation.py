"""Constellations against single orbits, Walker's definition and the filings' numbers."""

import math
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from ascnode.errors import ScenarioError
from ascnode.sky.catalogue import CATALOGUE, dawn_dusk
from ascnode.sky.constellation import Constellation, constellation
from ascnode.sky.orbit import shell_satellite
from ascnode.sky.shells import Shell, parse_code, sun_synchronous_inclination_deg

EPOCH = datetime(2026, 3, 20, 12, tzinfo=UTC)
EARTH_RADIUS_KM = 6378.137


def test_positions_are_those_of_single_orbits() -> None:
    shells = constellation("D:550:53.0:1584/72/17", EPOCH)
    for t_s in (0.0, 5739.0, 1e6):
        positions = shells.positions_km(EPOCH, t_s)
        for plane, slot in ((0, 0), (18, 5), (71, 21)):
            alone = shell_satellite(550, 53, 72, 22, 17, plane, slot).position_km(t_s)
            assert positions[22 * plane + slot] == pytest.approx(alone, abs=1e-6)


def test_shells_follow_each_other_plane_by_plane() -> None:
    both = Constellation(
        "both", (Shell(550, 53, 3, 4, 1), Shell(1200, 87.9, 2, 5, 1, star=True, raan0_deg=11))
    )
    positions = both.positions_km(EPOCH, 777.0)
    assert positions.shape == (22, 3)
    assert both.planes.first.tolist() == [0, 4, 8, 12, 17]
    for index in range(22):
        assert positions[index] == pytest.approx(both.orbit(index).position_km(777.0), abs=1e-6)
        assert both.index(*both.place(index)) == index
    assert both.place(16) == (1, 0, 4)
    assert both.label(16) == "1/0/4"


def test_positions_go_into_the_array_that_is_given() -> None:
    shells = constellation("starlink-gen1-1", EPOCH)
    out = np.full((1584, 3), np.nan)
    assert isinstance(shells, Constellation)
    assert shells.positions_km(EPOCH, 60.0, out) is out
    assert np.array_equal(out, shells.positions_km(EPOCH, 60.0))


def test_star_spreads_its_nodes_over_half_a_turn_and_delta_over_a_whole_one() -> None:
    star, delta = parse_code("S:780:86.4:66/6/1+D:780:86.4:66/6/1")
    assert [star.orbit(plane, 0).raan_deg for plane in range(6)] == [0, 30, 60, 90, 120, 150]
    assert [delta.orbit(plane, 0).raan_deg for plane in range(6)] == [0, 60, 120, 180, 240, 300]


# Examples of draft-piraux-space-constellation-code: T/P/F, the second number counts planes.
@pytest.mark.parametrize(
    ("code", "planes", "per_plane", "phasing"),
    [
        ("S:780:86.4:66/6/1", 6, 11, 1),
        ("S:1200:87.9:672/12/11", 12, 56, 11),
        ("D:550:53:1584/72/39", 72, 22, 39),
        ("D:20180:55:24/6/1", 6, 4, 1),
        ("D:550:53.0:1584/22/17", 22, 72, 17),
    ],
)
def test_code_is_walkers_total_planes_phasing(code: str, planes: int, per_plane: int, phasing: int) -> None:
    (shell,) = parse_code(code)
    assert (shell.planes, shell.per_plane, shell.phasing) == (planes, per_plane, phasing)
    assert shell.star == code.startswith("S")


def test_code_may_set_the_first_satellites_place() -> None:
    (shell,) = parse_code("d/30.5:550:53:10/2/0:45")
    first = shell.orbit(0, 0)
    assert (first.raan_deg, first.argument_of_latitude_deg) == (30.5, 45)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("D:550:53:1584/73/17", "1584 satellites do not divide into 73 planes"),
        ("D:550:53:1584/0/0", "1584 satellites do not divide into 0 planes"),
        ("D:550:53:0/72/0", "a shell of 72 planes with 0 satellites each is empty"),
        ("D:550:53:1584/72/72", "phasing is 72: it lies between 0 and 71"),
        ("D:550:181:1584/72/1", "inclination_deg is 181.0: it lies between 0 and 180"),
        ("D:0:53:1584/72/1", "altitude_km is 0.0: an orbit lies above the surface"),
        ("D:-5:53:1584/72/1", "is not a shell: write D:ALTITUDE_KM"),
        ("D:550:53:1584/72", "is not a shell: write D:ALTITUDE_KM"),
        ("D:550:53:10/2/1+", "'' is not a shell"),
        ("D:1e3:53:10/2/1", "is not a shell"),
        (
            "D:550:53:99999999999/1/0",
            "99,999,999,999 satellites are more than the 10,000,000 that are allowed",
        ),
    ],
)
def test_codes_that_make_no_sense_are_refused_in_a_sentence(code: str, sentence: str) -> None:
    with pytest.raises(ScenarioError, match=sentence.replace("(", r"\(")):
        constellation(code, EPOCH)


def test_unknown_names_are_answered_with_what_is_allowed() -> None:
    with pytest.raises(ScenarioError, match=r"'starlnk' is no constellation: .*dawn-dusk, kuiper, million"):
        constellation("starlnk", EPOCH)


@pytest.mark.parametrize(
    ("index", "sentence"),
    [(-1, "satellite -1 is not in a constellation of 1584"), (1584, "satellite 1584 is not")],
)
def test_satellites_outside_are_refused(index: int, sentence: str) -> None:
    shells = constellation("starlink-gen1-1", EPOCH)
    assert isinstance(shells, Constellation)
    with pytest.raises(ValueError, match=sentence):
        shells.place(index)
    with pytest.raises(ValueError, match="slot 22 is not in a plane of 22"):
        shells.index(0, 0, 22)
    with pytest.raises(ValueError, match="shell 1 is not in a constellation of 1 shells"):
        shells.index(1, 0, 0)


# Numbers of the FCC's orders and of the filings named in the catalogue.
@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("starlink-gen1", 4408),
        ("Starlink-Gen1-1", 1584),
        ("starlink-gen2", 7500),
        ("starlink-gen2-filed", 29988),
        ("kuiper", 3236),
        ("telesat", 1671),
        ("dawn-dusk", 24),
        ("million", 1_000_000),
    ],
)
def test_ready_made_constellations_hold_as_many_as_were_filed(name: str, count: int) -> None:
    assert constellation(name, EPOCH).count == count


def closest_km(shell: Shell, phasing: int) -> float:
    """Least distance ever between satellites of different planes.

    Speckman, Lang, Boyce, "An analysis of the line of sight vector between two satellites in common altitude circular
    orbits", AIAA 90-2988: 2 R |sin(m/2)| sqrt((1 + cos^2 i + sin^2 i cos dN) / 2), m = du + 2 atan(cos i tan(dN/2)).
    """
    k = np.arange(1, shell.planes)
    nodes, i = np.radians(shell.plane_spacing_deg) * k, math.radians(shell.inclination_deg)
    slot = 2 * np.pi / shell.per_plane
    m = 2 * np.pi * phasing * k / shell.count + 2 * np.arctan(math.cos(i) * np.tan(nodes / 2))
    m = (m + slot / 2) % slot - slot / 2
    chord = np.sqrt((1 + math.cos(i) ** 2 + math.sin(i) ** 2 * np.cos(nodes)) / 2)
    return float(np.min(2 * (EARTH_RADIUS_KM + shell.altitude_km) * np.abs(np.sin(m / 2)) * chord))


def test_closest_approach_of_the_closed_form_is_that_of_the_positions() -> None:
    shell = Shell(550, 53, 5, 4, 2)
    flown = Constellation("five", (shell,))
    between = []
    for t_s in np.arange(0, 5800, 4.0):
        p = flown.positions_km(EPOCH, float(t_s))
        between.append(np.min(np.linalg.norm(p[:4, np.newaxis] - p[np.newaxis, 4:], axis=-1)))
    assert min(between) == pytest.approx(closest_km(shell, 2), rel=1e-3)


@pytest.mark.parametrize(
    "name", ["starlink-gen1", "starlink-gen2", "starlink-gen2-filed", "kuiper", "telesat"]
)
def test_assumed_phasing_keeps_satellites_farthest_apart(name: str) -> None:
    shells = CATALOGUE[name].shells(EPOCH)
    for shell in shells[1:] if name == "starlink-gen1" else shells:  # the first one's phasing is published
        widest = max(closest_km(shell, phasing) for phasing in range(shell.planes))
        assert closest_km(shell, shell.phasing) == pytest.approx(widest)


# Landsat 8: 705 km, 98.2 deg; the others are the usual table of circular sun-synchronous orbits.
@pytest.mark.parametrize(
    ("altitude_km", "inclination_deg"), [(500, 97.40), (600, 97.79), (705, 98.2), (800, 98.60), (1000, 99.48)]
)
def test_sun_synchronous_inclination_is_the_published_one(altitude_km: float, inclination_deg: float) -> None:
    assert sun_synchronous_inclination_deg(altitude_km) == pytest.approx(inclination_deg, abs=0.02)


def test_no_orbit_above_5975_km_is_sun_synchronous() -> None:
    with pytest.raises(ValueError, match="no orbit so high is sun-synchronous"):
        sun_synchronous_inclination_deg(5980)


def test_dawn_dusk_plane_follows_the_sun_through_the_year() -> None:
    orbit = dawn_dusk(EPOCH).orbit(0, 0)
    for month in (1, 4, 7, 10):
        later = datetime(2027, month, 2, tzinfo=UTC)
        anew = dawn_dusk(later).orbit(0, 0).raan_deg
        t_s = (later - EPOCH).total_seconds()
        flown = orbit.raan_deg + math.degrees(orbit.node_rate_rad_s) * t_s
        assert (flown - anew + 180) % 360 - 180 == pytest.approx(0, abs=1e-3)


def test_file_of_element_sets_is_a_constellation(tmp_path: Path) -> None:
    path = tmp_path / "one.tle"
    path.write_text(
        "1 00005U 58002B   00179.78495062  .00000023  00000-0  28098-4 0  4753\n"
        "2 00005  34.2682 348.7242 1859667 331.7664  19.3264 10.82419157413667\n"
    )
    assert constellation(str(path), EPOCH).count == 1
