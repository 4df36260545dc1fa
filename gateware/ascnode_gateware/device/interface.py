"""What a board's wires reach: one accelerator, whether golden or RTL. docs/accelerator-device.md describes it."""

from dataclasses import dataclass
from typing import Protocol

CLOCK_HZ = 24_000_000
SCK_HZ = 24_000_000
GAP_CYCLES = 4  # CS is high for at least so long before a frame
RESET_CYCLES = 8
_US = 1_000_000


@dataclass(frozen=True)
class Rates:
    """The accelerator's clock and SCK, in Hz; SCK is at most 1.3 times the clock."""

    clock_hz: int = CLOCK_HZ
    sck_hz: int = SCK_HZ

    def __post_init__(self) -> None:
        if not self.clock_hz > 0 or not 0 < 10 * self.sck_hz <= 13 * self.clock_hz:
            raise ValueError(
                f"SCK of {self.sck_hz} Hz is not in 0..1.3 times the clock of {self.clock_hz} Hz"
            )


class Accelerator(Protocol):
    """One accelerator at its pins. Its time passes with bytes on its wires and with `wait_us`, at no other moment."""

    def begin(self) -> None:
        """CS falls."""

    def exchange(self, sent: bytes) -> bytes:
        """Bytes inside a frame, and as many that came beside them; a byte's answer does not depend on the byte."""
        ...

    def end(self) -> None:
        """CS rises, if it was low."""

    def transfer(self, frame: bytes) -> bytes:
        """A whole frame: begin, exchange, end."""
        ...

    def reset(self) -> None:
        """The reset pin, pulsed. Memory keeps its contents, registers do not."""

    def wait_us(self, microseconds: int) -> bool:
        """Lets time pass; the IRQ pin's level behind it."""
        ...

    def flash_frame(self, sent: bytes) -> bytes | None:
        """A frame of the host on the shared flash's bus; None while the accelerator holds the pins."""
        ...

    def close(self) -> None:
        """Ends what runs for it."""


class Clock:
    """How many cycles of the accelerator's clock something lasts; what is less than one is kept for the next time."""

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        self._left_sck = self._left_us = 0

    def of_bytes(self, count: int) -> int:
        """Of bytes on the wires."""
        wanted = 8 * count * self._rates.clock_hz + self._left_sck
        cycles, self._left_sck = divmod(wanted, self._rates.sck_hz)
        return cycles

    def of_us(self, microseconds: int) -> int:
        wanted = microseconds * self._rates.clock_hz + self._left_us
        cycles, self._left_us = divmod(wanted, _US)
        return cycles
