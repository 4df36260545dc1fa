"""What the firmware expects of objects it is handed; read by type checkers only, absent on a board."""

from collections.abc import Iterable
from typing import Protocol

class Store(Protocol):
    """Small named byte strings in flash, each old or new after a power cut at any moment."""

    def read(self, name: str) -> bytes | None:
        """The bytes last written, None when there are none; OSError when the flash fails."""

    def read_at(self, name: str, at: int, into: memoryview) -> int:
        """A part of them, from byte `at` on; how many there were. OSError when there is no such file."""

    def write(self, name: str, data: bytes | memoryview) -> None:
        """Replaces the bytes at once; OSError when the flash fails, then either may be stored."""

    def write_parts(self, name: str, parts: Iterable[bytes | memoryview]) -> None:
        """As write(), of bytes that come in parts, so that they need not fit memory."""

    def read_into(self, name: str, buf: bytearray | memoryview) -> int:
        """As many bytes as fit; how many, -1 when there are none of that name."""

    def crc(self, name: str) -> int:
        """CRC-32 of the bytes, -1 when there are none of that name."""

    def remove(self, name: str) -> None:
        """Forgets them; nothing happens when there are none."""

    def names(self, folder: str) -> list[str]:
        """All names that begin with the folder and a slash, sorted."""

class Accelerator(Protocol):
    """What runs a model."""

    model_id: int
    macs: int
    input_size: int
    output_size: int

    def run(self, data: memoryview, output: bytearray) -> None:
        """One inference, input_size bytes to output_size bytes."""

class AcceleratorBus(Protocol):
    """The pins of an accelerator; OSError from any of them when nobody is there."""

    def transfer(self, out: memoryview, into: memoryview, n: int, /) -> None:
        """One frame of n bytes with CS low, both ways."""

    def reset(self) -> None:
        """Pulses its reset pin."""

    def wait_us(self, us: int, /) -> int:
        """Lets time pass; the level of its IRQ pin then."""

    def flash_transfer(self, out: memoryview, into: memoryview, n: int, /) -> bool:
        """One frame of n bytes on the flash that both sides share; False when the accelerator has its pins."""

class FindBus(Protocol):
    """Where the pins of an accelerator come from."""

    def __call__(self) -> AcceleratorBus | None:
        """None when there is none."""

class Engine(Protocol):
    """What runs inferences on an accelerator: its driver, or on a twin the log of what a board's driver came to.

    `cycles` is what one should take. Of the last run: `code` is OK or the cause of its failure, `repairs` a bit for
    each cause that was mended on the way, `resent` frames that were sent again, `measured` the cycles it took.
    `verify_every`: after that many answers the program in its memory is read back and compared by CRC, before the
    answer is given; 1 is each, 0 never.
    """

    cycles: int
    code: int
    repairs: int
    resent: int
    measured: int
    verify_every: int

    def run(
        self, data: memoryview, output: bytearray, clock_khz: int, top_khz: int, following: memoryview | None
    ) -> int:
        """One inference at a share of the top clock; OK with `output` written, or why not.

        `following`: the input of the job that comes next, which may be taken over meanwhile.
        """

    def recover(self) -> int:
        """Starts the accelerator afresh and tests it; OK, or why it cannot be used."""

    def upset(self, at: int, mask: int) -> None:
        """Flips bits of a byte of the program in its memory, where it is loaded. Bench only."""

class Witness(Protocol):
    """Who writes down what each use of an engine came to."""

    def __call__(self, engine: Engine, /) -> None:
        """An engine has run, or has tried to come back."""

class Console(Protocol):
    """A byte stream to the host."""

    def wait(self, timeout_ms: int) -> bool:
        """Whether bytes came within the time."""

    def read_into(self, buf: bytearray) -> int:
        """What is there, at most the buffer's length; 0 for nothing."""

    def write(self, buf: bytearray | memoryview, n: int) -> None:
        """All n bytes, waiting as long as the host takes."""

class Hal(Protocol):
    """One port."""

    @property
    def capabilities(self) -> tuple[str, ...]: ...
    @property
    def console(self) -> Console: ...
    @property
    def store(self) -> Store: ...
    def unique_id(self) -> bytes:
        """8 bytes that no other board has."""

    def accelerator(self) -> AcceleratorBus | None:
        """The bus to the accelerator beside it; None without one."""

    def repl(self) -> None:
        """Gives the console back to the REPL."""

class Loader(Protocol):
    """What started the firmware, and will start it again: board/main.py."""

    def feed(self) -> None:
        """The firmware is alive: keeps the watchdog quiet that a firmware on trial has."""

    def reset(self) -> None:
        """Resets the board."""

class Transmit(Protocol):
    """A radio."""

    def __call__(self, packet: memoryview, s: int, ms: int, /) -> None:
        """Sends a packet at a time."""

class Send(Protocol):
    """A wire."""

    def __call__(self, body: memoryview | bytes, /) -> None:
        """Sends a frame's body."""
