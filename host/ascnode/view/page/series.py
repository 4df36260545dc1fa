"""A node's quantities over time, thinned so that no peak is lost: a place has the least and greatest of its samples."""

import json
from typing import Any

import numpy as np
import numpy.typing as npt

from ascnode.record.packed import unpack_fleet
from ascnode.scenario.hardware import KELVIN_AT_0_C
from ascnode.view.page.rows import Rows

Floats = npt.NDArray[np.float64]

_HOUSEKEEPING = (
    "SELECT sent_us, fields FROM telemetry WHERE node = ? AND name = 'housekeeping' AND sent_us BETWEEN ? AND ? "
    "ORDER BY sent_us"
)
_FLEET = "SELECT slot, start_us, state FROM fleet WHERE start_us BETWEEN ? AND ? AND slot % ? = 0 ORDER BY slot"
_COLDEST_K = 150.0


def of_board(rows: Rows, board: int, scale: float, start_s: float, end_s: float, points: int) -> dict[str, Any]:
    """From its housekeeping. `scale` mW is one power word."""
    found = rows.all("telemetry", _HOUSEKEEPING, board, int(start_s * 1e6), int(end_s * 1e6))
    told = [json.loads(fields) for _, fields in found]
    t = np.array([sent_us for sent_us, _ in found], np.float64) / 1e6

    def column(name: str) -> Floats:
        return np.array([fields[name] for fields in told], np.float64)

    quantities = {
        "charge": column("charge") / 1000,
        "accelerator_c": column("accelerator") / 100 - KELVIN_AT_0_C,
        "radiator_c": column("radiator") / 100 - KELVIN_AT_0_C,
        "array_w": column("array") * scale / 1000,
        "load_w": column("load") * scale / 1000,
        "point": column("operating_point"),
        "throttled": _share(t, column("throttled")),
        "queue": column("jobs_queued"),
    }
    return thinned(t, quantities, points)


def of_fleet(rows: Rows, node: int, slot_s: int, start_s: float, end_s: float, points: int) -> dict[str, Any]:
    """From the states at the ends of slots; of a long span, those of every n-th slot. Power is not in them."""
    every = max(1, int((end_s - start_s) / slot_s / points))
    found = rows.all("fleet", _FLEET, int(start_s * 1e6), int(end_s * 1e6), every)
    t = np.array([start_us for _, start_us, _ in found], np.float64) / 1e6 + slot_s
    cells = np.array([unpack_fleet(state)[node] for *_, state in found], np.float64).reshape(-1, 6)
    quantities = {
        "charge": cells[:, 0] / 255,
        "accelerator_c": cells[:, 1] + _COLDEST_K - KELVIN_AT_0_C,
        "radiator_c": cells[:, 2] + _COLDEST_K - KELVIN_AT_0_C,
        "point": cells[:, 3],
        "throttled": (cells[:, 5].astype(np.int64) >> 2 & 1).astype(np.float64),
        "queue": cells[:, 4],
    }
    return thinned(t, quantities, points) if len(t) else {"t": []}


def thinned(t: Floats, quantities: dict[str, Floats], points: int) -> dict[str, Any]:
    """Times (n,) and columns (n,) by at most `points` places: `t` is a place's last time, `lo` and `hi` its extremes."""
    edges = np.linspace(0, len(t), min(points, len(t)) + 1).astype(np.int64)
    starts, ends = edges[:-1], edges[1:]
    if len(starts) == 0:
        return {"t": []}
    return {
        "t": np.round(t[ends - 1], 3).tolist(),
        **{
            name: {
                "lo": np.round(np.minimum.reduceat(column, starts), 3).tolist(),
                "hi": np.round(np.maximum.reduceat(column, starts), 3).tolist(),
            }
            for name, column in quantities.items()
        },
    }


def _share(t: Floats, counted_s: Floats) -> Floats:
    # A counter of seconds as the share of the time since the sample before; it starts afresh with its board.
    if len(t) == 0:
        return t
    steps = np.diff(counted_s, prepend=counted_s[:1])
    spent = np.diff(t, prepend=t[0] - 1)
    return np.clip(steps / np.maximum(spent, 1e-3), 0.0, 1.0)
