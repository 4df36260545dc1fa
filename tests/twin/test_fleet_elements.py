"""Real element sets in the fleet: circles close to where SGP4 has the satellites, and their light."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ascnode.errors import ScenarioError
from ascnode.scenario.hardware import Hardware
from ascnode.sky.eclipse import illumination
from ascnode.sky.elements import ElementSets, load_elements
from ascnode.sky.sun import sun_direction
from ascnode.twin.fleet.classes import NodeClass
from ascnode.twin.fleet.elements import planes_of
from ascnode.twin.fleet.fleet import Fleet

# Nearly circular orbits written for this test: like that of the ISS, and a polar one.
EPOCH = datetime(2022, 9, 21, tzinfo=UTC)
CIRCLES = """\
ISS
1 25544U 98067A   22264.00000000  .00000000  00000-0  00000-0 0    04
2 25544  51.6400 150.0000 0002500  90.0000  20.0000 15.50000000    00
POLAR
1 44713U 19074A   22264.00000000  .00000000  00000-0  00000-0 0    00
2 44713  97.6000  40.0000 0001500  70.0000 200.0000 15.06000000    00
"""


def checked(text: str) -> str:
    """Element lines with their check digits."""
    lines = text.splitlines()
    for i, line in enumerate(lines):
        if line[:2] in ("1 ", "2 "):
            digits = sum(int(c) if c.isdigit() else c == "-" for c in line[:68])
            lines[i] = f"{line[:68]}{digits % 10}"
    return "\n".join(lines) + "\n"


@pytest.fixture
def elements(tmp_path: Path) -> ElementSets:
    path = tmp_path / "circles.tle"
    path.write_text(checked(CIRCLES))
    return load_elements(path)


def test_light_over_an_orbit_is_that_of_sgp4s_positions(elements: ElementSets) -> None:
    fleet = Fleet.of(elements, EPOCH, [NodeClass()])
    full_w, mine, expected = Hardware().array_full_sun_w, [], []
    for t_s in np.arange(0.0, 6000.0, 10.0):
        mine.append(fleet.array_w(float(t_s)) / full_w)
        expected.append(illumination(elements.positions_km(EPOCH, float(t_s)), sun_direction(EPOCH, t_s)))
    # J2's short-periodic terms move a satellite by some 10 km, a second or two of flight at each edge.
    assert np.mean(mine, axis=0) == pytest.approx(np.mean(expected, axis=0), abs=0.003)
    assert 0.2 < np.mean(expected) < 0.9


def test_planes_follow_the_elements(elements: ElementSets) -> None:
    planes, lost = planes_of(elements, EPOCH)
    assert not lost.any()
    assert np.degrees(planes.inclination_rad) == pytest.approx([51.64, 97.6], abs=0.05)
    assert np.degrees(planes.raan_rad) == pytest.approx([150, 40], abs=0.05)
    assert 2 * np.pi / planes.latitude_rate_rad_s == pytest.approx([86400 / 15.5, 86400 / 15.06], rel=2e-3)


class Decaying(ElementSets):
    """The first so many satellites have come down."""

    gone = 1

    def positions_km(self, epoch: datetime, t_s: float, out: Any = None) -> Any:
        positions = super().positions_km(epoch, t_s, out)
        positions[: self.gone] = np.nan
        return positions


def test_a_satellite_that_is_not_in_orbit_is_held_and_keeps_its_number(elements: ElementSets) -> None:
    fleet = Fleet.of(Decaying(elements.name, elements.names, elements.records), EPOCH, [NodeClass()])
    fleet.step(10.0)
    assert fleet.state.hold.tolist() == [2, 0]
    assert np.isfinite(fleet.charge).all()


def test_a_file_without_a_satellite_in_orbit_is_refused(
    elements: ElementSets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Decaying, "gone", 2)
    with pytest.raises(ScenarioError, match="circles: no satellite is in orbit at 2022-09-21"):
        planes_of(Decaying(elements.name, elements.names, elements.records), EPOCH)
