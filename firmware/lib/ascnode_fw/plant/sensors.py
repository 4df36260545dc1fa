"""Sensors: what a 12-bit converter says of the state; flight software sees these counts and nothing else."""

from array import array

from ascnode_fw.plant.layout import (
    ARRAY_POWER,
    ARRAY_PW,
    CELL_VOLTAGE,
    ENERGY_J,
    LOAD_POWER,
    LOAD_PW,
    T_ACCEL,
    T_ACCEL_UK,
    T_RADIATOR,
    T_RADIATOR_UK,
    T_ZERO_UK,
)

# Open-circuit voltage of a lithium-ion cell: state of charge over 10,000, and 0.1 mV.
_CHARGE = (0, 3000, 5000, 7000, 10000)
_VOLTAGE = (31500, 36300, 37800, 39800, 42000)


class Sensors:
    """Converter in front of one node's state."""

    def __init__(self, capacity: int) -> None:
        self._shift = 0
        while capacity >> self._shift > 65535:
            self._shift += 1
        self._capacity = capacity >> self._shift

    def sample(self, state: "array[int]", counts: "array[int]") -> None:
        # Five counts; what each is of is in plant/layout.py.
        charge = ((state[ENERGY_J] >> self._shift) * 10000) // self._capacity
        counts[CELL_VOLTAGE] = cell_count(charge)
        counts[ARRAY_POWER] = power_count(state[ARRAY_PW])
        counts[LOAD_POWER] = power_count(state[LOAD_PW])
        counts[T_ACCEL] = temperature_count(state[T_ACCEL_UK])
        counts[T_RADIATOR] = temperature_count(state[T_RADIATOR_UK])


def cell_count(charge: int) -> int:
    # charge: state of charge over 10,000; full scale 5000.0 mV.
    if charge > 10000:  # after an upset, until the next step clips it
        charge = 10000
    at = 0
    while charge > _CHARGE[at + 1]:
        at += 1
    low = _VOLTAGE[at]
    rise = (_VOLTAGE[at + 1] - low) * (charge - _CHARGE[at]) // (_CHARGE[at + 1] - _CHARGE[at])
    return ((low + rise) << 12) // 50000


def power_count(power: int) -> int:
    power >>= 8
    return 4095 if power > 4095 else power


def temperature_count(t: int) -> int:
    # floor(4096 * t / 310 K above 155 K) as 32 * t / 2421875, in two parts that stay small.
    t -= T_ZERO_UK
    whole = t // 2421875
    t = (whole << 5) + ((t - whole * 2421875) << 5) // 2421875
    return 4095 if t > 4095 else t
