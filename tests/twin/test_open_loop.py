"""The fleet's plant against the firmware's integers in CPython: several nodes, orbits and loads, second by second."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from ascnode.scenario.hardware import Hardware, plant_words, vertical_view_factor
from ascnode.sky.constellation import Constellation
from ascnode.sky.environment import RadiatorFace, environment
from ascnode.sky.shells import Shell
from ascnode.twin.fleet.classes import NodeClass
from ascnode.twin.fleet.fleet import Fleet
from ascnode_fw.plant import layout as at
from ascnode_fw.plant.model import Plant
from firmware.plant.nodes import scaled
from twin.nodes import EPOCH

CAPACITY_GATE = 0.002
TEMPERATURE_GATE_K = 0.1
SECONDS = 9000

LOW = Hardware(radiator_view_factor=vertical_view_factor(420), initial_charge=0.55, leakage_w=5.0)
HIGH = Hardware(
    array_m2=0.9,
    radiator_m2=0.75,
    radiator_view_factor=vertical_view_factor(1200),
    radiator_absorptivity=0.22,
)
SMALL = Hardware(array_m2=0.4, battery_wh=60.0, initial_charge=0.3)  # runs empty


@dataclass(frozen=True)
class Case:
    """A node, the way it faces, and its age."""

    hardware: Hardware
    face: RadiatorFace = "edge"
    years: float = 0.0


# One satellite of each of five shells.
CASES = (
    Case(LOW),
    Case(HIGH, "zenith", years=5.0),
    Case(scaled(HIGH, 50), "sun"),
    Case(scaled(LOW, 0.055), "nadir"),
    Case(SMALL),
)
SKY = Constellation(
    "five",
    (
        Shell(420.0, 51.6, 1, 1, 0),
        Shell(1200.0, 87.9, 1, 1, 0),
        Shell(700.0, 98.2, 1, 1, 0),
        Shell(500.0, 53.0, 1, 1, 0),
        Shell(550.0, 30.0, 1, 1, 0),
    ),
)


def loads(seed: int) -> Iterator[tuple[float, bool, bool]]:
    """Of each second: share of the fastest point's power, accelerator on, radio on; changes every few minutes."""
    rng = np.random.default_rng(seed)
    while True:
        share, on = rng.choice([0.0, 0.1, 0.3, 0.5, 0.75, 1.0]), bool(rng.random() < 0.85)
        for second in range(int(rng.integers(200, 900))):
            yield float(share), on, second % 500 < 200


def prescribe(fleet: Fleet, load: tuple[float, bool, bool]) -> None:
    share, on, radio = load
    tops = np.array([case.hardware.operating_points[-1].power_w for case in CASES])
    fleet.state.prescribed_w[:] = share * tops
    fleet.state.prescribed_on[:] = on
    fleet.state.prescribed_extra_w[:] = radio * np.array([case.hardware.radio_w for case in CASES])


def fly_plant(number: int, case: Case, seed: int) -> np.ndarray:
    """Energy J and both temperatures K after each second, (SECONDS, 3)."""
    words = plant_words(case.hardware, 1000)
    plant, unit = Plant(words), 2.0 ** words[at.SCALE_K]
    plant.set_input(at.AGE_DAYS, round(case.years * 365.25))
    lights = environment(SKY.orbit(number), EPOCH, np.arange(SECONDS) + 0.5, case.face).in_1024().tolist()
    rows = []
    for light, (share, on, radio) in zip(lights, loads(seed), strict=False):
        for word, value in zip(
            (at.ILLUMINATION, at.COS_ARRAY, at.COS_RADIATOR, at.ALBEDO), light, strict=True
        ):
            plant.set_input(word, value)
        power_w = share * case.hardware.operating_points[-1].power_w
        plant.set_input(at.ACCEL_PW, round(power_w * 1000 / unit))
        plant.set_input(at.ACCEL_ON, int(on))
        plant.set_input(at.EXTRA_PW, round(radio * case.hardware.radio_w * 1000 / unit))
        plant.step()
        s = plant.state
        rows.append((s[at.ENERGY_J] * unit, s[at.T_ACCEL_UK] * 1e-6, s[at.T_RADIATOR_UK] * 1e-6))
    return np.array(rows)


@pytest.mark.parametrize(("real", "seed"), [(np.float32, 1), (np.float32, 2), (np.float64, 3)])
def test_every_second_stays_within_the_gates_of_the_firmwares_plant(real: type, seed: int) -> None:
    classes = [NodeClass(case.hardware, radiator_face=case.face) for case in CASES]
    fleet = Fleet.of(SKY, EPOCH, classes, np.arange(len(CASES)), real=real, prescribed=True)
    fleet.state.array_left[:] = [(1 - 0.02) ** case.years for case in CASES]
    mine = np.empty((SECONDS, len(CASES), 3))
    for second, load in zip(range(SECONDS), loads(seed), strict=False):
        prescribe(fleet, load)
        fleet.step_open(1.0)
        s = fleet.state
        mine[second] = np.stack([s.energy_j, s.accelerator_k, s.radiator_k], axis=-1)
    for number, case in enumerate(CASES):
        apart = np.abs(mine[:, number] - fly_plant(number, case, seed)).max(axis=0)
        assert apart[0] <= CAPACITY_GATE * case.hardware.battery_wh * 3600
        assert apart[1] <= TEMPERATURE_GATE_K and apart[2] <= TEMPERATURE_GATE_K
    assert np.min(mine[:, 4, 0]) == 0  # the small node was empty, and recovered
    assert mine[-1, 4, 0] > 0 or fleet.state.unserved_j[4] > 0


@pytest.mark.parametrize("step_s", [5.0, 10.0])
def test_longer_steps_end_where_the_firmwares_plant_does(step_s: float) -> None:
    node = NodeClass(LOW)
    fleet = Fleet.of(Constellation("one", SKY.shells[:1]), EPOCH, [node], real=np.float32, prescribed=True)
    fleet.state.prescribed_w[:], fleet.state.prescribed_on[:] = 95.0, 1.0
    plant = Plant(plant_words(LOW, 1000))
    plant.set_input(at.ACCEL_PW, 95_000)
    plant.set_input(at.ACCEL_ON, 1)
    lights = environment(SKY.orbit(0), EPOCH, np.arange(SECONDS) + 0.5).in_1024().tolist()
    for second, (lit, _, _, albedo) in enumerate(lights, start=1):
        for word, value in ((at.ILLUMINATION, lit), (at.COS_ARRAY, 1024), (at.ALBEDO, albedo)):
            plant.set_input(word, value)
        plant.step()
        if second % step_s == 0:
            fleet.step_open(step_s)
            s, p = fleet.state, plant.state
            assert s.energy_j[0] == pytest.approx(p[at.ENERGY_J], abs=CAPACITY_GATE * LOW.battery_wh * 3600)
            assert s.accelerator_k[0] == pytest.approx(p[at.T_ACCEL_UK] * 1e-6, abs=TEMPERATURE_GATE_K)
            assert s.radiator_k[0] == pytest.approx(p[at.T_RADIATOR_UK] * 1e-6, abs=TEMPERATURE_GATE_K)
