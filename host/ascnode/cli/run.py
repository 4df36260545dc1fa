"""`ascnode run`: flies a scenario, boards and simulated nodes together, and says what it came to."""

import asyncio
import json
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ascnode.boards.accelerators import AcceleratorKind
from ascnode.boards.runtime import Runtime, find_runtime, kind_of
from ascnode.cli.board_options import BoardKind, Uf2File
from ascnode.cli.run_plot import check_plot, plot_record
from ascnode.cli.sky_common import open_console
from ascnode.errors import AscnodeError, StoppedError
from ascnode.ground.beside import streamed
from ascnode.record.catalogue import process_mark
from ascnode.record.database import Record, next_path
from ascnode.scenario.figures import Figures
from ascnode.scenario.hangar import Hangar, check_faults
from ascnode.scenario.kernels import cached
from ascnode.scenario.payload import Payload, load_payload
from ascnode.scenario.recording import record_scenario
from ascnode.scenario.run import Run
from ascnode.scenario.scenario import Scenario, load, ready_made
from ascnode.scenario.tables.policy import PLACEMENTS
from ascnode.view.compare import print_comparison
from ascnode.view.live import LiveView
from ascnode.view.summary import print_summary

Seed = Annotated[int | None, typer.Option(min=0, max=2**32 - 1, help="Another seed for users and boards.")]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Write the closing figures to this file.")]
RecordFile = Annotated[
    Path | None, typer.Option("--record", help="Record the run in this file; by default a new one in runs/.")
]
NoBoards = Annotated[
    bool, typer.Option("--no-boards", help="Simulate the boards' satellites like all others.")
]
AcceleratorOption = Annotated[
    AcceleratorKind | None,
    typer.Option(
        "--accelerator",
        help="Beside each board: golden (the model with the RTL's timing), rtl (the RTL in a simulator) or none.",
    ),
]
PlotFile = Annotated[
    Path | None, typer.Option("--plot", help="Draw latency, batteries and loads (.png or .svg).")
]

# of the figures: what depends on wall time, as hits of a bad cable do, or is about the record itself
_NOT_RECORDED = ("wall_s", "record", "record_sha256", "faults")


@dataclass(frozen=True)
class Flight:
    """A scenario ready to fly: where it is recorded, and on what its boards run."""

    scenario: Scenario
    record: Path
    runtime: Runtime | None
    console: Console

    def fly(self) -> Figures:
        """The closing figures. Ctrl-C ends in StoppedError, with the record so far."""
        self.console.print(_opening(self.scenario, self.runtime), highlight=False)
        try:
            return _recorded(self)
        except KeyboardInterrupt:
            raise StoppedError("stopped by Ctrl-C") from None


def run(
    file: Annotated[
        Path, typer.Argument(help="Scenario file (TOML), or a ready-made one such as stress.toml.")
    ],
    seed: Seed = None,
    json_file: JsonFile = None,
    record: RecordFile = None,
    no_boards: NoBoards = False,
    accelerator: AcceleratorOption = None,
    plot: PlotFile = None,
    board: BoardKind = "virtual",
    uf2: Uf2File = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Fly it with each placement policy and print a table.")
    ] = False,
    stream_tcp: Annotated[
        int | None,
        typer.Option(
            min=1024, max=65535, help="Stream the boards' packets: board n at the n-th port after it."
        ),
    ] = None,
) -> None:
    """Fly a scenario: a constellation with boards in it, its users, its faults."""
    scenario = prepared(load(found(file)), seed, no_boards, accelerator)
    if compare:
        if record or plot or stream_tcp:
            raise AscnodeError("--compare flies several runs: it takes no --record, --plot or --stream-tcp")
        _compare(scenario, json_file, runtime_of(scenario, board, uf2))
        return
    fly(scenario, record, json_file, plot, runtime_of(scenario, board, uf2), stream_tcp)


def found(file: Path) -> Path:
    """The scenario file, or the ready-made one of that name where there is no such file."""
    ready = ready_made(file.stem)
    return ready if not file.exists() and file.parent == Path() and ready.is_file() else file


def prepared(
    scenario: Scenario, seed: int | None, no_boards: bool, accelerator: AcceleratorKind | None
) -> Scenario:
    """The scenario as the options change it."""
    if accelerator is not None:
        scenario = scenario.model_copy(update={"accelerator": accelerator})
    if seed is not None:
        scenario = scenario.model_copy(update={"seed": seed})
    return scenario.without_boards() if no_boards else scenario


