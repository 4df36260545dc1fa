"""What boards with MicroPython's own console driver (USB or UART) share: stdin gives single bytes."""

import select
import sys
import time

import micropython

from ascnode_fw.hal.files import FileStore


class Console:
    """The serial port as a byte stream: reads take what is there, Ctrl-C is a byte like any other."""

    def __init__(self) -> None:
        self._in = sys.stdin.buffer
        self._out = sys.stdout.buffer
        self._poll = select.poll()
        self._poll.register(sys.stdin, select.POLLIN)
        self._byte = bytearray(1)
        micropython.kbd_intr(-1)
        self.wait(0)  # the first poll allocates its result, later ones nothing

    def wait(self, timeout_ms: int) -> bool:
        # Whether there is something to read, now or within the time.
        for _ in self._poll.ipoll(timeout_ms):
            return True
        return False

    def read_into(self, buf: bytearray) -> int:
        # What is there, up to len(buf); 0 when nothing. Byte by byte: a longer read blocks until it is full.
        n = 0
        while n < len(buf) and self.wait(0):
            self._in.readinto(self._byte)
            buf[n] = self._byte[0]
            n += 1
        return n

    def write(self, buf: bytearray | memoryview, n: int) -> None:
        # All n bytes; waits as long as the host takes to make room.
        self._out.write(buf, n)

    def restore(self) -> None:
        micropython.kbd_intr(3)


class StdioHal:
    """Console and flash. Making one waits the grace window, then takes the console."""

    def __init__(self, grace_ms: int = 1000) -> None:
        # Ctrl-C still raises KeyboardInterrupt here: time to reach the REPL of a board that resets in a loop.
        time.sleep_ms(grace_ms)
        self.console = Console()
        self.store = FileStore("/")

    def repl(self) -> None:
        # For whoever leaves the firmware: gives the console back.
        self.console.restore()
