"""The virtual board: MicroPython's unix port in a process, with a board's heap and flash."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import ascnode
from ascnode.boards.firmware import boot_rom
from ascnode.boards.interpreter import Interpreter, require_interpreter
from ascnode.boards.process_board import ProcessBoard
from ascnode.errors import BoardError

_SUPERVISOR = "import sys;sys.path.append({folder!r});from ascnode.boards.supervisor import main;main()"


@dataclass(frozen=True)
class Profile:
    """What a virtual board is limited to: `heap` as -X heapsize takes it, `flash_blocks` of 4,096 bytes."""

    name: str
    heap: str
    flash_blocks: int


# Heap: `w` scales by the word size, since objects take twice the room on 64 bits. 228 KiB is what the
# RP2040's port has (233,024 B); 110 KiB is the order of an ESP32 without SPIRAM. Flash: the file system of
# a Pico with 2 MiB (1,408 KiB) and of an ESP32 with 4 MiB (its `vfs` partition of 2 MiB).
PROFILES = {
    profile.name: profile for profile in (Profile("rp2040", "228wK", 352), Profile("esp32", "110wK", 512))
}


class VirtualBoard(ProcessBoard):
    """A MicroPython process; as ProcessBoard.

    `accelerator`: descriptor of its end of a link to one (ascnode.boards.accelerators), open as long as the board is.
    """

    def __init__(
        self,
        flash: Path,
        profile: str = "rp2040",
        interpreter: Interpreter | None = None,
        *,
        link: Path | None = None,
        grace_ms: int | None = None,
        name: str | None = None,
        accelerator: int | None = None,
    ) -> None:
        self.profile = _profile(profile)
        super().__init__(flash, self.profile.name, self.profile.flash_blocks, name, accelerator)
        self._interpreter = interpreter or require_interpreter()
        self._link = link
        self._order = self.flash.with_suffix(".cut")
        self._grace_ms = grace_ms

    def _prepare(self) -> None:
        self._order.write_bytes(b"")

    def close(self) -> None:
        """As ProcessBoard.close."""
        if self._process is not None:
            self._order.unlink(missing_ok=True)
        super().close()

    def cut_at_write(self, number: int, halves: int = 0) -> None:
        """As ProcessBoard.cut_at_write; a write is one of the file system's."""
        self._check_cut(number, halves)
        self._order.write_bytes(b"%d %d" % (number, halves))

    def _command(self) -> list[str]:
        folder = str(Path(ascnode.__file__).absolute().parent.parent)
        supervisor = [sys.executable, "-I", "-S", "-c", _SUPERVISOR.format(folder=folder)]
        if self._link is not None:
            supervisor += ["--link", str(self._link)]
        supervisor += ["--env", f"ASCNODE_CUT={self._order}"]
        if self._accelerator is not None:
            supervisor += ["--env", f"ASCNODE_SPI={self._accelerator}"]
        if self._grace_ms is not None:
            supervisor += ["--env", f"ASCNODE_GRACE_MS={self._grace_ms}"]
        child = [*self._interpreter.command, "-X", f"heapsize={self.profile.heap}", "-c", boot_rom()]
        return [*supervisor, "--", *child, str(self.flash)]


def _profile(name: str) -> Profile:
    try:
        return PROFILES[name]
    except KeyError:
        raise BoardError(f"no board profile {name!r}; there are {', '.join(PROFILES)}") from None
