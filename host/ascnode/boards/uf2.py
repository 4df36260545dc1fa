"""UF2 files: blocks of 512 bytes that a boot loader's drive takes, checked before they get near a board.

The format: github.com/microsoft/uf2.
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from dataclasses import dataclass

from ascnode.boards.kinds import ABSOLUTE_FAMILY
from ascnode.errors import BoardError

BLOCK_BYTES = 512
_MAGIC = (0x0A324655, 0x9E5D5157, 0x0AB16F30)
_HEADER = struct.Struct("<8I")  # magic, magic, flags, address, size, sequence, count, family
_DATA_BYTES = BLOCK_BYTES - _HEADER.size - 4
_NOT_FLASH, _HAS_FAMILY = 0x00000001, 0x00002000


@dataclass(frozen=True)
class Block:
    """One block; `family` is 0 when it names none."""

    address: int
    sequence: int
    count: int
    family: int
    data: bytes


def parse(content: bytes) -> list[Block]:
    """All blocks for the flash, in the file's order; BoardError names the first bad one."""
    if not content:
        raise BoardError("the UF2 file is empty")
    if len(content) % BLOCK_BYTES:
        raise BoardError(
            f"the UF2 file is cut short: {len(content)} bytes are no whole blocks of {BLOCK_BYTES}"
        )
    blocks = (_block(content, at) for at in range(0, len(content), BLOCK_BYTES))
    return [block for block in blocks if block is not None]


def check(content: bytes, families: Collection[int]) -> list[Block]:
    """The blocks for a chip of these families, each there once and in order; BoardError with the reason otherwise.

    The official Pico 2 file begins with one block of the absolute family that says it is the first of two: the boot
    ROM's erratum E10 needs it. It is passed over here and copied like the rest.
    """
    blocks = [block for block in parse(content) if block.family != ABSOLUTE_FAMILY]
    if not blocks:
        raise BoardError("the UF2 file holds nothing for a board's flash")
    family = blocks[0].family
    if family not in families:
        wanted = " or ".join(f"{f:#010x}" for f in families)
        raise BoardError(
            f"the UF2 file is for another chip: family {family:#010x}, this board takes {wanted}"
        )
    count = blocks[0].count
    if len(blocks) != count:
        raise BoardError(f"the UF2 file has {len(blocks)} blocks of family {family:#010x}, but says {count}")
    for expected, block in enumerate(blocks):
        if (block.sequence, block.count, block.family) != (expected, count, family):
            raise BoardError(
                f"the UF2 file is damaged: block {expected} of {count} is marked {block.sequence} of {block.count}, "
                f"family {block.family:#010x}"
            )
    return blocks


def _block(content: bytes, at: int) -> Block | None:
    first, second, flags, address, size, sequence, count, family = _HEADER.unpack_from(content, at)
    (last,) = struct.unpack_from("<I", content, at + BLOCK_BYTES - 4)
    if (first, second, last) != _MAGIC:
        raise BoardError(f"not a UF2 file, or a damaged one: no UF2 block at byte {at}")
    if flags & _NOT_FLASH:
        return None
    if not 0 < size <= _DATA_BYTES:
        raise BoardError(f"the UF2 file is damaged: the block at byte {at} holds {size} bytes")
    start = at + _HEADER.size
    return Block(
        address, sequence, count, family if flags & _HAS_FAMILY else 0, content[start : start + size]
    )
