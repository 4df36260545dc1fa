"""Every command, argument and option as Markdown, from the commands themselves: `python -m ascnode.cli.reference`."""

from collections.abc import Iterator
from enum import Enum
from typing import Any

import typer

from ascnode.cli.main import app

_HEAD = "| | what | default |\n|---|---|---|"


def commands() -> Iterator[tuple[str, Any]]:
    """(name with its group's, as in "sky passes"; typer's command) of all, in the order of --help."""
    yield from _below(typer.main.get_command(app), "")


def reference() -> str:
    """A section for each command."""
    return "\n\n".join(_section(name, command) for name, command in commands()) + "\n"


def _below(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name in group.list_commands(None):
        command, whole = group.get_command(None, name), f"{path} {name}".strip()
        if hasattr(command, "list_commands"):
            yield from _below(command, whole)
        else:
            yield whole, command


def _section(name: str, command: Any) -> str:
    rows = [_row(parameter) for parameter in command.params if not getattr(parameter, "hidden", False)]
    table = "\n".join([_HEAD, *rows]) if rows else "No arguments."
    return f"## ascnode {name}\n\n{' '.join(command.help.split())}\n\n{table}"


def _row(parameter: Any) -> str:
    option = parameter.param_type_name == "option"
    names = ", ".join(parameter.opts if option else [parameter.metavar or parameter.name.upper()])
    return f"| `{names}` | {_cell(parameter.help or '')} | {_cell(_default(parameter))} |"


def _default(parameter: Any) -> str:
    value = parameter.default
    if parameter.required:
        return "must be given"
    if value is None or value is False:
        return ""
    return str(value.value if isinstance(value, Enum) else value)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    print(reference(), end="")
