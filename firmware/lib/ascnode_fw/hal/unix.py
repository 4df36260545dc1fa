"""The unix port as a virtual board: console, flash and identity."""

import os
import select
import sys
import termios
import time

import micropython

from ascnode_fw.hal.files import FileStore

_GRACE_MS = "10"


class Console:
    """The terminal as a byte stream: reads take what is there, Ctrl-C is a byte like any other."""

    def __init__(self) -> None:
        self._in = sys.stdin.buffer
        self._out = sys.stdout.buffer
        self._poll = select.poll()
        self._poll.register(sys.stdin, select.POLLIN)
        self._saved = termios.tcgetattr(0)
        micropython.kbd_intr(-1)
        # VMIN and VTIME are the only integers among the control characters. Both 0: a read returns at once
        # with what the terminal holds, where with VMIN 1 readinto goes on until the whole buffer is full.
        at_once = termios.tcgetattr(0)
        at_once[6] = [0 if isinstance(value, int) else value for value in at_once[6]]
        termios.tcsetattr(0, 0, at_once)
        self.wait(0)  # the first poll allocates its result, later ones nothing

    def wait(self, timeout_ms: int) -> bool:
        # Whether there is something to read, now or within the time.
        for _, event in self._poll.ipoll(timeout_ms):
            if event & select.POLLHUP:
                sys.exit(1)  # the supervisor is gone; a read would give 0 bytes for ever
            return True
        return False

    def read_into(self, buf: bytearray) -> int:
        # What is there, up to len(buf); 0 when nothing.
        return self._in.readinto(buf) or 0

    def write(self, buf: bytearray | memoryview, n: int) -> None:
        # All n bytes; waits as long as the host takes to make room.
        self._out.write(buf, n)

    def restore(self) -> None:
        termios.tcsetattr(0, 0, self._saved)
        micropython.kbd_intr(3)


class Hal:
    """What the node needs of its board. Making one waits the grace window, then takes the console."""

    capabilities = ("unix",)

    def __init__(self) -> None:
        # Ctrl-C still raises KeyboardInterrupt here.
        time.sleep_ms(int(os.getenv("ASCNODE_GRACE_MS", _GRACE_MS)))
        self.console = Console()
        self.store = FileStore("/")

    def unique_id(self) -> bytes:
        # 8 bytes that the host put into the flash image.
        with open("/board.id", "rb") as file:
            return file.read()

    def repl(self) -> None:
        # For whoever leaves the firmware: gives the console back.
        self.console.restore()
