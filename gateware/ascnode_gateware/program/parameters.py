"""The parameter words of a channel: bias, the multiplier's digits, shift with zero point and clamp."""

from dataclasses import dataclass

DIGITS = 16


@dataclass(frozen=True)
class Channel:
    """What one output channel adds and rescales by; multiplier 0..2^31-1, shift -31..30 (left is positive)."""

    bias: int
    multiplier: int
    shift: int
    zero_point: int
    low: int
    high: int

    def pack(self) -> tuple[int, int, int]:
        """The three words of docs/accelerator.md."""
        return self.bias & 0xFFFFFFFF, recode(self.multiplier), self.scale_word()

    def scale_word(self) -> int:
        """Shift amount, direction, zero point, lowest and highest output."""
        shift = abs(self.shift) | (0x20 if self.shift > 0 else 0)
        return shift | (self.zero_point & 0xFF) << 8 | (self.low & 0xFF) << 16 | (self.high & 0xFF) << 24


def recode(multiplier: int) -> int:
    """16 radix-4 digits of {-1, 0, 1, 2}, the lowest in bits 0 and 1, -1 as 3.

    A digit of {-1, 0, 1, 2} times x is one 4-input look-up a bit: 3x would need an adder. Each digit is the
    rest modulo 4, with 3 taken as -1 and a carry; 2^31 - 1 still ends with digit 2 at the top.
    """
    if not 0 <= multiplier < 1 << 31:
        raise ValueError(f"multiplier {multiplier} is outside 0..2^31-1")
    word, rest = 0, multiplier
    for position in range(DIGITS):
        digit = rest & 3
        word |= digit << 2 * position
        rest = (rest >> 2) + (digit == 3)
    return word


def unpack_digits(word: int) -> int:
    """The multiplier that 16 digits stand for."""
    return sum((0, 1, 2, -1)[word >> 2 * j & 3] << 2 * j for j in range(DIGITS))
