"""`ascnode model push`: a model to nodes, over their radio."""

from pathlib import Path
from typing import Annotated

import typer

from ascnode.cli.sky_common import open_console
from ascnode.push.command import Board, Canary, DryRun, Flash, Options, Queries, ScenarioFile, To, push
from ascnode.push.models import package_of
from ascnode.scenario.payload import load_payload

app = typer.Typer(no_args_is_help=True, help="Models of nodes.")


@app.callback()
def _model() -> None:
    """Models of nodes."""


@app.command("push")
def push_model(
    model: Annotated[Path, typer.Argument(help="A model: .acc, or int8 .tflite.")],
    to: To,
    canary: Canary = 0,
    queries: Queries = 50,
    board: Board = "virtual",
    scenario: ScenarioFile = None,
    flash: Flash = None,
    dry_run: DryRun = False,
) -> None:
    """Send a model up in the contacts of a scenario; run it again to go on after an interruption."""
    options = Options(to, canary, queries, board, scenario, flash, dry_run)
    options.interpreter()
    flown = options.load_scenario()
    payload = load_payload(flown.payload, flown.folder)
    package = package_of(model, payload, flown.accelerator != "none")
    push(open_console(), options, flown, payload, package)
