"""The node in float64 by classical Runge-Kutta, from PHYSICS' continuous equations and none of the plant's code."""

import math
from dataclasses import dataclass

from ascnode.scenario.hardware import Hardware


@dataclass(frozen=True)
class Inputs:
    """What acts on the node, held over one step."""

    illumination: float = 0.0
    cos_array: float = 1.0
    cos_radiator: float = 0.0
    albedo: float = 0.0
    extra_w: float = 0.0
    accel_w: float = 0.0
    accel_on: bool = False
    years: float = 0.0


State = tuple[float, float, float]  # energy J, accelerator K, radiator K


def initial(hw: Hardware) -> State:
    return (
        hw.battery_wh * 3600 * hw.initial_charge,
        hw.initial_accelerator_c + 273.15,
        hw.initial_radiator_c + 273.15,
    )


def _rates(hw: Hardware, at: Inputs, state: State) -> State:
    _, accel_k, radiator_k = state
    sigma, area = hw.stefan_boltzmann_w_m2_k4, hw.radiator_m2
    accel_w = 0.0
    if at.accel_on:
        accel_w = at.accel_w + hw.leakage_w * 2 ** ((accel_k - 298.15) / 25)
    array_w = hw.solar_constant_w_m2 * hw.array_m2 * hw.cell_efficiency * hw.mppt
    array_w *= (1 - hw.array_loss_per_year) ** at.years * at.illumination * at.cos_array
    net_w = array_w - accel_w - at.extra_w - hw.bus_load_w
    conducted_w = hw.conductance_w_per_k * (accel_k - radiator_k)
    sunlight = at.illumination * at.cos_radiator + hw.albedo * hw.radiator_view_factor * at.albedo
    absorbed_w = hw.radiator_absorptivity * hw.solar_constant_w_m2 * area * sunlight
    infrared_w = hw.radiator_emissivity * area * hw.radiator_view_factor * hw.earth_infrared_w_m2
    heat_w = hw.bus_heat_w + at.extra_w + absorbed_w + infrared_w + conducted_w
    return (
        net_w * hw.charge_efficiency if net_w >= 0 else net_w / hw.discharge_efficiency,
        (accel_w - conducted_w) / hw.accelerator_j_per_k,
        (heat_w - hw.radiator_emissivity * area * sigma * radiator_k**4) / hw.radiator_j_per_k,
    )


def step(hw: Hardware, at: Inputs, state: State, step_s: float, parts: int = 1) -> State:
    """State after step_s, in that many Runge-Kutta steps; energy is clipped to 0..capacity after each."""
    h = step_s / parts
    for _ in range(parts):
        a = _rates(hw, at, state)
        b = _rates(hw, at, _moved(state, a, h / 2))
        c = _rates(hw, at, _moved(state, b, h / 2))
        d = _rates(hw, at, _moved(state, c, h))
        slope = tuple((p + 2 * q + 2 * r + s) / 6 for p, q, r, s in zip(a, b, c, d, strict=True))
        energy, accel_k, radiator_k = _moved(state, slope, h)
        state = min(max(energy, 0.0), hw.battery_wh * 3600), accel_k, radiator_k
    assert all(math.isfinite(word) for word in state)
    return state


def _moved(state: State, slope: tuple[float, ...], h: float) -> State:
    return state[0] + h * slope[0], state[1] + h * slope[1], state[2] + h * slope[2]
