"""Three-bit Gray pointers for FIFOs of four entries between two clocks: only one bit of them changes in a step."""

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import and_, or_

from pyrtl import WireVector, concat, concat_list, select

POINTER_BITS = 3
ENTRIES = 4


def gray_code(position: int) -> int:
    """The pointer's code for a position modulo 8."""
    return (position ^ position >> 1) & 7


def following(gray: WireVector, steps: int = 1) -> WireVector:
    """The pointer some positions on."""
    for _ in range(steps):
        odd = gray[2] ^ gray[1] ^ gray[0]
        gray = concat(gray[2] ^ (odd & ~gray[0]), gray[1] ^ (odd & gray[0]), ~(gray[2] ^ gray[1]))
    return gray


def is_ahead(ahead: WireVector, behind: WireVector, positions: Iterable[int]) -> WireVector:
    """1 when `ahead` is one of those numbers of positions before `behind`, modulo 8."""
    return reduce(or_, [ahead == following(behind, steps) for steps in positions])


def entry_index(gray: WireVector) -> WireVector:
    """Which of the four entries a pointer means: positions four apart share one; 2 bits."""
    return concat(gray[2] ^ gray[1], gray[0])


def pick(entries: Sequence[WireVector], gray: WireVector) -> WireVector:
    """The entry that a pointer means."""
    index = entry_index(gray)
    upper = select(index[0], entries[3], entries[2])
    return select(index[1], upper, select(index[0], entries[1], entries[0]))


def count_up(count: WireVector) -> WireVector:
    """The next value of a small binary counter: one LUT a bit up to 4, where an adder would start a carry chain."""
    bits = [count[0] ^ 1]
    for at in range(1, len(count)):
        bits.append(count[at] ^ reduce(and_, [count[lower] for lower in range(at)]))
    return concat_list(bits)
