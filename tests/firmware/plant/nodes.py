"""Hardware of the tests."""

import struct
from array import array
from collections.abc import Sequence
from zlib import crc32

from ascnode.scenario.hardware import Hardware, OperatingPoint, plant_words
from ascnode_fw.plant import layout as at
from ascnode_fw.plant.model import Plant

# One plate without an accelerator, Earth or Sun.
PLATE = Hardware(
    array_m2=0.0,
    charge_efficiency=1.0,
    discharge_efficiency=1.0,
    bus_load_w=0.0,
    bus_heat_w=0.0,
    radiator_m2=0.6,
    radiator_emissivity=0.85,
    radiator_view_factor=0.0,
    conductance_w_per_k=0.0,
)


_EXTENSIVE = (
    "array_m2",
    "battery_wh",
    "bus_load_w",
    "bus_heat_w",
    "radio_w",
    "radiator_m2",
    "radiator_j_per_k",
    "accelerator_j_per_k",
    "conductance_w_per_k",
    "leakage_w",
    "idle_w",
)


def scaled(hardware: Hardware, times: float) -> Hardware:
    """The same node, that many times as large: the same temperatures, and energies in proportion."""
    update: dict[str, object] = {field: getattr(hardware, field) * times for field in _EXTENSIVE}
    points = tuple(OperatingPoint(p.clock_khz, p.power_w * times) for p in hardware.operating_points)
    return hardware.model_copy(update={**update, "operating_points": points})


def plant_of(hardware: Hardware, step_ms: int = 1000, **inputs: int) -> Plant:
    """A plant with inputs set by the names of plant/layout.py."""
    plant = Plant(plant_words(hardware, step_ms))
    for name, value in inputs.items():
        plant.set_input(getattr(at, name), value)
    return plant


def run(plant: Plant, steps: int) -> "array[int]":
    """Steps it and returns its state."""
    for _ in range(steps):
        plant.step()
    return plant.state


def kelvin(plant: Plant) -> float:
    """Temperature of the radiator."""
    return plant.state[at.T_RADIATOR_UK] * 1e-6


def image_of(words: Sequence[int], magic: bytes = b"APLT", version: int = 1, count: int = 245) -> bytes:
    """An image with a good CRC-32, whatever it holds."""
    data = struct.pack(f"<4sHH{len(words)}i", magic, version, count, *words)
    return data + struct.pack("<I", crc32(data))
