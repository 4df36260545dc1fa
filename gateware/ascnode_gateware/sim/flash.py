"""A flash on the simulated accelerator's pins, with what can be wrong about it."""

import struct
from dataclasses import dataclass
from enum import IntEnum

_PLAN = struct.Struct("<QIIIddd")
_COUNTS = struct.Struct("<QQQ")
SAMPLE_DELAY_CYCLES = 1  # what the accelerator expects: an input register in the board's pads


class Socket(IntEnum):
    """What the accelerator's pins are connected to; all but FLASH are levels of an empty socket."""

    FLASH = 0
    PULLED_UP = 1
    PULLED_DOWN = 2
    NOISE = 3


@dataclass(frozen=True)
class Flash:
    """A quad flash and the host that shares its pins; times are in cycles of the accelerator's clock.

    A nibble comes `delay_cycles` late; a bit of it is wrong with probability `error_rate`. A request for the pins is
    granted after `grant_cycles` on average (0: at once, negative: never), and the grant taken away after
    `hold_cycles` (0: never). The stream lies at byte `address`; `quad` is the flash's bit QE.
    """

    address: int = 0
    delay_cycles: int = SAMPLE_DELAY_CYCLES
    socket: Socket = Socket.FLASH
    quad: bool = True
    error_rate: float = 0.0
    grant_cycles: float = 0.0
    hold_cycles: float = 0.0
    seed: int = 1

    def pack(self, contents: bytes) -> bytes:
        """The harness's command; `contents` start at byte 0 of the flash."""
        times = (self.error_rate, self.grant_cycles, self.hold_cycles)
        return _PLAN.pack(self.seed, self.delay_cycles, self.socket, self.quad, *times) + contents


@dataclass(frozen=True)
class FlashCounts:
    """Since the flash was plugged in: bits made wrong, read commands, grants taken away."""

    wrong_bits: int
    reads: int
    taken: int

    @classmethod
    def unpack(cls, answer: bytes) -> "FlashCounts":
        return cls(*_COUNTS.unpack(answer))
