"""Whole runs: the demo's scenario without boards, by the share of time that each part of a slot takes."""

import asyncio
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ascnode.record.database import Record
from ascnode.scenario.kernels import compile_kernels
from ascnode.scenario.payload import load_payload
from ascnode.scenario.run import Run
from ascnode.scenario.scenario import load, ready_made

PEER = "real time"


def runs(console: Console, folder: Path) -> None:
    """The demo, and the stress scenario, with all nodes simulated."""
    compile_kernels()
    table = Table(title="whole runs, all nodes simulated", title_justify="left")
    for name in ("scenario", "satellites", "queries", "slots", "cpu s", "ms a slot", f"x {PEER}"):
        table.add_column(name, justify="right")
    for name in ("demo", "stress"):
        scenario = load(ready_made(name)).without_boards()
        payload = load_payload(scenario.payload, scenario.folder)
        with Record(folder / f"{name}.sqlite") as record:
            run = Run(scenario, [], payload, "twin", record)
            start = time.process_time()
            figures = asyncio.run(run.fly(lambda sim_s, boards: None))
            spent_s = time.process_time() - start
        table.add_row(
            name,
            f"{scenario.space.count:,}",
            f"{figures.queries_sent:,}",
            str(run.slots),
            f"{spent_s:.1f}",
            f"{1000 * spent_s / run.slots:.1f}",
            f"{figures.sim_s / spent_s:,.0f}",
        )
    console.print(table)
