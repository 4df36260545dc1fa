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
SUNLIT, OUT, THROTTLED, SHED, TRIPPED, _, _, BOARD = (1 << bit for bit in range(8))
MODE_SHIFT = 5  # two bits of the flags
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
    for bit in ("SUNLIT", "OUT", "THROTTLED", "SHED", "TRIPPED", "BOARD"):
        flags |= np.where(getattr(fleet, bit.lower()), np.uint8(globals()[bit]), np.uint8(0))
    columns = (
        fleet.charge * 255,
        fleet.accelerator_k - COLDEST_K,
        fleet.radiator_k - COLDEST_K,
        *(fleet.operating_point, fleet.jobs, flags),
    )
    whole = [np.clip(np.rint(column), 0, 255).astype(np.uint8) for column in columns]
    return zlib.compress(np.stack(whole, axis=-1).tobytes(), _LEVEL)


def unpack_fleet(blob: bytes) -> Bytes:
    """Bytes (n, 6), in the order of FLEET_COLUMNS. ValueError, or zlib.error, for what is none."""
    return np.frombuffer(zlib.decompress(blob), np.uint8).reshape(-1, len(FLEET_COLUMNS))


def fleet_state(cells: Bytes) -> FleetState:
    """In units, from bytes (n, 6)."""
    charge, accelerator, radiator, point, jobs, flags = cells.T
    bits = {
        name: (flags & bit) != 0
        for name, bit in (
            *(("sunlit", SUNLIT), ("out", OUT), ("throttled", THROTTLED)),
            *(("shed", SHED), ("tripped", TRIPPED), ("board", BOARD)),
        )
    }
    return FleetState(
        charge / 255,
        accelerator + COLDEST_K,
        radiator + COLDEST_K,
        point,
        jobs,
        flags >> MODE_SHIFT & 3,
        **bits,
    )


def pack_json(value: Mapping[str, Any]) -> bytes:
    """zlib of JSON without spaces, keys in order."""
    return zlib.compress(json.dumps(value, sort_keys=True, separators=(",", ":")).encode(), _LEVEL)


def unpack_json(blob: bytes) -> dict[str, Any]:
    """ValueError, or zlib.error, for what is none."""
    value: dict[str, Any] = json.loads(zlib.decompress(blob))
    return value


def pack_bytes(data: bytes) -> bytes:
    """zlib of a file or a buffer."""
    return zlib.compress(data, 6)


def unpack_bytes(blob: bytes) -> bytes:
    """zlib.error for what is none."""
    return zlib.decompress(blob)
