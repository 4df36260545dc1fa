"""What `ascnode twin run` prints and draws."""

from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from ascnode.cli.sky_common import chart, open_console
from ascnode.scenario.hardware import KELVIN_AT_0_C, Hardware
from ascnode.twin.fleet.single import Flown

_MOST_POINTS = 4000


def print_figures(report: dict[str, Any]) -> None:
    """The report as text and a table."""
    console = open_console()
    console.print(
        f"{report['altitude_km']:g} km, beta {report['beta_deg']:.2f} deg: {report['duration_s']:.0f} s in "
        f"{report['steps']:,} steps ({report['node']})\n"
        f"eclipse {report['eclipse_fraction']:.5f} of the time; array {report['mean_array_w']:.2f} W, load "
        f"{report['mean_load_w']:.2f} W on average; shunted {report['shunted_wh']:.2f} Wh, unmet "
        f"{report['unmet_wh']:.2f} Wh",
        highlight=False,
    )
    table = Table()
    for name in ("", "lowest", "highest", "at the end"):
        table.add_column(name, justify="right")
    rows = [
        ("battery Wh", "battery", "wh"),
        ("radiator C", "radiator", "c"),
        ("accelerator C", "accelerator", "c"),
    ]
    for label, key, unit in rows:
        table.add_row(label, *(f"{report[f'{key}_{which}_{unit}']:.2f}" for which in ("min", "max", "end")))
    console.print(table)


def draw(path: Path, flown: Flown, hardware: Hardware) -> None:
    """Charge and temperatures over time. AscnodeError without matplotlib, or for another suffix than .png or .svg."""
    every = slice(None, None, max(1, len(flown.t_s) // _MOST_POINTS))
    minutes = flown.t_s[every] / 60
    with chart(path) as axes:
        axes.plot(
            minutes, flown.energy_j[every] / 36 / hardware.battery_wh, color="tab:green", label="battery"
        )
        axes.set(xlabel="minutes", ylabel="charge, %", ylim=(-2, 102))
        dark = np.interp(minutes, flown.t_s / 60, flown.illumination) < 0.5
        axes.fill_between(minutes, -2, 102, where=dark, color="0.9", step="mid")
        heat = axes.twinx()
        heat.plot(minutes, flown.radiator_k[every] - KELVIN_AT_0_C, color="tab:red", label="radiator")
        if hardware.conductance_w_per_k:
            accelerator_c = flown.accelerator_k[every] - KELVIN_AT_0_C
            heat.plot(minutes, accelerator_c, color="tab:orange", label="accelerator")
        heat.set_ylabel("temperature, C")
        axes.figure.legend(loc="outside upper center", ncols=3)
