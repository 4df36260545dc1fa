"""Plots of the `ascnode mesh` commands; matplotlib is loaded only here."""

from pathlib import Path
from typing import Any

import numpy as np

from ascnode.errors import AscnodeError
from ascnode.mesh.survey import Survey


def plot_rtt(path: Path, report: dict[str, Any]) -> None:
    """Round-trip time over time, with gaps where there is no route; fibre as a line."""
    figure, axes = _figure()
    t_s = [step["t_s"] for step in report["steps"]]
    rtt_ms = [np.nan if step["rtt_ms"] is None else step["rtt_ms"] for step in report["steps"]]
    axes.plot(t_s, rtt_ms, marker="." if len(t_s) < 50 else "", label=report["constellation"])
    axes.axhline(report["fibre_rtt_ms"], color="grey", linestyle="--", label="fibre on the great circle")
    axes.set(xlabel=f"s after {report['epoch']}", ylabel="RTT ms")
    axes.set_title(f"{report['from']['name']} to {report['to']['name']}")
    _save(figure, axes, path)


def plot_survey(path: Path, found: Survey, name: str) -> None:
    """Distributions of the round-trip times between cities, beside fibre."""
    figure, axes = _figure()
    for values, label in ((found.rtt_ms.ravel(), name), (found.fibre_ms, "fibre on the great circle")):
        finite = np.sort(values[np.isfinite(values)])
        axes.plot(finite, np.arange(1, len(finite) + 1) / max(len(finite), 1), label=label)
    axes.set(xlabel="RTT ms", ylabel="share of pairs of cities", ylim=(0, 1))
    _save(figure, axes, path)


def _figure() -> tuple[Any, Any]:
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise AscnodeError("--plot needs matplotlib: pip install ascnode[plot]") from None
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    return figure, figure.add_subplot()


def _save(figure: Any, axes: Any, path: Path) -> None:
    axes.legend()
    axes.grid(alpha=0.3)
    try:
        figure.savefig(path)
    except ValueError as e:
        raise AscnodeError(f"{path}: {e}") from None
