"""The emulated board: an RP2040 under an emulator of its instructions, with an official MicroPython image."""

from __future__ import annotations

import sys
from pathlib import Path

import ascnode
from ascnode.boards.emulated_image import PicoImage
from ascnode.boards.firmware import BOARD_ID_FILE
from ascnode.boards.flash_image import read_files
from ascnode.boards.process_board import ProcessBoard
from ascnode.errors import BoardError

FLASH_BLOCKS = 352  # of 4,096 bytes: the file system of a Pico
MARCH = "armv6m"

_EMULATOR = "import sys;sys.path.append({folder!r});from ascnode.boards.emulator import main;main()"
_BLANK_ID = b"\xff" * 8  # of an erased flash chip


class EmulatedBoard(ProcessBoard):
    """An emulated Raspberry Pi Pico; as ProcessBoard. It is slower than a real one, 15 to 60 times when it is busy.

    The chip's time never runs ahead of the host's; with `free` it does, whenever the chip sleeps. The chip's unique id
    is what the flash's board.id holds when the board starts.
    """

    def __init__(
        self,
        flash: Path,
        image: PicoImage,
        *,
        link: Path | None = None,
        name: str | None = None,
        free: bool = False,
        accelerator: int | None = None,
    ) -> None:
        super().__init__(flash, "Pico", FLASH_BLOCKS, name, accelerator)
        self._image = image
        self._link = link
        self._free = free

    def cut_at_write(self, number: int, halves: int = 0) -> None:
        """As ProcessBoard.cut_at_write; a write is the chip's: a page of 256 bytes programmed, or 4,096 erased."""
        self._check_cut(number, halves)
        self._tell(f"cut at write {number} {halves}")

    def cut_after(self, instructions: int) -> None:
        """Power fails after so many instructions from now on."""
        if instructions < 0:
            raise BoardError(f"board {self.name}: a cut after {instructions} instructions makes no sense")
        self._tell(f"cut after {instructions}")

    def _command(self) -> list[str]:
        folder = str(Path(ascnode.__file__).absolute().parent.parent)
        command = [sys.executable, "-I", "-c", _EMULATOR.format(folder=folder)]
        command += [
            "--flash",
            str(self.flash),
            "--image",
            str(self._image.path),
            "--id",
            self._chip_id().hex(),
        ]
        command += ["--free"] if self._free else []
        command += [] if self._accelerator is None else ["--accelerator", str(self._accelerator)]
        return command + (["--link", str(self._link)] if self._link else [])

    def _chip_id(self) -> bytes:
        try:
            return read_files(self.flash.read_bytes()).get(BOARD_ID_FILE, _BLANK_ID)
        except BoardError:  # a blank flash: MicroPython makes a file system at its first boot
            return _BLANK_ID
