"""Placement policies side by side."""

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from ascnode.scenario.figures import Figures


def print_comparison(console: Console, results: Mapping[str, Figures]) -> None:
    """A row for each policy, as it came out; then what each of them lost, by cause."""
    console.print(_figures(results))
    console.print(_losses(results))


def _figures(results: Mapping[str, Figures]) -> Table:
    table = Table(title="Placement", box=None, title_justify="left", title_style="bold", header_style="dim")
    table.add_column("policy")
    titles = (
        "goodput /s",
        "answered",
        "late",
        "p50 s",
        "p95 s",
        "p99 s",
        "worst battery",
        "hottest",
        "J/answer",
    )
    for title in titles:
        table.add_column(title, justify="right")
    for policy, one in results.items():
        latency = [f"{one.latency_s[q]:.2f}" if one.latency_s else "-" for q in ("p50", "p95", "p99")]
        energy = one.energy_j_per_answer
        table.add_row(
            policy,
            f"{one.goodput_per_s:.3f}",
            f"{one.answered:,}",
            f"{one.late:,}",
            *latency,
            f"{one.fleet.charge_min['min']:.1%}",
            f"{one.fleet.accelerator_max_c['max']:.1f} °C",
            f"{energy:.1f}" if energy is not None else "-",
        )
    return table


def _losses(results: Mapping[str, Figures]) -> Table:
    table = Table(title="Lost", box=None, title_justify="left", title_style="bold", header_style="dim")
    table.add_column("cause")
    for policy in results:
        table.add_column(policy, justify="right")
    for cause in sorted({cause for one in results.values() for cause in one.causes}):
        table.add_row(cause, *(f"{one.causes.get(cause, 0):,}" for one in results.values()))
    return table
