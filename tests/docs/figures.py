"""Draws the figures of docs/validation.md: `PYTHONPATH=tests python -m docs.figures`, or `make figures`.

Each SVG carries the numbers that it shows in its description, which a test compares with newly computed ones.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt
import numpy as np

from ascnode.mesh.anchors import bent_pipe, lasers, simulate
from ascnode.scenario.hardware import plant_words
from ascnode_fw.plant import layout as at
from ascnode_fw.plant.model import Plant
from docs.reading import DOCS
from firmware.plant import float_node, test_against_floats, test_basilisk
from mesh.test_latency import ANCHORS_MS
from twin import test_twin_command

FOLDER = DOCS / "figures"
WH_GATE, K_GATE = test_twin_command.WH_GATE, test_twin_command.TEMPERATURE_GATE_K
_ACCENT, _GREY = "#1f6feb", "#57606a"
_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "ascnode",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
_SHARES = (0.05, 0.5, 0.95, 0.99)

Drawn = tuple[Any, dict[str, float]]  # a matplotlib figure, and the numbers in it


@dataclass(frozen=True)
class _Flight:
    t_min: Any
    wh: Any
    celsius: Any


def basilisk() -> Drawn:
    """Battery and plate over three orbits with Basilisk's own figures, and how near all nine cases come."""
    figure, (battery, plate, near) = plt.subplots(1, 3, figsize=(10, 3), width_ratios=(3, 3, 2))
    case = test_basilisk.CASES["550 km, 53 deg"]
    flight = _flown(case)
    _against(battery, flight.t_min, flight.wh, (case.least_wh, case.last_wh), "battery, Wh")
    _against(plate, flight.t_min, flight.celsius, (case.hottest_c, case.last_c), "plate, °C")
    wh, kelvin = _errors()
    for row, (name, errors, gate) in enumerate((("K", kelvin, K_GATE), ("Wh", wh, WH_GATE))):
        near.plot(np.array(errors) / gate, np.full(len(errors), row), "o", ms=4, color=_ACCENT, alpha=0.5)
        near.text(0.97, row + 0.15, f"worst {max(errors):.3f} {name} of {gate:g}", ha="right", color=_GREY)
    near.axvline(1, color=_GREY, ls="--", lw=1)
    near.set(xlim=(0, 1.05), ylim=(-0.6, 1.6), yticks=[], xlabel="difference / gate, nine cases")
    return figure, {"worst_wh": max(wh), "worst_k": max(kelvin), "cases": len(test_twin_command.BASILISK)}


def _flown(case: test_basilisk.Case) -> _Flight:
    words = plant_words(test_basilisk.NODE.model_copy(update={"bus_load_w": case.load_w}), 1000)
    plant = Plant(words)
    plant.set_input(at.COS_ARRAY, 1024)
    plant.set_input(at.COS_RADIATOR, 1024)
    lit, _ = case.orbit.sun(np.arange(round(3 * case.orbit.period_s), dtype=np.float64))
    rows = []
    for word in np.rint(lit * 1024).astype(int).tolist():
        plant.state[at.ILLUMINATION] = word
        plant.step()
        rows.append((plant.state[at.ENERGY_J] / 3600, plant.state[at.T_RADIATOR_UK] * 1e-6 - 273.15))
    sampled = np.array(rows)[::30]
    return _Flight(np.arange(len(sampled)) / 2, sampled[:, 0], sampled[:, 1])


def _against(axes: Any, t_min: Any, values: Any, theirs: tuple[float, float], name: str) -> None:
    extreme, last = theirs
    where = t_min[np.argmin(np.abs(values - extreme))]
    axes.plot(t_min, values, color=_ACCENT, lw=1)
    axes.plot([where, t_min[-1]], [extreme, last], "D", color="black", ms=4, label="Basilisk 2.12")
    axes.set(xlabel="minutes", ylabel=name)
    axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), fontsize=8)


