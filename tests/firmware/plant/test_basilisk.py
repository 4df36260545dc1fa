"""Both cases that Basilisk 2.12, an independent astrodynamics framework, has flown (PHYSICS, "Cases to reproduce")."""

from dataclasses import dataclass

import numpy as np
import pytest

from ascnode.scenario.hardware import Hardware, plant_words
from ascnode_fw.plant import layout as at
from ascnode_fw.plant.model import Plant
from firmware.plant.nodes import scaled
from firmware.plant.orbits import SunlitOrbit

CAPACITY_GATE = 0.002
TEMPERATURE_GATE_K = 0.1
CAPACITY_WH = 300.0

# Its battery and array use S = 1361; its thermal module S = 1366 and another sigma.
NODE = Hardware(
    array_m2=1.0,
    cell_efficiency=0.30,
    mppt=0.97,
    battery_wh=CAPACITY_WH,
    charge_efficiency=1.0,
    discharge_efficiency=1.0,
    initial_charge=0.8,
    bus_heat_w=40.0,
    radiator_m2=0.1,
    radiator_absorptivity=0.25 * 1366 / 1361,
    radiator_emissivity=0.85,
    radiator_view_factor=0.0,
    radiator_j_per_k=1780.0,
    stefan_boltzmann_w_m2_k4=5.76051e-8,
    conductance_w_per_k=0.0,
)


@dataclass(frozen=True)
class Case:
    """Three orbits at 1 s."""

    orbit: SunlitOrbit
    load_w: float
    eclipse_fraction: float
    array_w: float
    least_wh: float
    last_wh: float
    hottest_c: float
    last_c: float


# The first starts below the Sun. The second starts at its ascending node, at 18 h local time in June: a quarter of an
# orbit before the point that is nearest the Sun.
CASES = {
    "550 km, 53 deg": Case(SunlitOrbit(550, 0, 0), 230, 0.37232, 248.60, 163.68, 246.64, 71.59, 64.31),
    "650 km SSO": Case(SunlitOrbit(650, 58.57, -90), 280, 0.20189, 316.09, 208.42, 236.35, 75.38, 64.79),
}


@dataclass(frozen=True)
class Flown:
    """The same figures of the plant, at size 1."""

    eclipse_fraction: float
    array_w: float
    least_wh: float
    last_wh: float
    hottest_c: float
    last_c: float


def fly(case: Case, size: int) -> Flown:
    words = plant_words(scaled(NODE.model_copy(update={"bus_load_w": case.load_w}), size), 1000)
    plant = Plant(words)
    plant.set_input(at.COS_ARRAY, 1024)
    plant.set_input(at.COS_RADIATOR, 1024)
    lit, _ = case.orbit.sun(np.arange(round(3 * case.orbit.period_s), dtype=np.float64))
    energy, array, kelvin = [], [], []
    state = plant.state
    for word in np.rint(lit * 1024).astype(int).tolist():
        state[at.ILLUMINATION] = word
        plant.step()
        energy.append(state[at.ENERGY_J])
        array.append(state[at.ARRAY_PW])
        kelvin.append(state[at.T_RADIATOR_UK] * 1e-6)
    unit = 2 ** words[at.SCALE_K] / size
    return Flown(
        eclipse_fraction=float(1 - lit.mean()),
        array_w=float(np.mean(array)) * unit / 1000,
        least_wh=min(energy) * unit / 3600,
        last_wh=energy[-1] * unit / 3600,
        hottest_c=max(kelvin) - 273.15,
        last_c=kelvin[-1] - 273.15,
    )


@pytest.mark.parametrize("size", [1, 40])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_three_orbits_agree_with_basilisk(case: Case, size: int) -> None:
    flown = fly(case, size)
    assert flown.eclipse_fraction == pytest.approx(case.eclipse_fraction, abs=2e-4)
    assert flown.array_w == pytest.approx(case.array_w, rel=CAPACITY_GATE)
    assert flown.least_wh == pytest.approx(case.least_wh, abs=CAPACITY_GATE * CAPACITY_WH)
    assert flown.last_wh == pytest.approx(case.last_wh, abs=CAPACITY_GATE * CAPACITY_WH)
    assert flown.hottest_c == pytest.approx(case.hottest_c, abs=TEMPERATURE_GATE_K)
    assert flown.last_c == pytest.approx(case.last_c, abs=TEMPERATURE_GATE_K)
