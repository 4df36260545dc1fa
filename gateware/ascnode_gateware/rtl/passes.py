"""The loops around a pass: kx, ky, input group, output group; where the next pass's first word lies."""

from dataclasses import dataclass

from pyrtl import Const, MemBlock, Register, WireVector, concat, select

from ascnode_gateware.program.job import FIELDS
from ascnode_gateware.rtl.cells import block_ram, delayed, keep, low, mod_counter, read
from ascnode_gateware.rtl.config import Header


@dataclass(frozen=True)
class Pass:
    """The next pass: its first word's address, column and row, and its place among an output group's passes."""

    address: WireVector  # 15
    ix: Register  # 10
    iy: Register  # 10
    first: Register  # 1: of its output group
    last: WireVector  # 1: of its output group
    job_last: WireVector  # 1: of its job
    group: Register  # 9: output group


@dataclass(frozen=True)
class _Loops:
    """1 where the pass is its loop's last, and those inside are at their last too."""

    kx: WireVector
    ky: WireVector
    icg: WireVector
    ocg: WireVector


def passes(header: Header, begin: WireVector, take: WireVector) -> Pass:
    """`begin` (1) starts a job whose header has arrived; `take` (1) goes on to the pass after this one.

    All is there 4 cycles after a `take`, the earliest for the next one, but `job_last` 5 after an output group's last,
    when parameters are still to come. The header stays in block RAM; each of the four cycles reads a word of it.
    """
    words = _Words(header)
    begins, at = delayed(begin, "passes_begins"), _sequence(begin, take)
    taken = at[1] & ~begins
    lasts = [Register(1, f"passes_{name}_last") for name in ("kx", "ky", "icg", "ocg")]
    loops = _Loops(lasts[0], lasts[0] & lasts[1], lasts[0] & lasts[1] & lasts[2], lasts[3])
    odd = delayed(select(loops.ky, loops.icg, loops.kx) & ~begin, "passes_odd_step")
    words.read_in_turn(at, loops.ky, begin)
    group = _count(words, lasts, loops, begins, taken, at)
    address = _address(words, odd, begin, begins, at[1])
    # Which loops began again is known until the cycle after `take`, their first words two later.
    x_again = delayed(begins | loops.kx, "passes_x_again", at[1])
    y_again = delayed(begins | loops.ky, "passes_y_again", at[1])
    ix = _coordinate("ix", words.field("ix0"), words.field("kx_inc"), x_again, at[3])
    iy = _coordinate("iy", words.field("iy0"), words.field("ky_inc"), y_again, at[3] & x_again)
    first = Register(1, "passes_first")
    keep(first, (begins, 1), (taken, loops.icg))
    return Pass(address, ix, iy, first, loops.icg, loops.icg & loops.ocg, group)


def _address(
    words: "_Words", odd: WireVector, begin: WireVector, begins: WireVector, steps: WireVector
) -> WireVector:
    """A job's first step goes from 0 to its first word, so that no selector is needed behind the adder."""
    bank, address = Register(1, "passes_bank"), Register(14, "passes_address")
    step = select(odd, words.word[16:30], words.field("input")[:14])
    keep(address, (begin, 0), (steps, low(address + step, 14)))
    keep(bank, (begins, words.field("input")[14]))
    return concat(bank, address)


def _sequence(begin: WireVector, take: WireVector) -> list[WireVector]:
    """[n]: it is n cycles since a begin or a take."""
    at = [begin | take]
    for number in range(1, 5):
        at.append(delayed(at[-1], f"passes_at_{number}"))
    return at


class _Words:
    """The header's words; `word` (32) is the one of the cycle before."""

    def __init__(self, header: Header) -> None:
        self._memory = block_ram("passes_header", 32, 4)
        self._memory[header.index] <<= MemBlock.EnabledWrite(header.word, header.valid)
        self._address = WireVector(4, "passes_header_address")
        self.word = read(self._memory, self._address, "passes_header_q")

    def read_in_turn(self, at: list[WireVector], outer: WireVector, begin: WireVector) -> None:
        """The first address or, with a take, steps, then counts, coordinates and the number of output groups."""
        address = select(begin, _word_of("input"), select(outer, _word_of("d_icg"), _word_of("d_kx")))
        for number, name in ((1, "n_kx_less_1"), (2, "ix0"), (3, "n_ocg_less_1")):
            address = select(at[number], _word_of(name), address)
        self._address <<= address

    def field(self, name: str) -> WireVector:
        """Of the word that has been read."""
        field = FIELDS[name]
        return self.word[field.low : field.low + field.width]


def _word_of(name: str) -> Const:
    return Const(FIELDS[name].word, 4)


def _count(
    words: _Words,
    lasts: list[Register],
    loops: _Loops,
    begins: WireVector,
    taken: WireVector,
    at: list[WireVector],
) -> Register:
    """The loops' counters, which move in the cycle after a begin or a take; whether each is at its last, when its
    number has been read. Returns the output group."""
    steps = (taken, taken & loops.kx, taken & loops.ky, taken & loops.icg)
    counters = []
    for last, step, name, when in zip(lasts, steps, ("kx", "ky", "icg", "ocg"), (2, 2, 2, 4), strict=True):
        limit = words.field(f"n_{name}_less_1")
        counter = mod_counter(f"passes_{name}", len(limit), step=step, last=last, clear=begins)
        keep(last, (at[when], counter == limit))
        counters.append(counter)
    return counters[3]


def _coordinate(
    name: str, start: WireVector, step: WireVector, restart: WireVector, now: WireVector
) -> Register:
    register = Register(10, f"passes_{name}")
    keep(register, (now, select(restart, start, low(register + step, 10))))
    return register
