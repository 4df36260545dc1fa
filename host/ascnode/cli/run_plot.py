"""The chart of a run: latency and its parts, batteries, temperatures, what waits. Drawn from the record."""

import sqlite3
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ascnode.cli.sky_common import chart
from ascnode.errors import AscnodeError
from ascnode.scenario.hardware import KELVIN_AT_0_C
from ascnode.scenario.ledger import PARTS
from ascnode.sky.vectors import Floats


def check_plot(path: Path) -> None:
    """Refuses before the run what could not be drawn after it."""
    if path.suffix not in (".png", ".svg"):
        raise AscnodeError(f"{path}: a chart is written as .png or .svg")
    if find_spec("matplotlib") is None:
        raise AscnodeError("charts need matplotlib: pip install 'ascnode[plot]'")


def plot_record(record: Path, path: Path) -> None:
    """Four panels of a run that has been recorded."""
    with sqlite3.connect(record) as db, chart(path) as axes:
        figure = axes.figure
        axes.remove()
        figure.set_size_inches(12, 8)
        latency, battery, heat, waiting = figure.subplots(2, 2).ravel()
        _latency(latency, db)
        _battery(battery, db)
        _heat(heat, db)
        _waiting(waiting, db)


def _latency(axes: Any, db: sqlite3.Connection) -> None:
    columns = ", ".join(f"{part}_us / 1e6" for part in PARTS)
    rows = _rows(
        db, f"SELECT {columns}, (answered_us - sent_us) / 1e6 FROM queries WHERE answered_us IS NOT NULL"
    )
    for i, name in enumerate((*PARTS, "together")):
        values = np.sort(rows[:, i]) if len(rows) else np.empty(0)
        share = np.arange(1, len(values) + 1) / max(1, len(values))
        axes.plot(values, share, label=name, color="black" if name == "together" else None)
    axes.set(xscale="log", xlabel="s", ylabel="share of the answers", title="latency and its parts")
    axes.legend(fontsize="small")
    axes.grid(alpha=0.3)


def _battery(axes: Any, db: sqlite3.Connection) -> None:
    rows = _rows(db, "SELECT start_us / 6e7, charge_min, charge_mean FROM slots ORDER BY number")
    axes.plot(rows[:, 0], rows[:, 2], label="mean")
    axes.plot(rows[:, 0], rows[:, 1], label="worst")
    axes.set(xlabel="min", ylabel="state of charge", title="batteries of the compute nodes", ylim=(0, 1.02))
    axes.legend(fontsize="small")
    axes.grid(alpha=0.3)


def _heat(axes: Any, db: sqlite3.Connection) -> None:
    query = (
        "SELECT start_us / 6e7, accelerator_max_k, radiator_max_k, load_w / 1000 FROM slots ORDER BY number"
    )
    rows = _rows(db, query)
    axes.plot(rows[:, 0], rows[:, 1] - KELVIN_AT_0_C, label="hottest accelerator")
    axes.plot(rows[:, 0], rows[:, 2] - KELVIN_AT_0_C, label="hottest radiator")
    axes.set(xlabel="min", ylabel="°C", title="temperatures, and the power of all compute nodes")
    power = axes.twinx()
    power.plot(rows[:, 0], rows[:, 3], color="grey", linewidth=0.8, label="kW")
    power.set(ylabel="kW")
    axes.legend(fontsize="small", loc="lower right")
    axes.grid(alpha=0.3)


def _waiting(axes: Any, db: sqlite3.Connection) -> None:
    rows = _rows(db, "SELECT start_us / 6e7, jobs, parcels_waiting FROM slots ORDER BY number")
    axes.plot(rows[:, 0], rows[:, 1], label="jobs in nodes")
    axes.plot(rows[:, 0], rows[:, 2], label="packets that wait on the way")
    axes.set(xlabel="min", title="what waits at the end of each slot")
    axes.legend(fontsize="small")
    axes.grid(alpha=0.3)


def _rows(db: sqlite3.Connection, query: str) -> Floats:
    rows = db.execute(query).fetchall()
    width = len(rows[0]) if rows else len(query.split("FROM")[0].split(","))
    return np.array(rows, dtype=np.float64).reshape(-1, width)
