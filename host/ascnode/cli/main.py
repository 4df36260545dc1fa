"""The `ascnode` command. Whatever goes wrong ends in one sentence on standard error and a non-zero status."""

import sys

import typer

from ascnode.cli import accel, board, boards, demo, flash, mesh, sky
from ascnode.errors import AscnodeError

app = typer.Typer(
    name="ascnode",
    help="Hardware-in-the-loop testbed for satellite compute nodes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo.demo)
app.command("board")(board.board)
app.command("flash")(flash.flash)
app.add_typer(accel.app, name="accel")
app.add_typer(boards.app, name="boards")
app.add_typer(sky.app, name="sky")
app.add_typer(mesh.app, name="mesh")


def main() -> None:
    """Entry point; 1 for a failure, 2 for a wrong command line, 130 for Ctrl-C."""
    if sys.platform not in ("linux", "darwin"):
        sys.exit("ascnode runs on Linux and macOS: Windows has no pseudo-terminals for its virtual boards")
    try:
        app()
    except AscnodeError as e:
        print(f"ascnode: {e}", file=sys.stderr)
        sys.exit(e.status)
    except OSError as e:  # a full disk, a folder that may not be written
        where = f"{e.filename}: " if e.filename else ""
        print(f"ascnode: {where}{e.strerror or e}", file=sys.stderr)
        sys.exit(1)
