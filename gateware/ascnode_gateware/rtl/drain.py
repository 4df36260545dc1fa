"""The drain: takes a finished set of accumulators through the rescaling and writes a word for each pixel.

An item is one output byte; it has a slot of two cycles. With `add`, slots alternate: an item's first visit makes the
convolution's byte; its second, three slots later, adds the skip tensor's. An item's stages, by cycle:
0 reads sum and bias, 1 adds them, 2 to 4 multiply, 5 shifts, 6 rounds and clamps.
"""

from dataclasses import dataclass

from pyrtl import Const, Register, WireVector, concat, select

from ascnode_gateware.rtl.cells import connect, delayed, keep, low
from ascnode_gateware.rtl.memory import Port
from ascnode_gateware.rtl.requantise import clamped, product, rounded
from ascnode_gateware.rtl.tables import ADD_ENTRY, Tables


@dataclass(frozen=True)
class Order:
    """An output group to drain: `pending` (1) until it begins; the rest as it is in that cycle."""

    pending: WireVector
    last_pixel: WireVector  # 8
    add: WireVector
    output: WireVector  # 15
    out_step: WireVector  # 9
    ends_layer: WireVector


@dataclass(frozen=True)
class Drain:
    begin: WireVector  # takes the order
    busy: Register
    which: Register  # the set that is read out
    done: WireVector  # its last word is being written
    layer_done: WireVector


class Progress:
    """Registers that say which item each slot is for."""

    def __init__(self) -> None:
        self.odd = Register(1, "drain_odd")  # second cycle of a slot
        self.second = Register(1, "drain_second")  # the slot is for a second visit
        self.issuing = Register(1, "drain_issuing")  # first visits are left
        self.pixel, self.channel = Register(8, "drain_pixel"), Register(2, "drain_channel")
        self._visits = Register(3, "drain_visits")  # which of the last three slots were first visits
        self.valid = select(self.second, self._visits[2], self.issuing)

    def wire(self, begin: WireVector, clear: WireVector, go: WireVector, order: "_Taken") -> None:
        """A slot ends in its odd cycle."""
        ends = self.odd
        first = ends & self.issuing & ~self.second
        pixel_done = first & (self.channel == 3)
        keep(self.odd, (begin, 0), (go, ~self.odd))
        keep(self.second, (begin, 0), (ends, order.add & ~self.second))
        keep(
            self.channel, (begin, 0), (ends & ~self.second, low(self.channel + 1, 2))
        )  # at the end too: see _scale_entry
        keep(self.pixel, (begin, 0), (pixel_done, low(self.pixel + 1, 8)))
        keep(self.issuing, (clear, 0), (begin, 1), (pixel_done & (self.pixel == order.last_pixel), 0))
        keep(self._visits, (begin, 0), (ends, concat(self._visits[:2], self.issuing & ~self.second)))