def runtime_of(scenario: Scenario, kind: str, uf2: Path | None) -> Runtime | None:
    """What the scenario's boards run on; None when it has none, or where twins have to fly in their place."""
    return find_runtime(kind, uf2) if scenario.space.boards else None


def fly(
    scenario: Scenario,
    record: Path | None,
    json_file: Path | None,
    plot: Path | None,
    runtime: Runtime | None,
    stream_tcp: int | None = None,
) -> None:
    """One run with its display, its closing tables and what was asked to be written."""
    console = open_console()
    if plot is not None:
        check_plot(plot)
    path = record or next_path(Path("runs"), scenario.name)
    if path.exists():
        raise AscnodeError(f"{path} exists: name another record, runs are not overwritten")
    check_faults(scenario, runtime)
    with _streamed(path, stream_tcp, scenario, console):
        figures = Flight(scenario, path, runtime, console).fly()
    print_summary(console, figures)
    if plot is not None:
        plot_record(path, plot)
    if json_file:
        write_json(json_file, figures.json())


def _streamed(
    record: Path, port: int | None, scenario: Scenario, console: Console
) -> AbstractContextManager[None]:
    if port is None:
        return nullcontext()
    tell = partial(console.print, highlight=False, markup=False, soft_wrap=True)
    return streamed(record.absolute(), port, len(scenario.space.boards), tell)


def _compare(scenario: Scenario, json_file: Path | None, runtime: Runtime | None) -> None:
    console = open_console()
    check_faults(scenario, runtime)
    results = {}
    for placement in PLACEMENTS:
        policy = scenario.policy.model_copy(update={"placement": placement})
        flown = scenario.model_copy(update={"policy": policy, "name": f"{scenario.name[:28]}-{placement}"})
        flight = Flight(flown, next_path(Path("runs"), flown.name), runtime, console)
        results[placement] = flight.fly()
    print_comparison(console, results)
    if json_file:
        write_json(json_file, {name: figures.json() for name, figures in results.items()})


def _opening(scenario: Scenario, runtime: Runtime | None) -> str:
    space = scenario.space
    sky = f"{space.count:,} satellites of {space.satellites.name}, {scenario.length_s} s"
    boards = len(space.boards)
    if not boards:
        return f"{scenario.name}: no boards, {sky}"
    if runtime is None:
        return (
            f"No MicroPython interpreter was found (install `micropython`, or name one in ASCNODE_MICROPYTHON): "
            f"{boards} twins fly alone, {sky}"
        )
    with_ = "" if scenario.accelerator == "none" else f" with an accelerator each ({scenario.accelerator})"
    machine = f"{scenario.profile}, {runtime.version}"
    return f"{scenario.name}: {boards} {kind_of(runtime)} boards ({machine}){with_} among {sky}"


def _recorded(flight: Flight) -> Figures:
    if not cached():
        flight.console.print("Compiling kernels: once, a quarter of a minute or more", highlight=False)
    started = time.monotonic()
    scenario, path = flight.scenario, flight.record
    payload = load_payload(scenario.payload, scenario.folder)
    with Record(path) as record:
        try:
            started_at = datetime.now(UTC).isoformat(timespec="seconds")
            record.values("wall", {"started": started_at, "command": sys.argv, "process": process_mark()})
            record_scenario(record, scenario, payload, flight.runtime)
            figures = asyncio.run(_fly(flight, payload, record))
            figures = replace(figures, wall_s=round(time.monotonic() - started, 3), record=str(path))
            timeless = {k: v for k, v in figures.json().items() if k not in _NOT_RECORDED}
            record.values("figures", timeless)
            digest = record.digest()
            record.values("wall", {"wall_s": figures.wall_s, "record_sha256": digest})
            return replace(figures, record_sha256=digest)
        except BaseException:
            flight.console.print(f"The record so far is kept in {path}", highlight=False)
            raise


async def _fly(flight: Flight, payload: Payload, record: Record) -> Figures:
    scenario = flight.scenario
    async with Hangar(scenario, payload, flight.runtime, record) as hangar:
        run = Run(scenario, hangar.flyers, payload, hangar.kind, record, hangar.injected)
        with LiveView(flight.console, scenario.length_s) as view:
            return await run.fly(view.update)


def write_json(path: Path, values: object) -> None:
    """Sorted, with a newline; AscnodeError when it cannot be written."""
    try:
        path.write_text(json.dumps(values, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    except OSError as e:
        raise AscnodeError(f"{path}: {e.strerror}") from None
