"""The bench file: which boards stand on this desk, by chip id, and what each is wired to. TOML, checked.

[boards.e6614c311b5f7e2a]
name = "nadir"
kind = "rp2040"
accelerator = "software"
power = { switch = "uhubctl", location = "1-1", port = 2 }
"""

from __future__ import annotations

import os
import tempfile
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import tomlkit
import tomlkit.exceptions
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ascnode.boards.kinds import KINDS
from ascnode.boards.power_switch import NoSwitch, Power
from ascnode.errors import BenchError

ChipId = Annotated[str, Field(pattern=r"^[0-9a-f]{8,32}$")]
LARGEST_BYTES = 1 << 20


class BoardEntry(BaseModel):
    """One board: `name` for command lines, `kind` of boards/kinds.py, what switches its power, what computes."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    kind: str
    accelerator: Literal["software", "pico-ice", "icebreaker"] = "software"
    power: Power = NoSwitch()

    @field_validator("kind")
    @classmethod
    def _known(cls, kind: str) -> str:
        if kind not in KINDS:
            raise ValueError(f"no kind of board {kind!r}: there are {', '.join(KINDS)}")
        return kind


class Bench(BaseModel):
    """The boards by chip id."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    boards: dict[ChipId, BoardEntry] = {}

    @model_validator(mode="after")
    def _names_differ(self) -> Bench:
        names = [entry.name for entry in self.boards.values()]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two boards are named {twice[0]!r}")
        return self

    def named(self, name: str) -> tuple[str, BoardEntry]:
        """(chip id, entry) of a board by name or chip id; BenchError lists the names."""
        for chip_id, entry in self.boards.items():
            if name in (entry.name, chip_id):
                return chip_id, entry
        known = ", ".join(entry.name for entry in self.boards.values()) or "none"
        raise BenchError(f"no board {name!r} in the bench file: there are {known}")


def load(path: Path) -> Bench:
    """BenchError, in one sentence that names the file and the key, when it cannot be read or makes no sense."""
    return parse(_read(path), str(path))


def parse(content: bytes, name: str = "bench file") -> Bench:
    """A bench from a file's bytes; BenchError begins with `name`."""
    try:
        return Bench.model_validate(tomllib.loads(content.decode()))
    except UnicodeDecodeError:
        raise BenchError(f"{name}: not a text file") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BenchError(f"{name}: not TOML: {error}") from None
    except ValidationError as error:
        raise BenchError(f"{name}: {_first(error)}") from None


def merge(
    content: bytes, found: Iterable[tuple[str, str]], name: str = "bench file"
) -> tuple[bytes, list[str]]:
    """The file's bytes with the found boards (chip id, kind) added that it lacks, and the chip ids that were added.

    Entries, comments and order that are there stay as they are. BenchError when the file makes no sense.
    """
    bench = parse(content, name)
    try:
        document = tomlkit.parse(content.decode())
        added = _add(document, bench, found)
        merged = tomlkit.dumps(document).encode()
    except (tomlkit.exceptions.TOMLKitError, ValueError, RecursionError) as error:
        raise BenchError(
            f"{name}: cannot be added to ({error}): write its boards as [boards.ID] tables"
        ) from None
    after = parse(merged, name)
    if any(after.boards.get(chip_id) != entry for chip_id, entry in bench.boards.items()):
        raise BenchError(
            f"{name}: cannot be added to without changing what is there; write the boards as [boards.ID]"
        )
    return merged, added


def save_merged(path: Path, found: Iterable[tuple[str, str]]) -> list[str]:
    """Adds the found boards to a bench file, or makes one; the chip ids that were added. Old or new, never torn."""
    content = _read(path) if path.exists() else b""
    merged, added = merge(content, found, str(path))
    if merged != content:
        _replace(path, merged)
    return added


def _add(document: tomlkit.TOMLDocument, bench: Bench, found: Iterable[tuple[str, str]]) -> list[str]:
    if "boards" not in document:
        document["boards"] = tomlkit.table(is_super_table=True)
    boards = document["boards"]
    names = {entry.name for entry in bench.boards.values()}
    added = []
    for chip_id, kind in found:
        if chip_id in bench.boards or chip_id in added:
            continue
        entry = tomlkit.table()
        entry["name"] = _name(kind, chip_id, names)
        entry["kind"] = kind
        boards[chip_id] = entry
        names.add(entry["name"])
        added.append(chip_id)
    return added


def _name(kind: str, chip_id: str, taken: set[str]) -> str:
    # Short, and longer as long as another board has it.
    names = (f"{kind}-{chip_id[-digits:]}" for digits in range(4, len(chip_id) + 1))
    return next(name for name in names if name not in taken)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise BenchError(f"{path}: {error.strerror}") from None
    if len(content) > LARGEST_BYTES:
        raise BenchError(f"{path}: larger than {LARGEST_BYTES} bytes: not a bench file")
    return content


def _replace(path: Path, content: bytes) -> None:
    try:
        target = path.resolve()  # a link stays a link
        fd, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with os.fdopen(fd, "wb") as file:
            file.write(content)
            os.fchmod(fd, target.stat().st_mode & 0o777 if target.exists() else 0o644)
            file.flush()
            os.fsync(fd)
        Path(temporary).replace(target)
    except OSError as error:
        raise BenchError(f"{path}: {error.strerror}") from None


def _first(error: ValidationError) -> str:
    one = error.errors()[0]
    key = ".".join(str(part) for part in one["loc"]) or "the bench"
    message = one["msg"].removeprefix("Value error, ")
    if one["type"] == "extra_forbidden":
        message = "is not a key that a bench file has"
    return f"{key}: {message[0].lower()}{message[1:]}"
