"""Leaves off the board what only hosts read of the dictionary: names, units and meanings, an eighth of a small heap."""

import ast
import re
from collections.abc import Iterable
from typing import Any

# Tables that the firmware looks at, and which of a row's columns; of the others it needs the length at most.
_COLUMNS = {"COMMANDS": (0, 2, 4), "TELEMETRY": (0, 2), "EVENTS": (0, 2), "PARAMETERS": (0, 2, 3, 4)}
_SET = "+"  # in the place of a text of which only counts that there is one


# Of the words of state: what a difference is called, and no board looks at.
_NAMES = re.compile(r"^((?:STATE_)?NAMES) = \(\n.*?^\)\n", re.MULTILINE | re.DOTALL)


def without_names(source: str) -> str:
    """A module's source without the names of its words; lines stay where they are."""
    return _NAMES.sub(lambda found: f"{found[1]} = ()" + "\n" * found[0].count("\n"), source)


def imported_names(module: str, sources: Iterable[str]) -> set[str]:
    """What these sources import from a module by name; those that do not parse are left out."""
    found: set[str] = set()
    for source in sources:
        try:
            tree = ast.parse(source)
        except SyntaxError:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module == module:
                found.update(alias.name for alias in node.names)
    return found


def slim(source: str, by_name: set[str]) -> str:
    """The dictionary's source as a board gets it; its digest is computed here, of all that the host reads.

    Integers are in the other modules' code (folding.py); but for those that they import `by_name` they are not kept.
    """
    names: dict[str, Any] = {}
    try:
        exec(compile(source, "dictionary.py", "exec"), names)
    except SyntaxError:
        return source  # the board's compiler names what is wrong
    lines = [f"{name} = {value}" for name, value in names.items() if type(value) is int and name in by_name]
    lines += [
        f"{name} = {_table(name, value)!r}"
        for name, value in names.items()
        if isinstance(value, tuple) and not name.startswith("_")
    ]
    return "\n".join([*lines, "", "", "def digest():", f"    return {names['digest']()!r}", ""])


def _table(name: str, rows: tuple[Any, ...]) -> tuple[Any, ...]:
    if name not in _COLUMNS:
        return (_SET,) * len(rows)
    return tuple(
        tuple(_cell(cell, column in _COLUMNS[name]) for column, cell in enumerate(row)) for row in rows
    )


def _cell(cell: Any, wanted: bool) -> Any:
    if isinstance(cell, int) or (wanted and isinstance(cell, str) and cell.startswith(">")):
        return cell
    return _SET if wanted and cell else ""
