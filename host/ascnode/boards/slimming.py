"""Leaves off the board what only hosts read of the dictionary: names, units and meanings, an eighth of a small heap."""

from typing import Any

# Tables that the firmware looks at, and which of a row's columns; of the others it needs the length at most.
_COLUMNS = {"COMMANDS": (0, 2, 4), "TELEMETRY": (0, 2), "EVENTS": (0, 2), "PARAMETERS": (0, 2, 3, 4)}
_SET = "+"  # in the place of a text of which only counts that there is one


def slim(source: str) -> str:
    """The dictionary's source as a board gets it; its digest is computed here, of all that the host reads."""
    names: dict[str, Any] = {}
    try:
        exec(compile(source, "dictionary.py", "exec"), names)
    except SyntaxError:
        return source  # the board's compiler names what is wrong
    lines = [f"{name} = {value}" for name, value in names.items() if type(value) is int]
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