def drain(
    order: Order,
    port: Port,
    granted: WireVector,
    read_word: WireVector,
    sums: tuple[WireVector, WireVector],
    tables: Tables,
    progress: Progress,
    which: Register,
    clear: WireVector,
) -> Drain:
    """port: driven here, declared by the caller; granted (1), read_word (32): its grant, and what it read.

    sums: each set's four rows (128), a cycle after progress.pixel. read_word comes two cycles after the grant. Holds
    its pipeline while a write or a skip word waits for its turn, and for each bit of a left shift.
    """
    busy = Register(1, "drain_busy")
    begin, go = order.pending & ~busy & ~clear, WireVector(1, "drain_go")
    blocked = WireVector(1, "drain_blocked")
    p, ends, taken = progress, progress.odd, _taken_order(order, begin)
    p.wire(begin, clear, go, taken)
    slot = Register(2, "drain_parameter_slot")
    entry = select(p.second, Const(ADD_ENTRY, 5), concat(slot, p.channel).zero_extended(5))
    result = WireVector(8, "drain_result")
    skip = _Skip(p, ends, begin, taken.add & busy, read_word)
    first = _first_operand(sums, tables.first(result, go & ~p.odd), which, p)
    scale = tables.scale(_scale_entry(p, entry, taken.add), go)
    shift = delayed(scale[:6], "drain_shift", ends)
    x, shifting = _addition(first, tables.addend(p.second, skip.byte, entry), shift, p, ends, go)
    digits = tables.digits(entry, go)
    half = delayed(select(p.odd, digits[:16], digits[16:]), "requantise_half", go)
    total = product(x, half, p.odd, go, "requantise_total")
    result <<= _finish(total, shift, scale, ends)
    stages = _written(p, taken.add, ends, begin | clear)
    pack = _pack(result, go & ~p.odd & stages[2], granted, begin | clear)
    waiting = pack.waiting
    # A word has a cycle to be written in before the next byte comes: the grant itself stays out of this path.
    # A slot's first cycle waits for the skip word, for left shifts and for the word before to be written.
    blocked <<= skip.starved | shifting | (waiting & stages[2])
    go <<= p.odd | ~blocked
    written = waiting & granted
    skip_read = skip.wanted & granted & ~waiting
    skip.reads(skip_read)
    done = written & ~stages[0] & ~stages[1]  # another pixel's item would be in one of these stages now
    keep(busy, (clear | done, 0), (begin, 1))
    keep(which, (clear, 1), (begin, ~which))
    keep(slot, (clear, 0), (done, low(slot + 1, 2)))
    pointer, beyond = _pointer(begin, order.output, written, taken.out_step)
    # From a pixel's last byte until it is written, the skip word to be read is that of the pixel after it.
    ahead = Register(1, "drain_skip_ahead")
    keep(ahead, (begin | written, 0), (skip.consumed, 1))
    address = select(~waiting & (ahead | skip.consumed), beyond, pointer)
    _drive(port, waiting | skip.wanted, address, waiting, pack.word)
    return Drain(begin, busy, which, done, done & taken.ends_layer)


@dataclass(frozen=True)
class _Taken:
    add: Register
    last_pixel: Register
    out_step: Register
    ends_layer: Register


def _taken_order(order: Order, begin: WireVector) -> _Taken:
    """The order as it was when it began: the next job's header may come while this one drains."""
    names = ("add", "last_pixel", "out_step", "ends_layer")
    return _Taken(*[delayed(getattr(order, name), f"drain_order_{name}", begin) for name in names])


class _Skip:
    """Reads the skip tensor's word of a pixel before its first second visit; `byte` is the channel in turn.

    It asks for the next word while the last byte is used: it comes three cycles later, in time.
    """

    def __init__(
        self, p: Progress, ends: WireVector, begin: WireVector, active: WireVector, read_word: WireVector
    ) -> None:
        there, asked = Register(1, "drain_skip_there"), Register(1, "drain_skip_asked")
        arrives = delayed(asked & ~begin, "drain_skip_arrives")
        word = Register(32, "drain_skip_word")
        visit = ends & p.second & p.valid
        keep(word, (arrives, read_word), (visit, word[8:].zero_extended(32)))
        self.consumed = visit & ((p.channel ^ 2) == 3)  # the first visit was three slots ago: two channels
        self.wanted = active & (~(there | asked | arrives) | self.consumed)
        self.starved = p.second & p.valid & ~there
        self.byte = word[:8]
        keep(there, (begin | self.consumed, 0), (arrives, 1))
        self._asked, self._begin = asked, begin

    def reads(self, now: WireVector) -> None:
        self._asked.next <<= now & ~self._begin


def _first_operand(
    sums: tuple[WireVector, WireVector], table: WireVector, which: WireVector, p: Progress
) -> WireVector:
    """The channel's sum, on a second visit table A's entry; enables a row take six look-ups a bit, selectors nine."""
    rows = [select(which, sums[1][at : at + 32], sums[0][at : at + 32]) for at in range(0, 128, 32)]
    enables = [(p.channel == row) & ~p.second for row in range(4)]
    parts = [row & enable.sign_extended(32) for row, enable in zip(rows, enables, strict=True)]
    return parts[0] | parts[1] | parts[2] | parts[3] | (table & p.second.sign_extended(32))


