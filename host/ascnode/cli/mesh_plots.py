"""Charts of the `ascnode mesh` commands."""

from pathlib import Path
from typing import Any

import numpy as np

from ascnode.cli.sky_common import chart
from ascnode.mesh.survey import Survey


def plot_rtt(path: Path, report: dict[str, Any]) -> None:
    """Round-trip time over time, with gaps where there is no route; fibre as a line."""
    t_s = [step["t_s"] for step in report["steps"]]
    rtt_ms = [np.nan if step["rtt_ms"] is None else step["rtt_ms"] for step in report["steps"]]
    with chart(path) as axes:
        axes.plot(t_s, rtt_ms, marker="." if len(t_s) < 50 else "", label=report["constellation"])
        axes.axhline(report["fibre_rtt_ms"], color="grey", linestyle="--", label="fibre on the great circle")
        axes.set(xlabel=f"s after {report['epoch']}", ylabel="RTT ms")
        axes.set_title(f"{report['from']['name']} to {report['to']['name']}")
        _finish(axes)


def plot_survey(path: Path, found: Survey, name: str) -> None:
    """Distributions of the round-trip times between cities, beside fibre."""
    with chart(path) as axes:
        for values, label in ((found.rtt_ms.ravel(), name), (found.fibre_ms, "fibre on the great circle")):
            finite = np.sort(values[np.isfinite(values)])
            axes.plot(finite, np.arange(1, len(finite) + 1) / max(len(finite), 1), label=label)
        axes.set(xlabel="RTT ms", ylabel="share of pairs of cities", ylim=(0, 1))
        _finish(axes)


def _finish(axes: Any) -> None:
    axes.legend()
    axes.grid(alpha=0.3)
