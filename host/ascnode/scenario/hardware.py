"""A node's hardware in engineering units, and the integers that its plant runs on.

[A] marks an assumption of ours: a plausible value, not one with a source.
"""

import itertools
import math
import struct
from array import array
from collections.abc import Callable
from fractions import Fraction
from typing import Annotated, NamedTuple, Self
from zlib import crc32

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ascnode.errors import ScenarioError
from ascnode_fw.plant import config
from ascnode_fw.plant import layout as at

LEAKAGE_REFERENCE_K = 298.15  # 25 C, where leakage_w is stated
LEAKAGE_DOUBLING_K = 25.0  # [A] silicon leakage doubles every 20..30 K
KELVIN_AT_0_C = 273.15
_HOTTEST_K = 400.0  # up to here everything fits the integers unclamped: above, no node works any more
_WORKING_K = 300.0  # where a radiator's emission is linearised
_EARTH_RADIUS_KM = 6378.137
_DAYS_PER_YEAR = 365.25

_Fraction = Annotated[float, Field(ge=0, le=1)]
_Watts = Annotated[float, Field(ge=0, le=1e7)]
_Celsius = Annotated[float, Field(ge=-60, le=150)]


class HardwareError(ScenarioError, ValueError):
    """The hardware does not fit the plant's integers; the message names the field."""


class OperatingPoint(NamedTuple):
    """One pair of clock and dynamic power of the accelerator."""

    clock_khz: Annotated[int, Field(ge=0, le=1_000_000)]
    power_w: _Watts


