"""The `ascnode` command. Whatever goes wrong ends in one sentence on standard error and a non-zero status."""

import sys
from collections.abc import Callable
from importlib import import_module
from types import MappingProxyType
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from ascnode.errors import AscnodeError

# In the order of --help. A module is imported when its command is asked for: compiled kernels and the like take half
# a second. A group's module has `app`, a single command's a function of its name.
_COMMANDS = MappingProxyType(
    {
        "demo": "demo",
        "run": "run",
        "runs": "app",
        "replay": "replay",
        "serve": "serve",
        "watch": "watch",
        "board": "board",
        "boards": "app",
        "flash": "flash",
        "model": "app",
        "firmware": "app",
        "accel": "app",
        "sky": "app",
        "mesh": "app",
        "twin": "app",
        "report": "report",
        "stream": "stream",
        "openmct": "openmct",
        "dictionary": "app",
    }
)


class _Commands(TyperGroup):
    def list_commands(self, ctx: Any) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in _COMMANDS:
            return None
        found = getattr(import_module(f"ascnode.cli.{cmd_name}"), _COMMANDS[cmd_name])
        command = get_group(found) if isinstance(found, typer.Typer) else _single(found)
        command.name = cmd_name
        return command


def _single(function: Callable[..., None]) -> Any:
    alone = typer.Typer(add_completion=False)
    alone.command()(function)
    return get_command(alone)


app = typer.Typer(
    name="ascnode", cls=_Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)


@app.callback()
def _ascnode() -> None:
    """Hardware-in-the-loop testbed for satellite compute nodes."""


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
