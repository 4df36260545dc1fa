"""Counts of the 12-bit converter against the quantities they stand for."""

import math
from array import array

import pytest

from ascnode.scenario.hardware import Hardware
from ascnode_fw.plant import layout as at
from firmware.plant.nodes import plant_of, scaled

# State of charge and open-circuit voltage (PHYSICS, "Numbers to start from").
CELL_MV = {0: 3150, 0.15: 3390, 0.3: 3630, 0.5: 3780, 0.6: 3880, 0.7: 3980, 0.85: 4090, 1: 4200}


@pytest.mark.parametrize("size", [0.004, 1, 500])
@pytest.mark.parametrize(("charge", "millivolts"), CELL_MV.items())
def test_cell_voltage_follows_the_state_of_charge(charge: float, millivolts: int, size: float) -> None:
    plant = plant_of(scaled(Hardware(initial_charge=charge), size))
    counts = array("H", [0] * at.SENSOR_WORDS)
    plant.sample(counts)
    assert counts[at.CELL_VOLTAGE] == pytest.approx(4096 * millivolts / 5000, abs=1.2)


@pytest.mark.parametrize(
    ("microkelvin", "count"),
    [
        (155_000_000, 0),
        (155_075_683, 0),
        (155_075_684, 1),
        (293_150_000, 1825),
        (361_234_567, 2724),
        (464_924_316, 4094),
        (464_924_317, 4095),
        (465_000_000, 4095),
    ],
)
def test_temperatures_are_counted_from_155_to_465_k(microkelvin: int, count: int) -> None:
    assert count == min(4095, math.floor(4096 * (microkelvin * 1e-6 - 155) / 310 + 1e-9))
    plant = plant_of(Hardware())
    plant.state[at.T_ACCEL_UK] = max(microkelvin, at.T_MIN_ACCEL_UK)
    plant.state[at.T_RADIATOR_UK] = microkelvin
    counts = array("i", [-1] * at.SENSOR_WORDS)
    plant.sample(counts)
    assert counts[at.T_RADIATOR] == count
    assert counts[at.T_ACCEL] == max(count, 660)


def test_powers_are_counted_in_256_pw_and_saturate_like_a_converter() -> None:
    plant = plant_of(Hardware())
    counts = array("i", [0] * at.SENSOR_WORDS)
    for power, count in ((0, 0), (255, 0), (256, 1), (472_093, 1844), (1_048_575, 4095), (3_000_000, 4095)):
        plant.state[at.ARRAY_PW] = power
        plant.state[at.LOAD_PW] = power // 2
        plant.sample(counts)
        assert counts[at.ARRAY_POWER] == count
        assert counts[at.LOAD_POWER] == min(4095, power // 512)
