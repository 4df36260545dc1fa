"""What can go wrong between a board and its accelerator, and in it: each fault tied to a frame's number, and seeded."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

SHORTEST_FRAME = 18  # bytes; every whole frame has them


class FaultKind(StrEnum):
    """What happens to frame `frame`, or from it on."""

    MOSI = "mosi"  # wrong bits on the way to the accelerator
    MISO = "miso"  # wrong bits on the way back
    STUCK_0 = "stuck_0"  # MISO reads as zeros
    STUCK_1 = "stuck_1"  # MISO reads as ones
    DROP = "drop"  # the accelerator sees nothing of it
    CUT = "cut"  # CS rises behind `at` bytes
    REPEAT = "repeat"  # the accelerator sees it twice
    HANG = "hang"  # the engine is busy from then on, whatever it is told, until a reset
    RESET = "reset"  # the accelerator resets itself
    FLIP = "flip"  # bit `bit` of the word at `address` is inverted


_LASTS = (FaultKind.HANG, FaultKind.RESET, FaultKind.FLIP)  # of the accelerator, not of a frame


@dataclass(frozen=True)
class Fault:
    """`frames` from `frame` on (0: all) are hit; frames count from 0, in the order in which the board sends them.

    Wires: `bits` bits among the first `span` bytes are wrong, or each bit with probability `rate` if that is not 0.
    CUT: `at` 0 is drawn. RESET and FLIP happen before the frame, or `after_us` behind its end, if that is not 0.
    """

    kind: FaultKind
    frame: int
    frames: int = 1
    bits: int = 1
    span: int = SHORTEST_FRAME
    rate: float = 0.0
    at: int = 0
    after_us: int = 0
    address: int = 0
    bit: int = 0
    seed: int = 1

    def __post_init__(self) -> None:
        if min(self.frame, self.frames, self.bits, self.at, self.after_us) < 0:
            raise ValueError(f"a fault's numbers are 0 or more: {self}")
        if not (0 <= self.rate <= 1 and self.span > 0 and 0 <= self.address < 1 << 15 and 0 <= self.bit < 32):
            raise ValueError(f"a fault's rate, span, address or bit is out of range: {self}")

    @property
    def of_frame(self) -> bool:
        """Whether it spoils frames on the wires."""
        return self.kind not in _LASTS

    def hits(self, frame: int) -> bool:
        return self.frame <= frame and (self.frames == 0 or frame < self.frame + self.frames)

    def draw(self, frame: int) -> random.Random:
        """The same numbers for the same frame."""
        return random.Random(f"{self.kind} {self.seed} {frame}")


def fault_from(values: Mapping[str, Any]) -> Fault:
    """Out of plain data; ValueError names what is wrong."""
    known = {field.name for field in fields(Fault)}
    unknown = sorted(set(values) - known)
    if unknown or not {"kind", "frame"} <= set(values):
        raise ValueError(
            f"a fault needs kind and frame, and has no {', '.join(unknown) or 'more'}: {dict(values)}"
        )
    for name, value in values.items():
        wanted = str if name == "kind" else float if name == "rate" else int
        if isinstance(value, bool) or not isinstance(value, (int, wanted) if wanted is float else wanted):
            raise ValueError(f"a fault's {name} is {value!r}")
    return Fault(**{**values, "kind": FaultKind(values["kind"])})


class WrongBits:
    """Flips bits of one direction of one frame, part by part."""

    def __init__(self, fault: Fault, frame: int) -> None:
        self._rng, self._rate = fault.draw(frame), fault.rate
        chosen = self._rng.sample(range(8 * fault.span), min(fault.bits, 8 * fault.span))
        self._places = frozenset() if fault.rate else frozenset(chosen)

    def spoil(self, content: bytes, position: int) -> bytes:
        """`content` is the frame's bytes from `position` on."""
        spoilt = bytearray(content)
        for at in range(len(content)):
            spoilt[at] ^= self._mask(position + at)
        return bytes(spoilt)

    def _mask(self, byte: int) -> int:
        if self._rate:
            return sum((self._rng.random() < self._rate) << bit for bit in range(8))
        return sum((8 * byte + bit in self._places) << bit for bit in range(8))
