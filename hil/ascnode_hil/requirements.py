"""The requirements that tests are traced to: tables of id, text and suite, ours and a user's own."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from ascnode_hil.errors import HilUsageError


@dataclass(frozen=True)
class Requirement:
    """What the flight software has to do."""

    id: str
    text: str
    suite: str


def own_requirements() -> dict[str, Requirement]:
    """Those of ascnode's flight software, by id."""
    return _parse(resources.files("ascnode_hil").joinpath("requirements.toml").read_text("utf-8"))


def requirements(files: Iterable[Path] = ()) -> dict[str, Requirement]:
    """Ours and those of a user's files; HilUsageError for a file that cannot be read or an id that comes twice."""
    all_of_them = own_requirements()
    for path in files:
        try:
            more = _parse(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
            raise HilUsageError(f"{path}: not a table of requirements: {error}") from None
        twice = sorted(all_of_them.keys() & more.keys())
        if twice:
            raise HilUsageError(f"{path}: requirement {twice[0]} exists already")
        all_of_them.update(more)
    return all_of_them


def _parse(text: str) -> dict[str, Requirement]:
    tables = tomllib.loads(text)
    return {
        name: Requirement(name, table["text"], suite)
        for suite, group in tables.items()
        for name, table in group.items()
    }
