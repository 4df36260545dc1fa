"""Checks a documented command line against the real commands: nothing is run."""

import re
import shlex
from typing import Any

import typer

from ascnode.cli.main import app

_PLACEHOLDER = re.compile(r"^[A-Z][A-Z0-9_]*([.:,][A-Za-z]+)*$|[\[\]|]|\.\.\.")
_NUMBER = re.compile(r"-[\d.]")
_USAGE_ERROR: Any = typer.BadParameter.__mro__[1]  # of the click that typer carries


def problem(line: str, whole: bool) -> str:
    """Why `ascnode ...` would be refused, or nothing; `whole`: it is a command to run, and lacks no argument.

    With placeholders (FILE, [--seed N], a|b) it is a synopsis, of which names are checked.
    """
    words = shlex.split(line)[1:]
    if words == ["--help"]:
        return ""
    synopsis = any(_PLACEHOLDER.search(word) for word in words)
    try:
        leaves, rest = _resolve(words)
    except LookupError as error:
        return f"no command {error.args[0]!r}"
    if not leaves:
        return "a group is no command" if whole and not synopsis else ""
    known = {option for leaf in leaves for option in _options(leaf)}
    unknown = [name for word in rest for name in _names(word) if name not in known]
    if unknown:
        return f"no option {' '.join(unknown)}"
    return "" if synopsis else _refused(leaves[0], rest, whole)


def _resolve(words: list[str]) -> tuple[list[Any], list[str]]:
    """The commands that the first words name, and the words after them."""
    found, rest = [typer.main.get_command(app)], list(words)
    while rest and hasattr(found[0], "list_commands"):
        word = rest.pop(0)
        below = [group.get_command(None, name) for group in found for name in word.strip("[]()").split("|")]
        if None in below:
            raise LookupError(word)
        found = below
    return ([] if hasattr(found[0], "list_commands") else found), rest


def _options(command: Any) -> list[str]:
    return ["--help", *(name for one in command.params for name in (*one.opts, *one.secondary_opts))]


def _names(word: str) -> list[str]:
    """The options in a word such as --seed=1, [--json or --xtce|--csv."""
    if _NUMBER.match(word):
        return []
    parts = (part.strip("[]()") for part in word.split("|"))
    return [part.split("=")[0] for part in parts if part.startswith("-")]


def _refused(command: Any, words: list[str], whole: bool) -> str:
    try:
        command.make_context(command.name or "ascnode", list(words))
    except _USAGE_ERROR as error:
        named_only = type(error).__name__ in ("MissingParameter", "BadOptionUsage")  # an argument is left out
        return "" if named_only and not whole else str(error.format_message())
    return ""
