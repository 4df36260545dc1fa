"""How to fly a recorded run again: its scenario as a file, and the command."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit

from ascnode.record.reader import Reader


def scenario_toml(scenario: Mapping[str, Any]) -> str:
    """The scenario as TOML, every key with its value, defaults too; tables last, as TOML wants them."""
    return tomlkit.dumps(_ordered(_given(scenario)))


def _given(value: Any) -> Any:
    # TOML has no null: a key that is not there says the same.
    if isinstance(value, Mapping):
        return {key: _given(one) for key, one in value.items() if one is not None}
    if isinstance(value, (list, tuple)):
        return [_given(one) for one in value]
    return value


def _ordered(table: Mapping[str, Any]) -> dict[str, Any]:
    def is_table(value: Any) -> bool:
        return isinstance(value, Mapping) or (
            isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)
        )

    flat = {key: value for key, value in table.items() if not is_table(value)}
    deep = {key: value for key, value in table.items() if is_table(value)}
    ordered = {
        key: _ordered(value) if isinstance(value, Mapping) else [_ordered(one) for one in value]
        for key, value in deep.items()
    }
    return {**flat, **ordered}


def command(reader: Reader) -> str:
    """What was typed, without the folders of that machine."""
    told = reader.wall.get("command")
    if not isinstance(told, list) or not told:
        return f"ascnode run {reader.scenario.get('name', 'scenario')}.toml"
    words = [Path(str(word)).name if "/" in str(word) else str(word) for word in told]
    return shlex.join(["ascnode", *words[1:]])


def again(reader: Reader) -> str:
    """The command that flies the scenario of the report."""
    twins = all(board.kind == "twin" for board in reader.boards) and bool(reader.boards)
    name = reader.scenario.get("name", "scenario")
    return f"ascnode run {name}.toml" + (
        "  # twins alone: without a MicroPython interpreter" if twins else ""
    )