def _errors() -> tuple[list[float], list[float]]:
    """|ours - Basilisk's| of the integer node: Wh, K; two of each a case."""
    wh, kelvin = [], []
    for case, (_, _, least_wh, last_wh, hottest_c, last_c) in test_twin_command.BASILISK.items():
        report = test_twin_command.twin(f"{test_twin_command.BASILISK_NODE} {case} --node integer")
        wh += [abs(report["battery_min_wh"] - least_wh), abs(report["battery_end_wh"] - last_wh)]
        kelvin += [abs(report["radiator_max_c"] - hottest_c), abs(report["radiator_end_c"] - last_c)]
    return wh, kelvin


def floats() -> Drawn:
    """The firmware's integers less an integration in float64, every second of two orbits, every term at work."""
    case = test_against_floats.CASES["420 km, beta 35"]
    plant, exact = Plant(plant_words(case.hardware, case.step_ms)), float_node.initial(case.hardware)
    rows = []
    for inputs in test_against_floats.schedule(case):
        test_against_floats.set_inputs(plant, inputs, case.k)
        plant.step()
        exact = float_node.step(case.hardware, inputs, exact, case.step_ms / 1000)
        ours = (
            plant.state[at.ENERGY_J],
            plant.state[at.T_ACCEL_UK] * 1e-6,
            plant.state[at.T_RADIATOR_UK] * 1e-6,
        )
        rows.append([a - b for a, b in zip(ours, exact, strict=True)])
    off = np.array(rows) * (100 / (case.hardware.battery_wh * 3600), 1, 1)
    figure, panels = plt.subplots(1, 3, figsize=(10, 2.6))
    names = ("charge, % of capacity", "accelerator, K", "radiator, K")
    for axes, name, column, gate in zip(panels, names, off.T, (0.2, 0.1, 0.1), strict=True):
        axes.plot(np.arange(len(column))[::60] / 60, column[::60], color=_ACCENT, lw=1)
        for side in (-gate, gate):
            axes.axhline(side, color=_GREY, ls="--", lw=1)
        axes.set(title=name, xlabel="minutes", ylim=(-1.3 * gate, 1.3 * gate))
    worst = np.abs(off).max(axis=0)
    return figure, {"charge_percent": worst[0], "accelerator_k": worst[1], "radiator_k": worst[2]}


def starlink() -> Drawn:
    """Round trips of the access link: percentiles as modelled and as measured."""
    figure, panels = plt.subplots(1, 2, figsize=(10, 2.6))
    worst = {}
    for axes, (name, scenario) in zip(
        panels, (("bent_pipe", bent_pipe()), ("lasers", lasers())), strict=True
    ):
        found = np.sort(simulate(scenario).delivered_ms)
        shares = np.linspace(0, 1, 200)
        axes.plot(np.quantile(found, shares), shares, color=_ACCENT, lw=1.2, label="model")
        axes.plot(ANCHORS_MS[name], _SHARES, "D", color="black", ms=4, label="Starlink, measured")
        axes.set(
            title=name.replace("_", " "),
            xlabel="round trip, ms",
            ylabel="share",
            xlim=(0, 300),
            ylim=(0, 1.02),
        )
        axes.legend(frameon=False, loc="lower right", fontsize=8)
        off = np.quantile(found, _SHARES) / ANCHORS_MS[name] - 1
        worst[f"{name}_percent"] = 100 * float(np.abs(off).max())
    return figure, worst


FIGURES: dict[str, Callable[[], Drawn]] = {"basilisk": basilisk, "floats": floats, "starlink": starlink}


def draw(name: str, folder: Path = FOLDER) -> dict[str, float]:
    """Writes one figure; the numbers that it carries."""
    with matplotlib.rc_context(_STYLE):
        figure, values = FIGURES[name]()
        numbers = {key: float(f"{value:.4g}") for key, value in values.items()}
        figure.tight_layout()
        folder.mkdir(parents=True, exist_ok=True)
        said = {"Date": None, "Creator": None, "Description": json.dumps(numbers)}
        figure.savefig(folder / f"{name}.svg", metadata=said)
        plt.close(figure)
    return numbers


def main() -> None:
    for name in FIGURES:
        started = time.process_time()
        numbers = draw(name)
        print(f"{name}: {numbers}, {time.process_time() - started:.1f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
