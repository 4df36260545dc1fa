"""What boards that are processes run on: MicroPython's unix port (virtual), or an emulated Pico with its image."""

from __future__ import annotations

from pathlib import Path

from ascnode.boards.emulated import FLASH_BLOCKS, MARCH, EmulatedBoard
from ascnode.boards.emulated_image import PicoImage, find_image
from ascnode.boards.firmware import architecture
from ascnode.boards.interpreter import Interpreter, find_interpreter
from ascnode.boards.process_board import ProcessBoard
from ascnode.boards.virtual import PROFILES, VirtualBoard
from ascnode.errors import BoardError
from ascnode.session.request import Patience

Runtime = Interpreter | PicoImage

KINDS = ("virtual", "emulated")
# Busy, an emulated Pico is up to 60 times slower than the real one, and shares the host's cores.
_EMULATED = Patience(first_s=30.0, most_s=120.0, tries=10, slower=60.0)


def find_runtime(kind: str, uf2: Path | None = None) -> Runtime | None:
    """What boards of a kind run on; None when there is no interpreter for virtual ones. BoardError without an image."""
    if kind not in KINDS:
        raise BoardError(f"no kind of board {kind!r}: there are {', '.join(KINDS)}")
    if kind == "emulated":
        return find_image(uf2)
    if uf2 is not None:
        raise BoardError("--uf2 is the image of emulated boards: give --board emulated too")
    return find_interpreter()


def kind_of(runtime: Runtime) -> str:
    """One of KINDS."""
    return "emulated" if isinstance(runtime, PicoImage) else "virtual"


def march_of(runtime: Runtime) -> str:
    """The -march that its boards' firmware is compiled for."""
    return MARCH if isinstance(runtime, PicoImage) else architecture(runtime)


def patience_of(runtime: Runtime) -> Patience:
    """How long its boards may take."""
    return _EMULATED if isinstance(runtime, PicoImage) else Patience()


def flash_blocks_of(runtime: Runtime, profile: str) -> int:
    """Blocks of 4,096 bytes. BoardError for a board that does not exist."""
    if isinstance(runtime, PicoImage):
        if profile != "rp2040":
            raise BoardError(f"an emulated board is an rp2040: it cannot be an {profile}")
        return FLASH_BLOCKS
    if profile not in PROFILES:
        raise BoardError(f"no board profile {profile!r}: there are {', '.join(PROFILES)}")
    return PROFILES[profile].flash_blocks


def board_of(
    runtime: Runtime,
    flash: Path,
    profile: str,
    name: str | None = None,
    link: Path | None = None,
    accelerator: int | None = None,
) -> ProcessBoard:
    """A board on that flash image, not yet started; `accelerator` as in ProcessBoard."""
    if isinstance(runtime, PicoImage):
        return EmulatedBoard(flash, runtime, name=name, link=link, accelerator=accelerator)
    return VirtualBoard(flash, profile, runtime, name=name, link=link, accelerator=accelerator)
