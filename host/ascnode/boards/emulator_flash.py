"""The flash of an emulated chip: its file system lives in a file, which has each write before the next instruction."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from rp2040py.peripherals.ssi import CMD_BLOCK_ERASE, CMD_PAGE_PROGRAM, CMD_SECTOR_ERASE
from rp2040py.rp2040 import RP2040

# Where the official RPI_PICO image keeps its file system: the last 1,408 KiB of 2 MiB (ports/rp2/boards/RPI_PICO).
FILES_AT = 0xA0000
_SPANS = {CMD_PAGE_PROGRAM: 256, CMD_SECTOR_ERASE: 4096, CMD_BLOCK_ERASE: 65536}


class FlashFile:
    """`path` holds the file system's blocks. Counts the chip's writes there, from an order for a cut on."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR)
        self._left = 0  # writes until the power fails; 0 without an order
        self._halves = 0

    def order_cut(self, number: int, halves: int) -> None:
        """Power fails at that program of a page or erase of a sector from now on; so many halves of it are stored."""
        self._left = number
        self._halves = halves

    def attach(self, rp2040: RP2040, cut: Callable[[], None]) -> None:
        """Puts the file's bytes into a chip; `cut` is called within the write that power fails at."""
        data = os.pread(self._fd, os.fstat(self._fd).st_size, 0)
        rp2040.flash[FILES_AT : FILES_AT + len(data)] = data
        ssi = rp2040.ssi
        apply = ssi._apply_command

        def stored() -> None:
            start, end = _span(bytes(ssi._tx_buffer[:4])) if ssi._write_enabled else (0, 0)
            if not FILES_AT <= start < FILES_AT + len(data):
                apply()
                return
            before = bytes(rp2040.flash[start:end])
            apply()
            if self._cut_now():
                kept = (end - start) * self._halves // 2
                rp2040.flash[start + kept : end] = before[kept:]
                cut()
            os.pwrite(self._fd, rp2040.flash[start:end], start - FILES_AT)

        ssi._apply_command = stored  # type: ignore[method-assign]

    def close(self) -> None:
        """Gives the file back."""
        os.close(self._fd)

    def _cut_now(self) -> bool:
        self._left -= 1
        return self._left == 0


def _span(command: bytes) -> tuple[int, int]:
    # What a command writes: opcode and 24 bits of address.
    size = _SPANS.get(command[0], 0) if len(command) == 4 else 0
    start = int.from_bytes(command[1:], "big")
    start -= start % size if size > 256 else 0
    return start, start + size
