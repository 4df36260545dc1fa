"""`ascnode firmware push`: this ascnode's firmware to nodes, over their radio."""

import typer

from ascnode.boards.firmware import architecture, board_files
from ascnode.cli.sky_common import open_console
from ascnode.push.command import Board, Canary, DryRun, Flash, Options, Queries, ScenarioFile, To, push
from ascnode.push.package import firmware_package
from ascnode.scenario.payload import load_payload
from ascnode_fw import __version__

app = typer.Typer(no_args_is_help=True, help="Firmware of nodes.")


@app.callback()
def _firmware() -> None:
    """Firmware of nodes."""


@app.command("push")
def push_firmware(
    to: To,
    canary: Canary = 0,
    queries: Queries = 50,
    board: Board = "virtual",
    scenario: ScenarioFile = None,
    flash: Flash = None,
    dry_run: DryRun = False,
) -> None:
    """Send the firmware up in the contacts of a scenario, start it on trial and confirm it."""
    options = Options(to, canary, queries, board, scenario, flash, dry_run)
    interpreter = options.interpreter()
    flown = options.load_scenario()
    files = board_files(architecture(interpreter) if interpreter else "")
    package = firmware_package(files, interpreter.mpy if interpreter else 0, __version__)
    push(open_console(), options, flown, load_payload(flown.payload, flown.folder), package)
