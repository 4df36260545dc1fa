"""The fleet's light against ascnode.sky: the visible Sun, and when the next eclipse begins and ends."""

import numpy as np
import pytest

from ascnode.scenario.hardware import Hardware
from ascnode.sky.constellation import Constellation
from ascnode.sky.eclipse import eclipse_fraction, illumination, whole_eclipses
from ascnode.sky.shells import Shell
from ascnode.sky.sun import sun_direction
from ascnode.twin.fleet.classes import NodeClass
from ascnode.twin.fleet.fleet import Fleet
from ascnode.twin.fleet.sky import plane_rows
from twin.nodes import EPOCH


@pytest.mark.parametrize(("real", "wide"), [(np.float32, 1e-4), (np.float64, 1e-9)])
@pytest.mark.parametrize("altitude_km", [420.0, 550.0, 1200.0, 20_200.0])
def test_illumination_agrees_with_two_overlapping_discs(altitude_km: float, real: type, wide: float) -> None:
    shell = Constellation("ring", (Shell(altitude_km, 53.0, 3, 30_000, 1),))
    fleet = Fleet.of(shell, EPOCH, [NodeClass()], real=real, now_s=10_000.0)
    mine = fleet.array_w() / Hardware().array_full_sun_w
    expected = illumination(shell.positions_km(EPOCH, 10_000.0), sun_direction(EPOCH, 10_000.0))
    partly = (expected > 0) & (expected < 1)
    assert np.count_nonzero(partly) > 50 or altitude_km > 10_000
    # A straight limb for a round one: the Earth looks 240 times the Sun's size in low orbit, 50 times at 20,200 km.
    assert np.abs(mine - expected).max() < (2e-3 if altitude_km < 10_000 else 8e-3)
    clear = (expected == 1) | (expected == 0)
    assert np.abs(mine - expected)[clear].max() < max(wide, 1e-3)


@pytest.mark.parametrize("raan_deg", [0.0, 60.0, 120.0])
def test_the_mean_shadow_is_that_of_the_closed_form(raan_deg: float) -> None:
    shell = Constellation("ring", (Shell(550.0, 53.0, 1, 100_000, raan0_deg=raan_deg),))
    fleet = Fleet.of(shell, EPOCH, [NodeClass()], prescribed=True)
    orbit, sun = shell.orbit(0), sun_direction(EPOCH, 0.0)
    beta_deg = float(np.degrees(np.arcsin(orbit.plane_normal(0.0) @ sun)))
    dark = 1 - np.mean(fleet.array_w().astype(np.float64)) / Hardware().array_full_sun_w
    assert dark == pytest.approx(eclipse_fraction(550.0, beta_deg), abs=1e-4)


@pytest.mark.parametrize("plane", range(4))
def test_light_and_dark_ahead_agree_with_the_eclipses_of_the_orbit(plane: int) -> None:
    shell = Constellation("ring", (Shell(550.0, 53.0, 4, 10, 1),))
    orbit = shell.orbit(10 * plane)
    row = plane_rows(shell.planes, 0.0, sun_direction(EPOCH), np.float64)[plane]
    first = next(e for e in whole_eclipses(orbit, EPOCH, 0.0, 2 * orbit.period_s))
    light_s = max(0.0, row["lit_turns"] - row["since_turns"]) * row["period_s"]
    # Plane and Sun are held still meanwhile: in the 4,700 s ahead they move by up to 0.5 deg, 8 s of flight.
    assert light_s == pytest.approx(max(0.0, first.penumbra_start_s), abs=9.0)
    assert (1 - row["since_turns"]) * row["period_s"] == pytest.approx(first.penumbra_end_s, abs=9.0)


def test_without_eclipses_the_next_hour_is_forecast() -> None:
    shell = Constellation("high", (Shell(1500.0, 90.0, 1, 10, raan0_deg=90.0),))
    row = plane_rows(shell.planes, 0.0, sun_direction(EPOCH), np.float64)[0]
    assert (row["lit_turns"], row["period_s"], row["hour_s"]) == (1.0, 0.0, 3600.0)