class Hardware(BaseModel):
    """One node's power, heat and compute.

    The defaults are a small satellite, sized [A] so that its accelerator flat out is too much for the radiator
    (it settles above 85 C) and for the battery (an eclipse takes more than 40 % of it), and half of that is not.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    # Array.
    array_m2: Annotated[float, Field(ge=0, le=1e5)] = 1.2  # [A]
    cell_efficiency: Annotated[float, Field(ge=0, le=0.5)] = 0.298  # triple-junction GaAs, begin of life
    mppt: _Fraction = 0.97  # efficiency of the peak power tracker
    array_loss_per_year: Annotated[float, Field(ge=0, le=0.2)] = 0.02
    solar_constant_w_m2: Annotated[float, Field(ge=0, le=1e4)] = 1361.0  # IAU 2015 resolution B3

    # Battery.
    battery_wh: Annotated[float, Field(gt=0, le=1e7)] = 300.0  # [A]
    charge_efficiency: Annotated[float, Field(ge=0.5, le=1)] = 0.97  # [A]
    discharge_efficiency: Annotated[float, Field(ge=0.5, le=1)] = 0.97  # [A]
    initial_charge: _Fraction = 0.9  # [A]

    # Loads.
    bus_load_w: _Watts = 60.0  # [A] avionics, attitude control, receiver
    bus_heat_w: _Watts = 60.0  # [A] all of the bus load ends as heat on the radiator
    radio_w: _Watts = 20.0  # [A] transmitter, while it is on; all of it heats the radiator

    # Radiator. Coating: optical solar reflector at end of life, alpha .07, eps .82.
    radiator_m2: Annotated[float, Field(gt=0, le=1e5)] = 0.6  # [A]
    radiator_emissivity: _Fraction = 0.82
    radiator_absorptivity: _Fraction = 0.07
    radiator_view_factor: _Fraction = (
        0.2579  # to the Earth: vertical face at 550 km, see vertical_view_factor
    )
    radiator_j_per_k: Annotated[float, Field(gt=0)] = 4500.0  # [A] 5 kg of aluminium at 900 J/(kg K)
    albedo: _Fraction = 0.30
    earth_infrared_w_m2: Annotated[float, Field(ge=0, le=1e4)] = 237.0
    stefan_boltzmann_w_m2_k4: Annotated[float, Field(gt=0, le=1e-6)] = 5.670374e-8  # CODATA 2018

    # Accelerator.
    accelerator_j_per_k: Annotated[float, Field(gt=0)] = 300.0  # [A] a third of a kilogram of aluminium
    conductance_w_per_k: Annotated[float, Field(ge=0)] = (
        5.0  # [A] heat pipe and two interfaces; 0 insulates it
    )
    leakage_w: _Watts = 4.0  # [A] at 25 C
    idle_w: _Watts = 2.0  # [A] dynamic power while on, without work
    cycles_per_mac: Annotated[int, Field(ge=1, le=100_000)] = (
        3750  # 30 us in bytecode on an RP2040 at 125 MHz
    )
    work_scale: Annotated[
        int, Field(ge=1, le=1_000_000, description="inferences that a job stands for, on an accelerator")
    ] = 26_187  # [A] a job with the project's model takes as long as its one inference on the CPU
    operating_points: Annotated[tuple[OperatingPoint, ...], Field(min_length=1, max_length=8)] = (
        OperatingPoint(0, 0.0),  # [A] all seven
        OperatingPoint(20_000, 12.0),
        OperatingPoint(48_000, 30.0),
        OperatingPoint(80_000, 60.0),
        OperatingPoint(105_000, 95.0),
        OperatingPoint(120_000, 135.0),
        OperatingPoint(133_000, 180.0),
    )

    # Start.
    initial_accelerator_c: _Celsius = 20.0
    initial_radiator_c: _Celsius = 20.0

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        points = self.operating_points
        for below, above in itertools.pairwise(points):
            if above.clock_khz <= below.clock_khz or above.power_w <= below.power_w:
                raise ValueError(f"operating_points: {tuple(above)} does not lie above {tuple(below)}")
        return self

    @property
    def array_full_sun_w(self) -> float:
        """Power of the new array at full sun and normal incidence, after the tracker."""
        return self.solar_constant_w_m2 * self.array_m2 * self.cell_efficiency * self.mppt

    @property
    def sun_heat_w(self) -> float:
        """Heat that the radiator takes from the Sun at normal incidence."""
        return self.radiator_absorptivity * self.solar_constant_w_m2 * self.radiator_m2

    @property
    def albedo_heat_w(self) -> float:
        """Heat that the radiator takes from the Earth's albedo below the subsolar point."""
        return self.albedo * self.sun_heat_w * self.radiator_view_factor

    @property
    def earth_infrared_heat_w(self) -> float:
        """Heat that the radiator takes from the Earth's own infrared."""
        return (
            self.radiator_emissivity * self.radiator_m2 * self.radiator_view_factor * self.earth_infrared_w_m2
        )

    def emission_w(self, temperature_k: float) -> float:
        """Power that the radiator emits to deep space, whose 2.7 K are left out."""
        area_m2 = self.radiator_emissivity * self.radiator_m2
        return area_m2 * self.stefan_boltzmann_w_m2_k4 * temperature_k**4

    def leakage_at_w(self, temperature_k: float) -> float:
        """Leakage of the accelerator while it is on."""
        return self.leakage_w * math.exp2((temperature_k - LEAKAGE_REFERENCE_K) / LEAKAGE_DOUBLING_K)


DEMO_NODE = Hardware()


def nadir_view_factor(altitude_km: float) -> float:
    """View factor to the Earth of a face that looks straight down: (R / (R + h))^2."""
    return (_EARTH_RADIUS_KM / (_EARTH_RADIUS_KM + altitude_km)) ** 2


def vertical_view_factor(altitude_km: float) -> float:
    """View factor to the Earth of a face that looks along the horizon.

    (atan(1/x) - x/H^2) / pi with H = (R + h)/R and x = sqrt(H^2 - 1).
    """
    height = (_EARTH_RADIUS_KM + altitude_km) / _EARTH_RADIUS_KM
    x = math.sqrt(height**2 - 1)
    return (math.atan(1 / x) - x / height**2) / math.pi


def power_scale_k(hardware: Hardware, step_ms: int) -> int:
    """The smallest k for which every power (2^k mW) and the capacity (2^k J) fit; 0 up to about 1 kW at 1 s.

    Raises HardwareError when none does, or when step_ms lies outside 1..60000.
    """
    limit_pw = _net_limit_pw(hardware, step_ms)
    name, peak_w = _peak(hardware)
    for k in range(21):
        if peak_w * 1000 <= limit_pw << k and hardware.battery_wh * 3600 <= 1 << (29 + k):
            return k
    raise HardwareError(f"{name} of {peak_w:.6g} W is more than a plant with step_ms = {step_ms} can count")


