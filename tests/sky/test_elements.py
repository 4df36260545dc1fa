"""Element sets against the verification of SGP4, real files, and files that are wrong."""

import json
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import sgp4
from astropy import units as u
from astropy.coordinates import ITRS, TEME, CartesianRepresentation, EarthLocation
from astropy.time import Time, TimeDelta

from ascnode.errors import ScenarioError
from ascnode.sky.constellation import constellation
from ascnode.sky.elements import ElementOrbit, ElementSets, load_elements
from ascnode.sky.passes import passes
from ascnode.sky.places import Site
from ascnode.sky.stations import earth_fixed
from ascnode.sky.tle import parse_tle

REPOSITORY = Path(__file__).resolve().parents[2]
LINE1 = "1 00005U 58002B   00179.78495062  .00000023  00000-0  28098-4 0  4753"
LINE2 = "2 00005  34.2682 348.7242 1859667 331.7664  19.3264 10.82419157413667"
ARABIC_34 = "\u0663\u0664"
# The same satellite as an orbit mean-elements message.
OMM = {
    "OBJECT_NAME": "VANGUARD 1",
    "OBJECT_ID": "1958-002B",
    "EPOCH": "2000-06-27T18:50:19.733568",
    "MEAN_MOTION": "10.82419157",
    "ECCENTRICITY": ".1859667",
    "INCLINATION": "34.2682",
    "RA_OF_ASC_NODE": "348.7242",
    "ARG_OF_PERICENTER": "331.7664",
    "MEAN_ANOMALY": "19.3264",
    "EPHEMERIS_TYPE": "0",
    "CLASSIFICATION_TYPE": "U",
    "NORAD_CAT_ID": "5",
    "ELEMENT_SET_NO": "475",
    "REV_AT_EPOCH": "41366",
    "BSTAR": ".28098E-4",
    "MEAN_MOTION_DOT": ".23E-6",
    "MEAN_MOTION_DDOT": "0",
}


def verification() -> tuple[list[ElementOrbit], dict[int, np.ndarray]]:
    """The sets of Vallado's verification, and its results: rows of minutes and positions by satellite."""
    folder = Path(sgp4.__file__).parent
    names, records = parse_tle(
        (folder / "SGP4-VER.TLE").read_text(), checksums=False
    )  # three were edited by hand
    expected: dict[int, list[list[float]]] = {}
    for line in (folder / "tcppver.out").read_text().splitlines():
        if line.endswith("xx"):
            rows = expected.setdefault(int(line.split()[0]), [])
        elif line.strip():
            rows.append([float(number) for number in line.split()[:4]])
    orbits = []
    for name, record in zip(names, records, strict=True):
        days = record.jdsatepoch - 2451545.0 + record.jdsatepochF
        orbits.append(ElementOrbit(name, record, datetime(2000, 1, 1, 12, tzinfo=UTC) + timedelta(days=days)))
    return orbits, {number: np.array(rows) for number, rows in expected.items()}


def test_positions_are_those_of_the_published_verification() -> None:
    orbits, expected = verification()
    assert len(orbits) == 33
    failed = []
    for orbit in orbits:
        for minutes, *position in expected[orbit.record.satnum]:
            try:
                # The epoch is a datetime: a microsecond of it is 1e-5 km.
                assert orbit.position_km(60 * minutes) == pytest.approx(position, abs=1e-5), orbit.name
            except ScenarioError as error:
                failed.append(str(error))
    assert failed == ["33334: perturbed eccentricity is outside the range 0.0 to 1.0"]  # made to fail


