"""CRC-32 as zlib computes it (IEEE 802.3, reflected polynomial), two bits a cycle."""

from dataclasses import dataclass

from pyrtl import Const, Register, WireVector

from ascnode_gateware.rtl.cells import joined, keep

POLYNOMIAL = 0xEDB88320  # bit 0 is 0: the first bit's feedback does not reach the second's
ONES = 0xFFFF_FFFF


@dataclass(frozen=True)
class Crc:
    """`value` (32) is the register; `~value` is what zlib.crc32 returns, its low byte sent first. `differs` (1):
    the two bits given are not those of the CRC that the register holds."""

    value: Register
    differs: WireVector


def crc32(name: str, bits: WireVector, *, step: WireVector, pass_out: WireVector, begin: WireVector) -> Crc:
    """bits: 2, the earlier one in bit 0, taken in each cycle with `step` (1); a byte goes low bits first.

    With `pass_out` (1) a step moves the register two bits down and takes no bits in: so a CRC is sent, or one
    received is compared with `differs`. Ones follow, so after 16 such steps it is ready for the next message.
    With `begin` (1) a step is a message's first, whatever the register holds. About 38 LC.
    """
    value = Register(32, name)
    first, second = (((value[at] | begin) ^ bits[at]) & ~pass_out for at in (0, 1))
    moved = [value[at + 2] | begin if at < 30 else pass_out for at in range(32)]
    stepped = [bit ^ _feedback(at, first, second) for at, bit in enumerate(moved)]
    keep(value, (step, joined(stepped)))
    return Crc(value, bits != ~value[:2])


def _feedback(at: int, first: WireVector, second: WireVector) -> WireVector:
    """What two shifts add to a bit; the first feedback has moved down by one."""
    of_first = first if POLYNOMIAL >> (at + 1) & 1 else Const(0, 1)
    return of_first ^ second if POLYNOMIAL >> at & 1 else of_first
