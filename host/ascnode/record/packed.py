"""What a record holds as blobs: the state of a fleet, the service of a slot, files and buffers of a node."""

import json
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]

FLEET_COLUMNS = ("charge", "accelerator_k", "radiator_k", "operating_point", "jobs", "flags")
COLDEST_K = 150.0  # temperatures are bytes above it
FLAGS = {"sunlit": 0x01, "out": 0x02, "throttled": 0x04, "shed": 0x08, "tripped": 0x10, "board": 0x80}
MODE_SHIFT = 5  # of the mode's two bits in the flags
_LARGEST_BYTES = 1 << 26
_LEVEL = 1  # of zlib: the others save a tenth of the bytes and take three times as long


class FleetState(NamedTuple):
    """Every satellite (n,): charge 0..1, temperatures in K, numbers, and flags as booleans; mode as in the dictionary.

    Throttled: has jobs, and is not at its fastest point.
    """

    charge: npt.NDArray[Any]
    accelerator_k: npt.NDArray[Any]
    radiator_k: npt.NDArray[Any]
    operating_point: npt.NDArray[Any]
    jobs: npt.NDArray[Any]
    mode: npt.NDArray[Any]
    sunlit: npt.NDArray[Any]
    out: npt.NDArray[Any]
    throttled: npt.NDArray[Any]
    shed: npt.NDArray[Any]
    tripped: npt.NDArray[Any]
    board: npt.NDArray[Any]


def pack_fleet(fleet: FleetState) -> bytes:
    """zlib of bytes [n, 6]: charge in 255ths, K above 150 twice, point, jobs up to 255, flags."""
    flags = fleet.mode.astype(np.uint8) << MODE_SHIFT
    for name, bit in FLAGS.items():
        flags |= np.where(getattr(fleet, name), np.uint8(bit), np.uint8(0))
    columns = (
        fleet.charge * 255,
        fleet.accelerator_k - COLDEST_K,
        fleet.radiator_k - COLDEST_K,
        *(fleet.operating_point, fleet.jobs, flags),
    )
    whole = [np.clip(np.rint(column), 0, 255).astype(np.uint8) for column in columns]
    return zlib.compress(np.stack(whole, axis=-1).tobytes(), _LEVEL)


def unpack_fleet(blob: bytes) -> Bytes:
    """Bytes (n, 6), in the order of FLEET_COLUMNS. ValueError for what is none."""
    return np.frombuffer(inflate(blob), np.uint8).reshape(-1, len(FLEET_COLUMNS))


def fleet_state(cells: Bytes) -> FleetState:
    """In units, from bytes (n, 6)."""
    charge, accelerator, radiator, point, jobs, flags = cells.T
    bits = {name: (flags & bit) != 0 for name, bit in FLAGS.items()}
    temperatures = accelerator + COLDEST_K, radiator + COLDEST_K
    return FleetState(charge / 255, *temperatures, point, jobs, flags >> MODE_SHIFT & 3, **bits)


def pack_json(value: Mapping[str, Any]) -> bytes:
    """zlib of JSON without spaces, keys in order."""
    return zlib.compress(json.dumps(value, sort_keys=True, separators=(",", ":")).encode(), _LEVEL)


def unpack_json(blob: bytes) -> dict[str, Any]:
    """ValueError for what is none."""
    value = json.loads(inflate(blob))
    if not isinstance(value, dict):
        raise ValueError("not a table of JSON")
    return value


def deflate(data: bytes) -> bytes:
    """zlib of a file or a buffer."""
    return zlib.compress(data)


def inflate(blob: bytes) -> bytes:
    """ValueError for what is no zlib, or would be larger than anything that a record holds."""
    stream = zlib.decompressobj()
    try:
        data = stream.decompress(blob, _LARGEST_BYTES)
    except zlib.error as e:
        raise ValueError(f"not zlib: {e}") from None
    if not stream.eof:
        raise ValueError("zlib cut short, or too large")
    return data
