"""CRC-32 of a stream's blocks, four bits a cycle, with a start value that needs no reset between blocks."""

import zlib
from collections.abc import Sequence

from pyrtl import Const, WireVector, concat, select

from ascnode_gateware.program.flash_blocks import DATA_BYTES, pack_block
from ascnode_gateware.rtl.crc import ONES, POLYNOMIAL


def crc_after(value: WireVector, nibble: WireVector) -> WireVector:
    """The CRC register (32) after 4 bits, of which bit 0 is the earliest: a byte's low nibble goes first."""
    for bit in nibble:
        shifted = concat(Const(0, 1), value[1:])
        value = select(value[0] ^ bit, shifted ^ Const(POLYNOMIAL, 32), shifted)
    return value


def start_value() -> int:
    """The value of the register to which every right block leads back, when the register begins with it.

    zlib begins with ones, and a right block with its CRC then ends in a known constant, not in ones: the
    register would have to be set between two blocks, in the very cycle in which it is compared. But the value
    behind a right block is F(v) = Mv + c of the value v before it, over GF(2), whatever the block holds. M + 1
    is invertible, since 1 + x^2080 and the (primitive) polynomial have no common factor, so one v is F(v).
    A block leads from v back to v only if it leads from ones to zlib's constant: nothing is detected less.
    """
    block = pack_block(bytes(DATA_BYTES))
    constant = _behind(block, 0)
    columns = [_behind(block, 1 << bit) ^ constant ^ 1 << bit for bit in range(32)]
    return _solution(columns, constant)


def _behind(block: bytes, value: int) -> int:
    return zlib.crc32(block, value ^ ONES) ^ ONES


def _solution(columns: Sequence[int], target: int) -> int:
    """The set of columns, as a number's bits, whose exclusive or is `target`; the columns are independent."""
    pivots: dict[int, tuple[int, int]] = {}  # highest bit -> (vector, columns that make it)
    for index, vector in enumerate(columns):
        vector, made_of = _reduced(vector, 1 << index, pivots)
        pivots[vector.bit_length()] = (vector, made_of)
    return _reduced(target, 0, pivots)[1]


def _reduced(vector: int, made_of: int, pivots: dict[int, tuple[int, int]]) -> tuple[int, int]:
    while vector and vector.bit_length() in pivots:
        other, others = pivots[vector.bit_length()]
        vector, made_of = vector ^ other, made_of ^ others
    return vector, made_of
