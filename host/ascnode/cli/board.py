"""`ascnode board`: one virtual board on its own, for serial programs and mpremote."""

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ascnode.boards.firmware import BOARD_ID_FILE, architecture, board_files
from ascnode.boards.flash_image import build_image
from ascnode.boards.interpreter import require_interpreter
from ascnode.boards.virtual import PROFILES, VirtualBoard
from ascnode.errors import AscnodeError, StoppedError
from ascnode.models.image import compile_image
from ascnode.models.project import load_project_model
from ascnode.scenario.provision import node_files, unique_id
from ascnode.scenario.scenario import Scenario


def board(
    flash: Annotated[
        Path, typer.Argument(help="Flash image; made with the node's firmware when it is not there.")
    ],
    link: Annotated[Path | None, typer.Option(help="Symbolic link to the port.")] = None,
    profile: Annotated[str, typer.Option(help="rp2040 or esp32.")] = "rp2040",
) -> None:
    """Run one virtual board until Ctrl-C; its flash is kept."""
    if profile not in PROFILES:
        raise AscnodeError(f"no board profile {profile!r}: there are {', '.join(PROFILES)}")
    interpreter = require_interpreter()
    if not flash.exists():
        scenario = Scenario()
        files = node_files(
            scenario.node, compile_image(load_project_model()), scenario.seed, 0, scenario.step_ms
        )
        files = {
            **board_files(architecture(interpreter)),
            **files,
            BOARD_ID_FILE: unique_id(scenario.seed, 0),
        }
        flash.write_bytes(build_image(files, PROFILES[profile].flash_blocks))
    with VirtualBoard(flash, profile, interpreter, link=link) as one:
        one.power_on()
        Console().print(
            f"{one.port} is a {profile} board ({interpreter.version}); Ctrl-C ends it", highlight=False
        )
        try:
            while one.alive:
                time.sleep(0.5)
        except KeyboardInterrupt:
            raise StoppedError("stopped by Ctrl-C") from None
    raise AscnodeError("the board has stopped")