def test_array_of_all_sets_is_each_by_itself() -> None:
    orbits, _ = verification()
    together = ElementSets("all", [one.name for one in orbits], [one.record for one in orbits])
    epoch = datetime(2006, 6, 20, tzinfo=UTC)
    positions = together.positions_km(epoch, 3600.0)
    assert positions.shape == (33, 3)
    failed = np.isnan(positions[:, 0])
    assert 0 < np.count_nonzero(failed) < 20
    for index in range(33):
        orbit = together.orbit(index, epoch)
        if failed[index]:
            with pytest.raises(ScenarioError, match=f"^{orbit.name}: "):
                orbit.position_km(3600.0)
        else:
            assert np.array_equal(positions[index], orbit.position_km(3600.0))
    assert orbits[0].position_km(np.zeros((2, 3))).shape == (2, 3, 3)


def starlink() -> Path:
    path = REPOSITORY.parent / "shared" / "data" / "sky" / "starlink_2022-09.tle"
    if not path.is_file():
        pytest.skip(f"no {path.name}: get it from SpaceNetLab/StarryNet on GitHub into ../shared/data/sky")
    return path


def test_real_file_is_read_whole() -> None:
    sets = load_elements(starlink())
    assert sets.count == 3023
    assert sets.label(0) == "STARLINK-24"
    radius = np.linalg.norm(sets.positions_km(datetime(2022, 9, 14, 12, tzinfo=UTC), 0.0), axis=-1)
    assert np.count_nonzero((radius > 6378 + 150) & (radius < 6378 + 650)) > 3000


@pytest.fixture(params=["json", "csv", "xml", "kvn"])
def omm_text(request: pytest.FixtureRequest) -> str:
    if request.param == "json":
        return json.dumps([OMM])
    if request.param == "csv":
        return ",".join(OMM) + "\r\n" + ",".join(OMM.values()) + "\r\n"
    if request.param == "kvn":
        return "CCSDS_OMM_VERS = 2.0\n" + "\n".join(f"{key} = {value}" for key, value in OMM.items())
    keys = list(OMM)

    def tags(part: list[str]) -> str:
        return "".join(f"<{key}>{OMM[key]}</{key}>" for key in part)

    return (
        f"<ndm><omm><body><segment><metadata>{tags(keys[:2])}</metadata><data><meanElements>{tags(keys[2:9])}"
        f"</meanElements><tleParameters>{tags(keys[9:])}</tleParameters></data></segment></body></omm></ndm>"
    )


def test_omm_of_any_form_flies_as_the_tle(omm_text: str, tmp_path: Path) -> None:
    (tmp_path / "one.tle").write_text(f"0 VANGUARD 1\n{LINE1}\n{LINE2}\n")
    (tmp_path / "one.omm").write_text(omm_text)
    tle, omm = load_elements(tmp_path / "one.tle"), load_elements(tmp_path / "one.omm")
    assert list(omm.names) == list(tle.names) == ["VANGUARD 1"]
    epoch = datetime(2000, 6, 28, tzinfo=UTC)
    assert omm.positions_km(epoch, 0.0) == pytest.approx(tle.positions_km(epoch, 0.0), abs=1e-4)


def test_what_omm_writers_leave_out_does_not_matter(tmp_path: Path) -> None:
    bare = {
        key: value for key, value in OMM.items() if key not in ("ELEMENT_SET_NO", "REV_AT_EPOCH", "OBJECT_ID")
    }
    (tmp_path / "bare.json").write_text(json.dumps({**bare, "EPOCH": "2000-06-27T18:50:19.733568Z"}))
    assert load_elements(tmp_path / "bare.json").count == 1


