"""`ascnode demo`: four boards of real firmware through one orbit, answering queries from the ground."""

import asyncio
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ascnode.boards.interpreter import Interpreter, find_interpreter
from ascnode.errors import AscnodeError, StoppedError
from ascnode.models.digits import load_digits
from ascnode.models.project import load_project_model
from ascnode.record.database import Record, next_path
from ascnode.scenario.figures import Figures
from ascnode.scenario.hangar import Hangar
from ascnode.scenario.run import Run
from ascnode.scenario.scenario import Scenario, demo_file, load
from ascnode.view.live import LiveView
from ascnode.view.summary import print_summary
from ascnode_fw import __version__


def demo(
    scenario: Annotated[
        Path | None, typer.Option(help="Scenario file (TOML) to fly instead of the demo's.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**32 - 1, help="Another seed for users and boards.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the closing figures to this file.")
    ] = None,
    record: Annotated[
        Path | None, typer.Option(help="Record the run in this file; by default a new one in runs/.")
    ] = None,
) -> None:
    """Fly boards of real firmware through one orbit and let ground users ask them."""
    console = Console()
    flown = load(scenario or demo_file())
    if seed is not None:
        flown = flown.model_copy(update={"seed": seed})
    path = record or next_path(Path("runs"), flown.name)
    if path.exists():
        raise AscnodeError(f"{path} exists: name another record, runs are not overwritten")
    interpreter = find_interpreter()
    console.print(_opening(flown, interpreter), highlight=False)
    try:
        figures = _fly(flown, interpreter, path, console)
    except KeyboardInterrupt:
        raise StoppedError("stopped by Ctrl-C") from None
    print_summary(console, figures)
    if json_file:
        _write(json_file, figures)


def _opening(scenario: Scenario, interpreter: Interpreter | None) -> str:
    boards = len(scenario.shell.boards)
    sky = (
        f"{scenario.shell.altitude_km:g} km / {scenario.shell.inclination_deg:g} deg, {scenario.duration_s} s"
    )
    if interpreter is None:
        return (
            f"No MicroPython interpreter was found (install `micropython`, or name one in ASCNODE_MICROPYTHON): "
            f"{boards} twins fly alone, {sky}"
        )
    return f"{boards} virtual boards ({scenario.profile}, {interpreter.version}), {sky}"


def _fly(scenario: Scenario, interpreter: Interpreter | None, path: Path, console: Console) -> Figures:
    started = time.monotonic()
    with Record(path) as run:
        try:
            run.values("run", {"ascnode": __version__, "scenario": scenario.model_dump(mode="json")})
            run.commit()
            figures = asyncio.run(_fly_async(scenario, interpreter, run, console))
            figures = replace(figures, wall_s=round(time.monotonic() - started, 3), record=str(path))
            run.values(
                "figures",
                {k: v for k, v in figures.json().items() if k not in ("wall_s", "record", "record_sha256")},
            )
            run.values("wall", {"wall_s": figures.wall_s})
            return replace(figures, record_sha256=run.digest())
        except BaseException:
            console.print(f"The record so far is kept in {path}", highlight=False)
            raise


async def _fly_async(
    scenario: Scenario, interpreter: Interpreter | None, record: Record, console: Console
) -> Figures:
    digits = load_digits()
    model = load_project_model()
    async with Hangar(scenario, model, interpreter, record) as hangar:
        run = Run(scenario, hangar.flyers, digits, model.model_id, hangar.kind, record)
        with LiveView(console, scenario.duration_s) as view:
            return await run.fly(view.update)


def _write(path: Path, figures: Figures) -> None:
    try:
        path.write_text(json.dumps(figures.json(), indent=2, sort_keys=True) + "\n", encoding="utf-8")
    except OSError as e:
        raise AscnodeError(f"{path}: {e.strerror}") from None
