"""Carries out what the guides show as changes of sources, in a copy.

A `diff` block names a file (`--- PATH`), then gives lines that are there (blank or `-` in front) and lines that come
(`+`); `@@` parts one place of a file from the next. Each place must be found exactly once.
"""

import os
import re
import shutil
from pathlib import Path

from docs.reading import ROOT

_PACKAGES = ("firmware/lib/ascnode_fw", "gateware/ascnode_gateware", "hil/ascnode_hil", "host/ascnode")


def copy_of_the_sources(folder: Path) -> Path:
    """All packages in their places, with what numba has compiled: copies are as fast as what they were made of."""
    for package in (*_PACKAGES, "firmware/board"):
        shutil.copytree(ROOT / package, folder / package)
    return folder


def search_path(tree: Path) -> str:
    """PYTHONPATH by which the copies are found before what is installed."""
    return os.pathsep.join(str((tree / package).parent) for package in _PACKAGES)


def change(tree: Path, diff: str) -> None:
    """Makes the changes of one `diff` block. AssertionError when a place is not there, or there twice."""
    for part in re.split(r"^--- ", diff, flags=re.MULTILINE)[1:]:
        name, _, body = part.partition("\n")
        for place in re.split(r"^@@.*\n", body, flags=re.MULTILINE):
            if place.strip():
                _replace(tree / name.strip(), place.splitlines())


def _replace(path: Path, lines: list[str]) -> None:
    before = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("+"))
    after = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("-"))
    text = path.read_text()
    assert text.count(before) == 1, f"{path.name} has {text.count(before)} times:\n{before}"
    path.write_text(text.replace(before, after))