def plant_words(hardware: Hardware, step_ms: int) -> "array[int]":
    """The plant's configuration, word by word as in ascnode_fw.plant.layout.

    A step must stay below C/(4G) of both heat nodes; up to a third of that, temperatures keep within 0.1 K.
    Raises HardwareError, with the field's name, for what does not fit the integers or the step.
    """
    k = power_scale_k(hardware, step_ms)
    _check_step(hardware, step_ms)
    words = array("i", [*_scalars(hardware, step_ms, k), *_emission(hardware, k), *_leakage(hardware, k)])
    try:
        config.check(words)
    except ValueError as e:
        raise HardwareError(str(e)) from None
    return words


def plant_image(hardware: Hardware, step_ms: int) -> bytes:
    """The configuration as the board stores it; raises HardwareError like plant_words."""
    words = plant_words(hardware, step_ms)
    data = struct.pack(config.HEADER, config.MAGIC, config.VERSION, len(words))
    data += struct.pack(f"<{len(words)}i", *words)
    return data + struct.pack("<I", crc32(data))


def _net_limit_pw(hardware: Hardware, step_ms: int) -> int:
    # A net power of this size, drawn through the battery's losses for one step, stays below 2^30 uJ.
    if not 1 <= step_ms <= 60_000:
        raise HardwareError(f"step_ms = {step_ms} lies outside 1..60000")
    drawn = 0x3FF00000 // step_ms - 4
    return min(at.POWER_MAX, int(drawn * hardware.discharge_efficiency))


def _peak(hardware: Hardware) -> tuple[str, float]:
    # The largest power that the plant may have to count, and the fields it comes from.
    loads_w = hardware.operating_points[-1].power_w + hardware.leakage_at_w(_HOTTEST_K) + hardware.radio_w
    absorbed_w = hardware.sun_heat_w + hardware.albedo_heat_w + hardware.earth_infrared_heat_w
    peaks = {
        "array_m2": hardware.array_full_sun_w,
        "the load (operating_points, leakage_w, radio_w, bus_load_w)": loads_w + hardware.bus_load_w,
        "the heat (operating_points, leakage_w, radio_w, bus_heat_w, radiator_m2)": loads_w
        + hardware.bus_heat_w
        + absorbed_w,
        "the emission of radiator_m2": hardware.emission_w(_HOTTEST_K),
    }
    name = max(peaks, key=lambda name: peaks[name])
    return name, peaks[name]


def _check_step(hardware: Hardware, step_ms: int) -> None:
    # C/(4G) in the fields' own names; config.check repeats it on the integers.
    emission_w_k = 4 * hardware.emission_w(at.T_MAX_UK * 1e-6) / (at.T_MAX_UK * 1e-6)
    for field, capacity, conductance in (
        ("accelerator_j_per_k", hardware.accelerator_j_per_k, hardware.conductance_w_per_k),
        ("radiator_j_per_k", hardware.radiator_j_per_k, hardware.conductance_w_per_k + emission_w_k),
    ):
        if conductance and step_ms >= (longest_ms := 250 * capacity / conductance):
            raise HardwareError(
                f"{field} = {capacity:.6g} asks for step_ms below C/(4G) = {longest_ms:.6g}, not {step_ms}"
            )


