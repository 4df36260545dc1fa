"""A class of node: its hardware and its flight parameters as one row of floats.

The parameters are those that a board of this hardware has in its flash: made by the same code, read by the
firmware's own `Params`, bounded by the one dictionary.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ascnode.errors import ScenarioError
from ascnode.scenario.hardware import Hardware, power_scale_k
from ascnode.scenario.provision import hardware_files
from ascnode.sky.environment import RadiatorFace
from ascnode.twin.fleet.rows import CLASS_FIELDS, POINTS, Real, Row, rows_type
from ascnode.twin.store import MemoryStore
from ascnode_fw.flight import power
from ascnode_fw.flight.params import Params
from ascnode_fw.wire import dictionary as d

# The cosine of the Sun's incidence on a face is max(0, a + b cos psi): (a, b), see ascnode.sky.environment.
FACES: dict[str, tuple[float, float]] = {
    "sun": (1.0, 0.0),
    "antisun": (0.0, 0.0),
    "edge": (0.0, 0.0),
    "zenith": (0.0, 1.0),
    "nadir": (0.0, -1.0),
}
_HOT_K = 400.0  # up to here a step is kept within what the heat nodes allow


@dataclass(frozen=True)
class Coating:
    """A radiator's coating at the end of its life; at the begin it is as the hardware says."""

    absorptivity: float
    emissivity: float


@dataclass(frozen=True)
class NodeClass:
    """Nodes that are alike. `parameters`: by the dictionary's names, in its units, over what the hardware asks for.

    Raises ScenarioError for an unknown parameter, one out of its limits or operating points that do not ascend.
    """

    hardware: Hardware = field(default_factory=Hardware)
    parameters: Mapping[str, int] = field(default_factory=dict)
    radiator_face: RadiatorFace = "edge"
    array_face: RadiatorFace = "sun"
    worn: Coating | None = None  # None: the coating does not age
    control_ms: int = 1000

    def row(self, real: Any, flight: bool = True) -> Row:
        """The kernel's record of type `real`; without flight software, the plant's fields alone."""
        values = dict.fromkeys(CLASS_FIELDS, 0.0) | self._plant() | (self._flight() if flight else {})
        return np.array(tuple(values[name] for name in CLASS_FIELDS), rows_type(CLASS_FIELDS, real))[()]

    @property
    def heat_rate_per_s(self) -> float:
        """The fastest rate at which the heat nodes settle."""
        hw = self.hardware
        conducted = hw.conductance_w_per_k * (1 / hw.accelerator_j_per_k + 1 / hw.radiator_j_per_k)
        return conducted + 4 * hw.emission_w(_HOT_K) / _HOT_K / hw.radiator_j_per_k

    @property
    def peak_load_w(self) -> float:
        """Bus, transmitter and the fastest operating point."""
        hw = self.hardware
        return hw.bus_load_w + hw.radio_w + hw.operating_points[-1].power_w

    def _plant(self) -> dict[str, float]:
        hw = self.hardware
        worn = self.worn or Coating(hw.radiator_absorptivity, hw.radiator_emissivity)
        more_sun = worn.absorptivity - hw.radiator_absorptivity
        area_m2, more_area_m2 = (
            emissivity * hw.radiator_m2
            for emissivity in (hw.radiator_emissivity, worn.emissivity - hw.radiator_emissivity)
        )
        infrared_w_m2 = hw.radiator_view_factor * hw.earth_infrared_w_m2
        (array_0, array_1), (face_0, face_1) = FACES[self.array_face], FACES[self.radiator_face]
        return {
            "array_w": hw.array_full_sun_w,
            **{"array_0": array_0, "array_1": array_1, "face_0": face_0, "face_1": face_1},
            "sun_w": hw.sun_heat_w,
            "sun_worn_w": more_sun * hw.solar_constant_w_m2 * hw.radiator_m2,
            "albedo_share": hw.albedo * hw.radiator_view_factor,
            "infrared_w": area_m2 * infrared_w_m2,
            "infrared_worn_w": more_area_m2 * infrared_w_m2,
            "emission_w_k4": area_m2 * hw.stefan_boltzmann_w_m2_k4,
            "emission_worn_w_k4": more_area_m2 * hw.stefan_boltzmann_w_m2_k4,
            "bus_heat_w": hw.bus_heat_w,
            "per_accel_j_k": 1 / hw.accelerator_j_per_k,
            "per_radiator_j_k": 1 / hw.radiator_j_per_k,
            "conductance_w_k": hw.conductance_w_per_k,
            "leakage_w": hw.leakage_w,
            "capacity_j": hw.battery_wh * 3600,
            "eta_charge": hw.charge_efficiency,
            "per_eta_discharge": 1 / hw.discharge_efficiency,
            "bus_w": hw.bus_load_w,
        }

    def _flight(self) -> dict[str, float]:
        # What a limit is compared with lies half a count below the truth on average, so limits are put that much up.
        v = self._values()
        charge, array_pw, kelvin = _half_counts()
        unit = 2.0 ** power_scale_k(self.hardware, self.control_ms)
        watts, joules = unit / 1000, unit
        return {
            "safe": v[d.P_SOC_SAFE] / 1000 + charge,
            "safe_exit": v[d.P_SOC_SAFE_EXIT] / 1000 + charge,
            "low": v[d.P_SOC_CHARGE] / 1000 + charge,
            "low_exit": v[d.P_SOC_CHARGE_EXIT] / 1000 + charge,
            "reserve": v[d.P_SOC_RESERVE] / 1000 + charge,
            "known_capacity_j": v[d.P_CAPACITY_J] * joules,
            "known_bus_w": v[d.P_BUS_PW] * watts,
            "radio_w": v[d.P_RADIO_PW] * watts,
            "idle_w": v[d.P_IDLE_PW] * watts,
            "half_count_w": array_pw * watts,
            "control_s": v[d.P_CONTROL_MS] / 1000,
            "target_k": v[d.P_TEMP_TARGET] / 100 + kelvin,
            "cutoff_k": v[d.P_GOV_I_CUTOFF] / 100,
            "trip_k": v[d.P_TEMP_TRIP] / 100 + kelvin,
            "trip_exit_k": v[d.P_TEMP_TRIP_EXIT] / 100 + kelvin,
            "sustainable_w": v[d.P_GOV_SUSTAINABLE_PW] * watts,
            "top_w": v[d.P_OP_PW + v[d.P_OP_COUNT] - 1] * watts,
            **{"over_w_k": v[d.P_GOV_K_PO] * watts, "under_w_k": v[d.P_GOV_K_PU] * watts},
            "integral_w_k_s": v[d.P_GOV_K_I] * watts,
            "cap_w": np.inf,
            **_points(v, watts),
        }

    def _values(self) -> list[int]:
        params = Params(MemoryStore(hardware_files(self.hardware, self.control_ms)), d.PARAMETERS)
        rows = {row[1]: row for row in d.PARAMETERS}
        for name, value in self.parameters.items():
            if name not in rows:
                raise ScenarioError(f"{name!r} is no flight parameter: there are {', '.join(rows)}")
            number, _, _, low, high, unit = rows[name]
            if params.set(number, value):
                raise ScenarioError(f"{name} = {value} lies outside {low}..{high} {unit}".rstrip())
        return list(params.values)


