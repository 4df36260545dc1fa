"""Options of commands that make boards on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from ascnode.boards.runtime import KINDS

BoardKind = Annotated[
    str, typer.Option("--board", help=f"What the boards are: {' or '.join(KINDS)} (a Pico, much slower).")
]
Uf2File = Annotated[
    Path | None,
    typer.Option("--uf2", help="Official MicroPython image of emulated boards; ASCNODE_UF2 without it."),
]
