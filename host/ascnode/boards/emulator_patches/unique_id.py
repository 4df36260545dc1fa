"""rp2040py 0.3.6: its flash chip does not know the command for its unique id, which the RP2040 takes for its own; all
chips are ffffffffffffffff.

W25Q16JV datasheet 8.2.29: 4Bh, four bytes of no meaning, then the 64 bits.
"""

from __future__ import annotations

from rp2040py.rp2040 import RP2040

_READ_UNIQUE_ID = 0x4B
_FIRST = 5


def install(rp2040: RP2040, chip_id: bytes) -> None:
    """Gives a chip an id of 8 bytes."""
    ssi = rp2040.ssi
    shift = ssi._shift_byte

    def answered(byte_out: int) -> int:
        idle = shift(byte_out)
        at = len(ssi._tx_buffer) - 1 - _FIRST
        known = ssi._tx_buffer[0] == _READ_UNIQUE_ID and 0 <= at < len(chip_id)
        return chip_id[at] if known else idle

    ssi._shift_byte = answered  # type: ignore[method-assign]