def _half_counts() -> tuple[float, float, float]:
    # Half a count of the converters, which round down: of charge (with its own 1/1000, over the whole of the cell's
    # curve), of the array's power in pw, and of the accelerator's temperature in K.
    cell_mv, array_pw, accelerator_ck = (
        (d.SENSORS[sensor][2] - d.SENSORS[sensor][1]) / 4096 / 2
        for sensor in (d.SENSOR_CELL, d.SENSOR_ARRAY, d.SENSOR_ACCELERATOR)
    )
    return cell_mv / (power.CELL_MV[-1] - power.CELL_MV[0]) + 0.0005, array_pw, accelerator_ck / 100


def _points(v: list[int], watts: float) -> dict[str, Real]:
    # The operating points after idle; those that are not used ask for more power than there ever is.
    table: dict[str, Real] = {}
    clocks = [v[d.P_OP_CLOCK_KHZ + point] for point in range(v[d.P_OP_COUNT])]
    if any(above <= below for below, above in itertools.pairwise(clocks[1:])):
        raise ScenarioError(f"the clocks of the operating points do not ascend: {clocks[1:]} kHz")
    for point in range(1, POINTS + 1):
        used = point < len(clocks) and clocks[point] > 0
        table[f"w{point}"] = v[d.P_OP_PW + point] * watts if used else np.inf
        table[f"khz{point}"] = clocks[point] if used else 0
    return table
