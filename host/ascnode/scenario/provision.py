"""What is put on a node's flash before it flies: plant, parameters, keys, model, name."""

import hashlib
import struct
from zlib import crc32

from ascnode.errors import ScenarioError
from ascnode.scenario.hardware import Hardware, plant_image, power_scale_k
from ascnode.twin.store import MemoryStore
from ascnode_fw.flight.params import Params
from ascnode_fw.node import PROGRAM_FILE
from ascnode_fw.wire import dictionary as d

BENCH_KEY_INDEX = 0
_GOVERNOR = (d.P_GOV_SUSTAINABLE_PW, d.P_GOV_K_PO, d.P_GOV_K_PU, d.P_GOV_K_I)


def bench_key(seed: int, node: int) -> bytes:
    """A bench's key follows from the run's seed; a real key never does, and never enters a record."""
    return hashlib.sha256(f"ascnode bench key {seed} {node}".encode()).digest()


def unique_id(seed: int, node: int) -> bytes:
    """A virtual board's chip id."""
    return hashlib.sha256(f"ascnode board {seed} {node}".encode()).digest()[:8]


def node_files(
    hardware: Hardware, model: bytes, seed: int, node: int, step_ms: int, program: bytes | None = None
) -> dict[str, bytes]:
    """Flash files by name; ScenarioError when the hardware does not fit the node's integers.

    `program`: of the accelerator (.acc), on a node that has one.
    """
    return {
        **hardware_files(hardware, step_ms),
        "keys.bin": _key_file(seed, node),
        "model.bin": model,
        **({} if program is None else {PROGRAM_FILE: program}),
    }


def is_bench_key(data: bytes | None, seed: int, node: int) -> bool:
    """Whether a keys.bin holds the bench's key and no other."""
    return data == _key_file(seed, node)


def _key_file(seed: int, node: int) -> bytes:
    keys = struct.pack(">H", BENCH_KEY_INDEX) + bench_key(seed, node)
    return keys + struct.pack("<I", crc32(keys))


def hardware_files(hardware: Hardware, step_ms: int) -> dict[str, bytes]:
    """What follows from the hardware alone: the plant, and the parameters that tell flight software of it."""
    store = MemoryStore({})
    params = Params(store, d.PARAMETERS)
    for parameter, value in _parameters(hardware, step_ms).items():
        if params.set(parameter, value):
            _, name, _, low, high, unit = d.PARAMETERS[parameter]
            raise ScenarioError(f"node: {name} would be {value}, outside {low}..{high} {unit}")
    return {**store.files, "plant.bin": plant_image(hardware, step_ms)}


def _parameters(hardware: Hardware, step_ms: int) -> dict[int, int]:
    # What flight software has to know of the hardware, in its own units.
    def pw(watts: float) -> int:
        return round(watts * 1000) >> power_scale_k(hardware, step_ms)

    points = hardware.operating_points
    values = {
        d.P_CONTROL_MS: step_ms,
        d.P_CAPACITY_J: round(hardware.battery_wh * 3600) >> power_scale_k(hardware, step_ms),
        d.P_BUS_PW: pw(hardware.bus_load_w),
        d.P_RADIO_PW: pw(hardware.radio_w),
        d.P_IDLE_PW: pw(hardware.idle_w),
        d.P_CYCLES_PER_MAC: hardware.cycles_per_mac,
        d.P_WORK_SCALE: hardware.work_scale,
        d.P_OP_COUNT: len(points),
    }
    for parameter in _GOVERNOR:
        # The dictionary's defaults are for 180 W at the top point; gains go with the power that they steer. Below 10
        # the integral, in whole pw, would not see a tenth of a kelvin.
        values[parameter] = max(10, round(d.PARAMETERS[parameter][2] * pw(points[-1].power_w) / 180_000))
    for i, (clock_khz, power_w) in enumerate(points):
        values[d.P_OP_CLOCK_KHZ + i] = clock_khz
        values[d.P_OP_PW + i] = pw(power_w)
    return values
