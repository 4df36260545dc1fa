"""The plant against formulas that can be solved by hand (PHYSICS, "Cases to reproduce")."""

import random

import pytest

from ascnode_fw.plant import layout as at
from ascnode_fw.plant.model import Plant
from firmware.plant.nodes import PLATE, kelvin, plant_of, run, scaled

SETTLING_GATE_K = 0.01
COOLING_GATE_S = 0.3


@pytest.mark.parametrize("size", [1, 57])
@pytest.mark.parametrize(("heat_w", "settles_k"), [(100, 242.496), (200, 288.378), (300, 319.143)])
def test_a_radiating_plate_settles_where_emission_meets_heat(
    size: int, heat_w: float, settles_k: float
) -> None:
    plate = PLATE.model_copy(update={"bus_heat_w": heat_w, "radiator_j_per_k": 150.0})
    plant = plant_of(scaled(plate, size))
    run(plant, 2000)
    assert kelvin(plant) == pytest.approx(settles_k, abs=SETTLING_GATE_K)


@pytest.mark.parametrize(("size", "step_ms"), [(1, 1000), (57, 1000), (1, 250), (1, 5000)])
def test_a_radiating_plate_cools_from_60_to_20_c_in_583_s(size: int, step_ms: int) -> None:
    plate = PLATE.model_copy(update={"radiator_j_per_k": 4000.0, "initial_radiator_c": 60.0})
    plant = plant_of(scaled(plate, size), step_ms)
    before, steps = kelvin(plant), 0
    while kelvin(plant) > 293.15:
        before, steps = kelvin(plant), steps + 1
        plant.step()
    part = (before - 293.15) / (before - kelvin(plant))
    assert (steps - 1 + part) * step_ms / 1000 == pytest.approx(583.24, abs=COOLING_GATE_S)


def test_accelerator_lies_above_its_radiator_by_heat_over_conductance() -> None:
    hot = PLATE.model_copy(update={"conductance_w_per_k": 4.0, "leakage_w": 0.0, "radiator_j_per_k": 150.0})
    plant = plant_of(hot, ACCEL_ON=1, ACCEL_PW=100_000)
    run(plant, 8000)
    assert kelvin(plant) == pytest.approx(242.496, abs=SETTLING_GATE_K)
    assert (plant.state[at.T_ACCEL_UK] - plant.state[at.T_RADIATOR_UK]) * 1e-6 == pytest.approx(
        25.0, abs=0.02
    )


def test_leakage_doubles_every_25_k() -> None:
    for celsius, watts in ((25, 4.0), (50, 8.0), (87.5, 4 * 2**2.5)):
        node = PLATE.model_copy(update={"initial_accelerator_c": float(celsius)})
        plant = plant_of(node, ACCEL_ON=1)
        plant.step()
        assert plant.state[at.LEAK_PW] == pytest.approx(watts * 1000, rel=1.5e-3)


def _stored_uj(plant: Plant) -> int:
    return plant.state[at.ENERGY_J] * 1_000_000 + plant.state[at.ENERGY_UJ]


def test_lossless_battery_closes_its_energy_sum_exactly() -> None:
    # Through empty and full, so that what is shunted and what is not served is in the sum too.
    rng = random.Random(20260320)
    node = PLATE.model_copy(update={"array_m2": 1.1, "battery_wh": 1.37, "bus_load_w": 137.0})
    plant = plant_of(node, COS_ARRAY=1003)
    start_uj, sum_uj = _stored_uj(plant), 0
    for _ in range(20_000):
        if rng.random() < 0.02:
            plant.set_input(at.ILLUMINATION, rng.choice((0, 1024, rng.randrange(1025))))
            plant.set_input(at.EXTRA_PW, rng.randrange(200_000))
        plant.step()
        sum_uj += (plant.state[at.ARRAY_PW] - plant.state[at.LOAD_PW]) * 1000
    s = plant.state
    shunted_uj = s[at.SHUNTED_J] * 1_000_000 + s[at.SHUNTED_UJ]
    unserved_uj = s[at.UNSERVED_J] * 1_000_000 + s[at.UNSERVED_UJ]
    assert shunted_uj > 10**9 and unserved_uj > 10**9
    assert _stored_uj(plant) - start_uj == sum_uj - shunted_uj + unserved_uj


def test_losses_both_ways_lose_no_remainder() -> None:
    # 0.97 is 3/100 lost going in and 3/97 more drawn coming out; a million odd powers leave less than a 2^k uJ pw.
    node = PLATE.model_copy(
        update={
            "charge_efficiency": 0.97,
            "discharge_efficiency": 0.97,
            "initial_charge": 0.5,
            "array_m2": 1.0,
        }
    )
    rng = random.Random(7)
    plant = plant_of(node, COS_ARRAY=1024)
    start_uj, into, out = _stored_uj(plant), 0, 0
    for _ in range(20_000):
        plant.set_input(at.ILLUMINATION, rng.randrange(1025))
        plant.set_input(at.EXTRA_PW, rng.randrange(400_000))
        plant.step()
        net = plant.state[at.ARRAY_PW] - plant.state[at.LOAD_PW]
        into, out = into + max(net, 0), out + max(-net, 0)
    assert plant.take_events() == 0
    assert _stored_uj(plant) - start_uj == (into - into * 3 // 100 - out - out * 3 // 97) * 1000


def test_array_power_is_area_times_sun_times_efficiencies() -> None:
    plant = plant_of(PLATE.model_copy(update={"array_m2": 1.0}), ILLUMINATION=768, COS_ARRAY=512)
    plant.step()
    assert plant.state[at.ARRAY_PW] == pytest.approx(1361 * 0.298 * 0.97 * 0.75 * 0.5 * 1000, abs=2)