def test_names_comments_blank_lines_and_hypatias_header_are_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "hypatia.txt").write_text(
        f"1 1\nStarlink-550 0\n{LINE1}\n{LINE2}\n\n# next\n{LINE1}\n{LINE2}  0.0 1\n"
    )
    sets = load_elements(tmp_path / "hypatia.txt")
    assert list(sets.names) == ["Starlink-550 0", "5"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no element set is in it"),
        ("hello\nworld\n", "line 2: an element set's first line is expected here"),
        (f"{LINE1}\n", "line 1: the file ends within an element set"),
        (f"{LINE1}\n{LINE1}\n", "line 2: an element set's second line is expected here"),
        (f"{LINE2}\n{LINE1}\n", "line 1: an element set's first line is expected here"),
        (f"A\n{LINE1[:-1]}4\n{LINE2}\n", "line 2: its checksum is 4, its characters sum to 3"),
        (f"A\n{LINE1}\n{LINE2[:60]}\n", "line 3: it has 60 columns, an element set's line has 69"),
        (
            f"{LINE1}\n{LINE2.replace('00005', '00014')}\n",
            "line 2: it belongs to 00014, the line above to 00005",
        ),
        (
            f"{LINE1}\n{LINE2.replace('34.2682', '34.26x2')[:-1]}9\n",
            "line 2: its columns are not those of an",
        ),
        (f"{LINE1}\n{LINE2.replace('34', ARABIC_34)}\n", "line 2: an element set is written in ASCII"),
        ("{", "not JSON"),
        ("[1, 2]", "it is JSON, but no list of element sets"),
        ("[]", "no element set is in it"),
        ("[" * 100_000, "not JSON"),
        ("<ndm>", "not XML"),
        ("<ndm><segment/></ndm>", "it is XML, but no orbit mean-elements message"),
        (json.dumps([OMM, {**OMM, "EPOCH": "yesterday"}]), "record 2: Invalid isoformat string"),
        (json.dumps({**OMM, "BSTAR": "much"}), "record 1: could not convert string to float: 'much'"),
        (json.dumps({**OMM, "MEAN_MOTION": None}), "record 1: MEAN_MOTION is missing"),
        (json.dumps({**OMM, "EPHEMERIS_TYPE": "4"}), "record 1: its elements are for SGP4-XP"),
        (f"{','.join(OMM)}\n{','.join(OMM.values())}\n1,2\n", "line 3: EPOCH is missing"),
    ],
)
def test_wrong_files_are_refused_with_the_line(text: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError, match=sentence) as refused:
        constellation(str(path), datetime(2026, 3, 20, tzinfo=UTC))
    assert str(refused.value).startswith(f"{path}: ")


def test_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    with pytest.raises(ScenarioError, match="binary: not a text file"):
        load_elements(tmp_path / "binary")
    with pytest.raises(ScenarioError, match=r"Is a directory|Permission"):
        load_elements(tmp_path)


def test_satellite_outside_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "one.tle").write_text(f"{LINE1}\n{LINE2}\n")
    with pytest.raises(ValueError, match="satellite 1 is not among the 1 of one"):
        load_elements(tmp_path / "one.tle").orbit(1, datetime(2000, 6, 28, tzinfo=UTC))


def test_passes_of_element_sets_are_astropys() -> None:
    # TEME to ITRS with UT1 and polar motion of 2006, whose tables astropy carries.
    orbits, _ = verification()
    (orbit,) = (one for one in orbits if one.name == "6251" and one.record.ecco < 0.01)
    site = Site("Alice Springs", -23.7, 133.88, 545)
    found = passes(orbit, [site], orbit.epoch, 0.0, 3 * 86400.0, 10.0)
    assert len(found) > 5
    place = EarthLocation.from_geodetic(133.88 * u.deg, -23.7 * u.deg, 545 * u.m)
    up = earth_fixed([site])[1][0]
    for one in found:
        for t_s, expected in ((one.rise_s, 10), (one.set_s, 10), (one.culmination_s, one.max_elevation_deg)):
            instant = Time(orbit.epoch) + TimeDelta(t_s, format="sec")
            inertial = TEME(CartesianRepresentation(orbit.position_km(t_s) * u.km), obstime=instant)
            sight = inertial.transform_to(ITRS(obstime=instant)).cartesian - place.get_itrs(instant).cartesian
            sine = sight.xyz.to_value("km") @ up / sight.norm().to_value("km")
            assert math.degrees(math.asin(sine)) == pytest.approx(expected, abs=0.02)
