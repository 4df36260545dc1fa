"""`ascnode board`: one virtual or emulated board on its own, for serial programs and mpremote."""

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ascnode.boards.firmware import BOARD_ID_FILE, board_files
from ascnode.boards.flash_image import build_image
from ascnode.boards.interpreter import require_interpreter
from ascnode.boards.runtime import board_of, find_runtime, flash_blocks_of, march_of
from ascnode.cli.board_options import BoardKind, Uf2File
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
    board: BoardKind = "virtual",
    uf2: Uf2File = None,
) -> None:
    """Run one board until Ctrl-C; its flash is kept."""
    runtime = find_runtime(board, uf2) or require_interpreter()
    blocks = flash_blocks_of(runtime, profile)
    if not flash.exists():
        flash.write_bytes(build_image({**board_files(march_of(runtime)), **_node_files()}, blocks))
    with board_of(runtime, flash, profile, link=link) as one:
        one.power_on()
        Console().print(
            f"{one.port}: {board} {profile} board ({runtime.version}); Ctrl-C ends it", highlight=False
        )
        try:
            while one.alive:
                time.sleep(0.5)
        except KeyboardInterrupt:
            raise StoppedError("stopped by Ctrl-C") from None
    raise AscnodeError("the board has stopped")


def _node_files() -> dict[str, bytes]:
    scenario = Scenario()
    image = compile_image(load_project_model())
    files = node_files(scenario.node, image, scenario.seed, 0, scenario.step_ms)
    return {**files, BOARD_ID_FILE: unique_id(scenario.seed, 0)}
