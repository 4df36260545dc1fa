"""The unix port as a virtual board: console, flash and identity."""

import os
import select
import struct
import sys
import termios
import time

import micropython

from ascnode_fw.compat import const
from ascnode_fw.hal.files import FileStore

_GRACE_MS = "10"

# messages to an accelerator, and what comes back for one that is none
_FRAME = const(1)
_RESET = const(2)
_WAIT = const(3)
_FLASH = const(4)
_REFUSED = const(0xFF)
_MESSAGE_MAX = const(1100)
_STALE_MAX = const(16)
_REPLY_MS = const(10000)  # the accelerator may be a simulation on a busy machine
_ETIMEDOUT = const(110)
_EPROTO = const(71)


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


class SpiLink:
    """An accelerator at the other end of a socket that keeps datagrams whole; each message gets one reply.

    OSError when none comes in time, or another than is due.
    """

    def __init__(self, fd: int) -> None:
        self._socket = open(fd, "r+b")
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)
        self._message = memoryview(bytearray(_MESSAGE_MAX))
        self._reply = memoryview(bytearray(_MESSAGE_MAX))
        self._synchronise()

    def _synchronise(self) -> None:
        # What was asked for before a reset may still be answered: everything up to a refusal is stale.
        self._message[0] = 0  # no kind of message
        self._socket.write(self._message[:1])
        for _ in range(_STALE_MAX):
            self._receive()
            if self._reply[0] == _REFUSED:
                return
        raise OSError(_ETIMEDOUT)

    def _receive(self) -> int:
        # One datagram: the descriptor does not block, so a read takes what is there.
        for _, event in self._poll.ipoll(_REPLY_MS):
            if event & select.POLLIN:
                return self._socket.readinto(self._reply) or 0
        raise OSError(_ETIMEDOUT)

    def _ask(self, size: int, reply_size: int) -> None:
        self._socket.write(self._message[:size])
        if self._receive() != reply_size or self._reply[0] != self._message[0]:
            raise OSError(_EPROTO)

    def transfer(self, out: memoryview, into: memoryview, n: int) -> None:
        # One frame of n bytes with CS low, both ways.
        self._message[0] = _FRAME
        self._message[1 : 1 + n] = out[:n]
        self._ask(1 + n, 1 + n)
        into[:n] = self._reply[1 : 1 + n]

    def reset(self) -> None:
        # Pulses the reset pin.
        self._message[0] = _RESET
        self._ask(1, 1)

    def wait_us(self, us: int) -> int:
        # That much time passes at the accelerator; the level of its IRQ pin then.
        struct.pack_into(">BI", self._message, 0, _WAIT, us)
        self._ask(5, 2)
        return self._reply[1]

    def flash_transfer(self, out: memoryview, into: memoryview, n: int) -> bool:
        # One frame on the shared flash bus; False when the accelerator has its pins, and nothing was sent.
        self._message[0] = _FLASH
        self._message[1 : 1 + n] = out[:n]
        self._ask(1 + n, 2 + n)
        into[:n] = self._reply[2 : 2 + n]
        return self._reply[1] != 0


class Hal:
    """What the node needs of its board. Making one waits the grace window, then takes the console."""

    capabilities: "tuple[str, ...]" = ("unix",)

    def __init__(self) -> None:
        # Ctrl-C still raises KeyboardInterrupt here.
        time.sleep_ms(int(os.getenv("ASCNODE_GRACE_MS", _GRACE_MS)))
        self.console = Console()
        self.store = FileStore("/")

    def accelerator(self) -> "SpiLink | None":
        # The bus to the accelerator that the host has put beside this process; None without one.
        fd = os.getenv("ASCNODE_SPI")
        return SpiLink(int(fd)) if fd else None

    def unique_id(self) -> bytes:
        # 8 bytes that the host put into the flash image.
        with open("/board.id", "rb") as file:
            return file.read()

    def repl(self) -> None:
        # For whoever leaves the firmware: gives the console back.
        self.console.restore()
