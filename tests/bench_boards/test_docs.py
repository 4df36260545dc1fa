"""docs/boards.md names what there is."""

from pathlib import Path

import typer

from ascnode.boards.kinds import KINDS
from ascnode.cli import boards
from ascnode.cli.flash import flash

TEXT = (Path(__file__).parents[2] / "docs" / "boards.md").read_text()


def test_every_command_option_and_kind_is_documented() -> None:
    commands = typer.main.get_command(boards.app)
    missing = [f"boards {name}" for name in commands.commands if f"`boards {name}" not in TEXT]  # type: ignore[attr-defined]
    app = typer.Typer()
    app.command()(flash)
    options = [option for one in typer.main.get_command(app).params for option in one.opts]
    missing += [
        option for option in options if option.startswith("--") and option not in HELP and option not in TEXT
    ]
    missing += [kind for kind in KINDS if kind not in TEXT]
    assert missing == []


HELP = ("--help", "--install-completion", "--show-completion")
