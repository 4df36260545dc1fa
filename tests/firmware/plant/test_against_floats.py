"""Orbits with every term at work, against Runge-Kutta in float64."""

from dataclasses import dataclass

import numpy as np
import pytest

from ascnode.scenario.hardware import Hardware, plant_words, vertical_view_factor
from ascnode_fw.plant import layout as at
from ascnode_fw.plant.model import Plant
from firmware.plant import float_node
from firmware.plant.nodes import scaled
from firmware.plant.orbits import SunlitOrbit

CAPACITY_GATE = 0.002
TEMPERATURE_GATE_K = 0.1


@dataclass(frozen=True)
class Case:
    """A node, its orbit, how it steps, and the k that this takes."""

    hardware: Hardware
    orbit: SunlitOrbit
    cos_radiator: float
    k: int
    step_ms: int = 1000
    orbits: float = 2.0
    age_days: int = 0
    powers_w: tuple[float, ...] = (60.0, 0.0, 135.0, 30.0, 180.0, 95.0)


LOW = Hardware(radiator_view_factor=vertical_view_factor(420), initial_charge=0.55, leakage_w=5.0)
HIGH = Hardware(
    array_m2=0.9,
    radiator_m2=0.75,
    radiator_view_factor=vertical_view_factor(1200),
    radiator_absorptivity=0.22,
)
CASES = {
    "420 km, beta 35": Case(LOW, SunlitOrbit(420, 35, 100), 0.35, 0),
    "1200 km, beta 10, five years old": Case(HIGH, SunlitOrbit(1200, 10, 250), 0.8, 0, age_days=1826),
    "20 kW": Case(scaled(HIGH, 50), SunlitOrbit(700, 20, 10), 0.5, 6, powers_w=(9000, 1500, 4750, 0, 7000)),
    "20 W": Case(
        scaled(LOW, 0.055), SunlitOrbit(500, 0, 180), 1.0, 0, powers_w=(3.3, 9.9, 0.66, 7.4), orbits=1.5
    ),
    "1 kW": Case(scaled(LOW, 2.6), SunlitOrbit(550, 50, 0), 0.1, 1, powers_w=(468, 78, 247), orbits=1.5),
    "4 s steps": Case(LOW, SunlitOrbit(550, 15, 60), 0.6, 2, step_ms=4000, orbits=3),
    "100 ms steps": Case(LOW, SunlitOrbit(550, 15, 130), 0.6, 0, step_ms=100, orbits=0.4),
}


def schedule(case: Case) -> list[float_node.Inputs]:
    """Another operating point every 600 s, off every seventh time; the radio for 200 s in every 500."""
    step_s = case.step_ms / 1000
    t_s = np.arange(round(case.orbits * case.orbit.period_s / step_s)) * step_s
    lit, over_day = case.orbit.sun(t_s)
    return [
        float_node.Inputs(
            illumination=float(sun),
            cos_radiator=case.cos_radiator,
            albedo=float(day),
            extra_w=case.hardware.radio_w if t % 500 < 200 else 0.0,
            accel_w=case.powers_w[int(t // 600) % len(case.powers_w)],
            accel_on=int(t // 600) % 7 != 6,
            years=case.age_days / 365.25,
        )
        for t, sun, day in zip(t_s, lit, over_day, strict=True)
    ]


def set_inputs(plant: Plant, inputs: float_node.Inputs, k: int) -> None:
    pw = 1000 / 2**k
    plant.set_input(at.ILLUMINATION, round(inputs.illumination * 1024))
    plant.set_input(at.COS_ARRAY, 1024)
    plant.set_input(at.COS_RADIATOR, round(inputs.cos_radiator * 1024))
    plant.set_input(at.ALBEDO, round(inputs.albedo * 1024))
    plant.set_input(at.EXTRA_PW, round(inputs.extra_w * pw))
    plant.set_input(at.ACCEL_PW, round(inputs.accel_w * pw))
    plant.set_input(at.ACCEL_ON, int(inputs.accel_on))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_every_step_stays_within_the_gates_of_a_float_integration(case: Case) -> None:
    words = plant_words(case.hardware, case.step_ms)
    assert words[at.SCALE_K] == case.k
    plant = Plant(words)
    plant.set_input(at.AGE_DAYS, case.age_days)
    exact = float_node.initial(case.hardware)
    worst_j = worst_accel_k = worst_radiator_k = 0.0
    for inputs in schedule(case):
        set_inputs(plant, inputs, case.k)
        plant.step()
        exact = float_node.step(
            case.hardware, inputs, exact, case.step_ms / 1000, max(1, case.step_ms // 2000)
        )
        worst_j = max(worst_j, abs(plant.state[at.ENERGY_J] * 2**case.k - exact[0]))
        worst_accel_k = max(worst_accel_k, abs(plant.state[at.T_ACCEL_UK] * 1e-6 - exact[1]))
        worst_radiator_k = max(worst_radiator_k, abs(plant.state[at.T_RADIATOR_UK] * 1e-6 - exact[2]))
    assert plant.take_events() & ~at.EVENT_BATTERY_FULL == 0
    assert worst_j <= CAPACITY_GATE * case.hardware.battery_wh * 3600
    assert worst_accel_k <= TEMPERATURE_GATE_K
    assert worst_radiator_k <= TEMPERATURE_GATE_K
