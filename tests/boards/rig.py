"""A virtual board on a small image, and a serial port whose every read has a deadline.

A virtual board's print() ends lines with a line feed alone; its REPL, as on other boards, with CR LF.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import serial

from ascnode.boards.flash_image import build_image
from ascnode.boards.interpreter import Interpreter, find_interpreter
from ascnode.boards.virtual import PROFILES, VirtualBoard
from unix_port import FIRMWARE

DEADLINE_S = 10.0
PROMPT = b">>> "

# Takes the console, says so, then runs `body(console)` for ever.
FIRMWARE_LOOP = """
from ascnode_fw.hal.unix import Hal
hal = Hal()
console = hal.console
console.write(b"READY", 5)
"""
ECHO = (
    FIRMWARE_LOOP
    + """
buf = bytearray(1024)
while True:
    if console.wait(1000):
        console.write(buf, console.read_into(buf))
"""
)


def interpreter() -> Interpreter:
    """The VM, or a skipped test."""
    found = find_interpreter()
    if found is None:
        pytest.skip("no MicroPython interpreter")
    return found


def hal_files() -> dict[str, bytes]:
    """The port modules as source: these tests do not depend on the rest of the firmware."""
    package = FIRMWARE / "ascnode_fw"
    names = ["__init__.py", "compat.py", "hal/__init__.py", "hal/files.py", "hal/stdio.py", "hal/unix.py"]
    return {f"lib/ascnode_fw/{name}": (package / name).read_bytes() for name in names}


def write_image(
    path: Path, main: str, files: Mapping[str, bytes] | None = None, profile: str = "rp2040"
) -> None:
    """A flash image with `main` as main.py, the port modules and `files`."""
    content = {**hal_files(), "main.py": main.encode(), **(files or {})}
    path.write_bytes(build_image(content, PROFILES[profile].flash_blocks))


@dataclass
class Port:
    """The host's end of the serial port."""

    serial: serial.Serial

    def read_until(self, end: bytes, deadline_s: float = DEADLINE_S) -> bytes:
        """All bytes up to and including `end`; AssertionError with what came when it does not come."""
        self.serial.timeout = deadline_s
        data: bytes = self.serial.read_until(end)
        assert data.endswith(end), f"waited for {end!r}, got {data[-200:]!r}"
        return data

    def read(self, n: int, deadline_s: float = DEADLINE_S) -> bytes:
        """Exactly n bytes; AssertionError with how many came when they do not all come."""
        self.serial.timeout = deadline_s
        data: bytes = self.serial.read(n)
        assert len(data) == n, f"waited for {n} bytes, got {len(data)}"
        return data

    def silent(self, seconds: float = 0.2) -> bytes:
        """What comes within `seconds`."""
        self.serial.timeout = seconds
        data: bytes = self.serial.read(1 << 20)
        return data

    def write(self, data: bytes) -> None:
        self.serial.write(data)

    def run(self, line: str) -> bytes:
        """Types a line at the REPL and returns what it printed."""
        self.write(line.encode() + b"\r")
        return self.read_until(PROMPT).removeprefix(line.encode() + b"\r\n").removesuffix(PROMPT)


@contextmanager
def rig(
    folder: Path,
    main: str,
    files: Mapping[str, bytes] | None = None,
    profile: str = "rp2040",
    grace_ms: int = 0,
    link: Path | None = None,
) -> Iterator[tuple[VirtualBoard, Port]]:
    """A board that runs `main` and has power, and its port."""
    vm = interpreter()
    flash = folder / "flash.img"
    write_image(flash, main, files, profile)
    with (
        VirtualBoard(flash, profile, vm, grace_ms=grace_ms, link=link) as board,
        serial.Serial(board.port, timeout=DEADLINE_S) as port,
    ):
        board.power_on()
        yield board, Port(port)


def eventually(condition, what: str, deadline_s: float = DEADLINE_S) -> None:
    """Until `condition()`; AssertionError that says what did not come."""
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, f"no {what} within {deadline_s} s"
        time.sleep(0.01)
