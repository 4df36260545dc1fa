"""The official MicroPython image that an emulated Pico runs: the user's own file, checked, never ours."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ascnode.boards import uf2
from ascnode.boards.interpreter import MINIMUM_VERSION
from ascnode.boards.kinds import RP2040_FAMILY
from ascnode.errors import BoardError

ENVIRONMENT_VARIABLE = "ASCNODE_UF2"
# RPI_PICO keeps its file system behind the first 640 KiB of flash; images of boards with more in them do not.
_FLASH_AT = 0x10000000
_MOST_BYTES = 0xA0000
_VERSION = re.compile(rb"v(\d+)\.(\d+)\.(\d+)\S* on \d{4}-\d\d-\d\d")
_MACHINE = b"Raspberry Pi Pico with RP2040"
_NEEDED = f"{MINIMUM_VERSION[0]}.{MINIMUM_VERSION[1]}"
_WHERE = (
    f"download an RPI_PICO .uf2 of MicroPython {_NEEDED} or newer from micropython.org/download/RPI_PICO and name it "
    f"with --uf2 or in {ENVIRONMENT_VARIABLE}"
)


@dataclass(frozen=True)
class PicoImage:
    """A checked image; `version` such as "1.23.0"."""

    path: Path
    version: str


def find_image(named: Path | None = None) -> PicoImage:
    """The image that was named, else the one in ASCNODE_UF2. BoardError says where to get one, or what is wrong."""
    if find_spec("rp2040py") is None:
        raise BoardError("an emulated board needs the emulator: pip install 'ascnode[emulated]'")
    path = named or Path(os.environ.get(ENVIRONMENT_VARIABLE, ""))
    if not path.name:
        raise BoardError(f"an emulated board runs an official MicroPython image: {_WHERE}")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BoardError(f"{path}: {error.strerror}; {_WHERE}") from None
    try:
        return PicoImage(path.absolute(), _check(content))
    except BoardError as error:
        raise BoardError(f"{path}: {error}") from None


def _check(content: bytes) -> str:
    # The version of MicroPython in it.
    blocks = uf2.check(content, (RP2040_FAMILY,))
    code = b"".join(block.data for block in blocks)
    version = _VERSION.search(code)
    if version is None or _MACHINE not in code:
        raise BoardError(f"not MicroPython for a Raspberry Pi Pico: {_WHERE}")
    numbers = tuple(int(number) for number in version.groups())
    text = ".".join(map(str, numbers))
    if numbers[:2] < MINIMUM_VERSION:
        raise BoardError(f"MicroPython {text} is too old: {_WHERE}")
    end = _FLASH_AT + _MOST_BYTES
    if any(block.address < _FLASH_AT or block.address + len(block.data) > end for block in blocks):
        raise BoardError(f"it reaches into the Pico's file system: {_WHERE}")
    return text