def _scalars(hardware: Hardware, step_ms: int, k: int) -> list[int]:
    # The words before the tables, in order.
    def pw(watts: float) -> int:
        return round(watts * 1000 / (1 << k))

    # What one pw heats in one step.
    accelerator_uk = step_ms * (1 << k) / hardware.accelerator_j_per_k
    radiator_uk = step_ms * (1 << k) / hardware.radiator_j_per_k * _radiator_stays(hardware, step_ms)
    net_pw = min(_net_limit_pw(hardware, step_ms), int(499e6 / max(accelerator_uk, radiator_uk)))
    if net_pw < pw(_peak(hardware)[1]):
        field = "accelerator_j_per_k" if accelerator_uk > radiator_uk else "radiator_j_per_k"
        raise HardwareError(
            f"{field} is too small for the powers of the node: one step could heat it by 500 K"
        )
    capacity = max(1, round(hardware.battery_wh * 3600 / (1 << k)))
    return [
        step_ms,
        k,
        net_pw,
        pw(hardware.array_full_sun_w),
        round(-math.log2(1 - hardware.array_loss_per_year) / _DAYS_PER_YEAR * 2**26),
        capacity,
        *_ratio("charge_efficiency", 1 - hardware.charge_efficiency, 1 << 20),
        *_ratio("discharge_efficiency", 1 / hardware.discharge_efficiency - 1, 1 << 20),
        pw(hardware.bus_load_w),
        pw(hardware.bus_heat_w),
        pw(hardware.sun_heat_w),
        pw(hardware.albedo_heat_w),
        pw(hardware.earth_infrared_heat_w),
        *_ratio("accelerator_j_per_k", accelerator_uk, 1 << 24),
        *_ratio("radiator_j_per_k", radiator_uk, 1 << 24),
        *_conduction(hardware.conductance_w_per_k * 1000 / (1 << k) * 4096e-6),
        round(1024 * _accelerator_stays(hardware, step_ms)),
        round(hardware.initial_charge * capacity),
        round((hardware.initial_accelerator_c + KELVIN_AT_0_C) * 1e6),
        round((hardware.initial_radiator_c + KELVIN_AT_0_C) * 1e6),
    ]


def _ratio(field: str, value: float, largest_den: int) -> tuple[int, int]:
    # The nearest NUM / DEN with NUM up to 1000, which keeps NUM times a net power within the integers.
    if value == 0:
        return 0, 1
    largest_den = min(largest_den, int(1000 / value))
    nearest = Fraction(value).limit_denominator(largest_den) if largest_den else Fraction(0)
    if not nearest:
        raise HardwareError(f"{field} is out of scale with the step and the powers of the node")
    return nearest.numerator, nearest.denominator


def _conduction(pw_per_4096_uk: float) -> tuple[int, int]:
    # NUM >> SHIFT with as many bits as the widest difference of temperatures leaves.
    for shift in range(30, -1, -1):
        num = round(math.ldexp(pw_per_4096_uk, shift))
        if num <= 14186:
            return num, shift
    raise HardwareError("conductance_w_per_k is out of scale with the powers of the node")


def _accelerator_stays(hardware: Hardware, step_ms: int) -> float:
    # Of a net heat that comes in evenly over a step, the share that conduction has not carried on by its end.
    capacities = 1 / hardware.accelerator_j_per_k + 1 / hardware.radiator_j_per_k
    return _mean_decay(step_ms / 1000 * hardware.conductance_w_per_k * capacities)


def _radiator_stays(hardware: Hardware, step_ms: int) -> float:
    # The same for emission, at its slope where radiators work.
    slope_w_k = 4 * hardware.emission_w(_WORKING_K) / _WORKING_K
    return _mean_decay(step_ms / 1000 * slope_w_k / hardware.radiator_j_per_k)


def _mean_decay(x: float) -> float:
    # Mean of e^-y over 0..x.
    return -math.expm1(-x) / x if x else 1.0


def _emission(hardware: Hardware, k: int) -> list[int]:
    # Over a span h a chord lies above T^4 by h^2 T^2 on average (h^2/12 f''): taken off beforehand.
    span_k = (1 << at.EMISSION_SHIFT) * 1e-6

    def entry(temperature_k: float) -> float:
        return hardware.emission_w(temperature_k) * (1 - (span_k / temperature_k) ** 2)

    return _table(entry, at.EMISSION_T0_UK * 1e-6, span_k, at.EMISSION_WORDS, k)


def _leakage(hardware: Hardware, k: int) -> list[int]:
    # As for emission, h^2/12 f'' of 2^(T/25 K). Held at the largest power word, far above a working node.
    span_k = (1 << at.LEAKAGE_SHIFT) * 1e-6
    chord = 1 - (span_k * math.log(2) / LEAKAGE_DOUBLING_K) ** 2 / 12

    def entry(temperature_k: float) -> float:
        return min(hardware.leakage_at_w(temperature_k) * chord, at.POWER_MAX * (1 << k) / 1000)

    return _table(entry, at.LEAKAGE_T0_UK * 1e-6, span_k, at.LEAKAGE_WORDS, k)


def _table(entry: Callable[[float], float], first_k: float, span_k: float, count: int, k: int) -> list[int]:
    return [round(entry(first_k + i * span_k) * 1000 / (1 << k)) for i in range(count)]
