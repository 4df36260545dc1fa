"""A node's quantities over time, thinned so that no peak is lost: a place has the least and greatest of its samples."""

from typing import Any

import numpy as np
import numpy.typing as npt

from ascnode.mesh.slots import SLOT_S
from ascnode.record.file import RecordFile
from ascnode.record.packed import fleet_state, unpack_fleet
from ascnode.record.reader import Reader
from ascnode.record.rows import Board
from ascnode.scenario.hardware import KELVIN_AT_0_C

Floats = npt.NDArray[np.float64]


def of_board(reader: Reader, board: Board, start_s: float, end_s: float, points: int) -> dict[str, Any]:
    """From its housekeeping."""
    told = list(reader.telemetry(board.node, "housekeeping", int(start_s * 1e6), int(end_s * 1e6)))
    t = np.array([one.sent_us for one in told], np.float64) / 1e6
    watts = 2**board.power_scale / 1000

    def column(name: str) -> Floats:
        return np.array([one.fields[name] for one in told], np.float64)

    quantities = {
        "charge": column("charge") / 1000,
        "accelerator_c": column("accelerator") / 100 - KELVIN_AT_0_C,
        "radiator_c": column("radiator") / 100 - KELVIN_AT_0_C,
        "array_w": column("array") * watts,
        "load_w": column("load") * watts,
        "point": column("operating_point"),
        "throttled": _share(t, column("throttled")),
        "queue": column("jobs_queued"),
    }
    return thinned(t, quantities, points)


def of_fleet(file: RecordFile, node: int, start_s: float, end_s: float, points: int) -> dict[str, Any]:
    """From the states at the ends of slots; of a long span, those of every n-th slot. Power is not in them."""
    every = max(1, int((end_s - start_s) / SLOT_S / points))
    span = (int(start_s * 1e6), int(end_s * 1e6), every)
    rows = list(file.select("fleet", "WHERE start_us BETWEEN ? AND ? AND slot % ? = 0 ORDER BY slot", span))
    if not rows:
        return {"t": []}
    with file.guarded():
        state = fleet_state(np.array([unpack_fleet(blob)[node] for *_, blob in rows]))
    quantities = {
        "charge": state.charge,
        "accelerator_c": state.accelerator_k - KELVIN_AT_0_C,
        "radiator_c": state.radiator_k - KELVIN_AT_0_C,
        "point": state.operating_point,
        "throttled": state.throttled.astype(np.float64),
        "queue": state.jobs,
    }
    t = np.array([start_us for _, start_us, _ in rows], np.float64) / 1e6 + SLOT_S
    return thinned(t, quantities, points)


def thinned(t: Floats, quantities: dict[str, npt.NDArray[Any]], points: int) -> dict[str, Any]:
    """Times (n,) and columns (n,) by at most `points` places: `t` is a place's last time, lo and hi its extremes."""
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