def _addition(
    first: WireVector, addend: WireVector, shift: WireVector, p: Progress, ends: WireVector, go: WireVector
) -> tuple[Register, WireVector]:
    """(x (32), 1 while it shifts left): loaded at a slot's end, doubled in the next slot's first cycle."""
    x, doubled = Register(32, "drain_x"), Register(5, "drain_doubled")
    fresh = delayed(p.valid, "drain_x_valid", ends)
    # That it is enough is known a cycle late: the comparison stays out of `go`, on which all depends.
    enough = Register(1, "drain_doubled_enough")
    shifting = fresh & ~p.odd & shift[5] & ~enough
    enough.next <<= shifting & (doubled == shift[:5])
    keep(x, (shifting & (doubled != shift[:5]), concat(x[:31], Const(0, 1))), (ends, low(first + addend, 32)))
    keep(doubled, (shifting, low(doubled + 1, 5)), (go, 0))
    return x, shifting


def _scale_entry(p: Progress, entry: WireVector, add: WireVector) -> WireVector:
    """A shift word is read for the item of this slot in its first cycle, for that of two slots before in its second.

    Slots two apart are of the same visit, and so one or two channels apart.
    """
    before = select(add, low(p.channel - 1, 2), p.channel ^ 2)
    again = select(p.second, entry, concat(entry[2:], before))
    return select(p.odd, again, entry)


def _finish(total: WireVector, shift: WireVector, scale: WireVector, ends: WireVector) -> WireVector:
    """The output byte in its second cycle after the product. shift: the next item's (6), when the product is complete;
    scale: the item's shift word a cycle later."""
    right = delayed(select(shift[5], Const(0, 5), shift[:5]), "drain_right", ends)
    quotient, carry = rounded(total[15:47], right)
    held = delayed(concat(carry, quotient), "drain_quotient", ends)
    return clamped(held[:9], held[9], scale[8:16], scale[16:32])


def _written(p: Progress, add: WireVector, ends: WireVector, clear: WireVector) -> list[Register]:
    """1 while the item in stages 2 and 3, 4 and 5, 6 is one that is written: a second visit, if there are."""
    stages = [Register(1, f"drain_written_{stage}") for stage in (2, 4, 6)]
    coming = p.valid & (p.second | ~add)
    for stage in stages:
        keep(stage, (clear, 0), (ends, coming))
        coming = stage
    return stages


@dataclass(frozen=True)
class _Pack:
    word: Register  # 32: four bytes
    waiting: Register  # until it is written


def _pack(result: WireVector, arrives: WireVector, granted: WireVector, clear: WireVector) -> _Pack:
    word, count = Register(32, "drain_packed"), Register(2, "drain_packed_count")
    keep(word, (arrives, concat(result, word[8:])))
    keep(count, (clear, 0), (arrives, low(count + 1, 2)))
    waiting = Register(1, "drain_waiting")
    keep(waiting, (clear, 0), (arrives & (count == 3), 1), (granted, 0))
    return _Pack(word, waiting)


def _pointer(
    begin: WireVector, start: WireVector, step: WireVector, by: WireVector
) -> tuple[Register, WireVector]:
    """Addresses of the pixel that is written, and of the one after it."""
    pointer = Register(15, "drain_pointer")
    beyond = concat(pointer[14], low(pointer[:14] + by, 14))
    keep(pointer, (begin, start), (step, beyond))
    return pointer, beyond


def _drive(port: Port, request: WireVector, address: WireVector, write: WireVector, data: WireVector) -> None:
    assert port.write is not None and port.data is not None
    connect(port.request, request)
    connect(port.address, address)
    connect(port.write, write)
    connect(port.data, data)
