"""Writes UF2 files by the format's own description (github.com/microsoft/uf2), apart from the parser under test."""

import struct

RP2040, RP2350_ARM, RP2350_RISCV, ABSOLUTE = 0xE48BFF56, 0xE48BFF59, 0xE48BFF5A, 0xE48BFF57


def block(
    data: bytes,
    sequence: int,
    count: int,
    family: int = RP2040,
    address: int = 0x10000000,
    flags: int = 0x2000,
) -> bytes:
    head = b"UF2\n" + struct.pack("<7I", 0x9E5D5157, flags, address, len(data), sequence, count, family)
    return head + data.ljust(476, b"\0") + struct.pack("<I", 0x0AB16F30)


def uf2(payload: bytes, family: int = RP2040) -> bytes:
    pieces = [payload[at : at + 256] for at in range(0, len(payload), 256)]
    return b"".join(
        block(piece, i, len(pieces), family, 0x10000000 + 256 * i) for i, piece in enumerate(pieces)
    )


# The first block of the official RPI_PICO2-20250415-v1.25.0.uf2, from a published hexdump of it: the header, then 256
# bytes 0xef and the closing magic.
PICO2_FIRST_BLOCK = (
    bytes.fromhex("5546320a57515d9e00a0000000ffff1000010000000000000200000057ff8be4")
    + (b"\xef" * 256).ljust(476, b"\0")
    + bytes.fromhex("306fb10a")
)
