"""Parameters of output groups and the tables of an Add, in block RAM; loaded as the fetcher brings their words."""

from pyrtl import Const, MemBlock, Register, WireVector, concat, select

from ascnode_gateware.rtl.cells import block_ram, keep, low, read
from ascnode_gateware.rtl.fetch import Arrival

ADD_ENTRY = 16  # after 4 slots of 4 channels


class Tables:
    """An entry (5 bits) is slot and channel, or ADD_ENTRY. 10 block RAMs; a read takes a cycle.

    An output group's slot is its number modulo 4: one drains, one fills sums, one is being fetched.
    """

    def __init__(self, word: WireVector, arrival: Arrival, slot: WireVector) -> None:
        self._addend = block_ram("tables_addend", 32, 9)  # 256 of table B, then biases
        self._first = block_ram("tables_first", 32, 8)  # table A
        self._digits = block_ram("tables_digits", 32, 5)
        self._scale = block_ram("tables_scale", 32, 5)
        kind, channel = _place(arrival)
        index, loads = arrival.index, arrival.table
        final = loads & index[9]
        entry = select(final, Const(ADD_ENTRY, 5), concat(slot, channel).zero_extended(5))
        biased = arrival.parameter & (kind == 0)
        addend = select(loads, index[:8].zero_extended(9), concat(Const(1, 1), Const(0, 3), entry))
        _store(self._addend, addend, word, biased | (loads & index[8]))
        _store(self._first, index[:8], word, loads & ~index[8] & ~index[9])
        _store(self._digits, entry, word, (arrival.parameter & (kind == 1)) | (final & ~index[0]))
        _store(self._scale, entry, word, (arrival.parameter & (kind == 2)) | (final & index[0]))

    def addend(self, second: WireVector, byte: WireVector, entry: WireVector) -> Register:
        """Table B of `byte` on a second visit, else the entry's bias."""
        address = select(second, byte.zero_extended(9), concat(Const(1, 1), Const(0, 3), entry))
        return read(self._addend, address, "tables_addend_q")

    def first(self, byte: WireVector, enable: WireVector) -> Register:
        """Table A."""
        return read(self._first, byte, "tables_first_q", enable)

    def digits(self, entry: WireVector, enable: WireVector) -> Register:
        """The multiplier."""
        return read(self._digits, entry, "tables_digits_q", enable)

    def scale(self, entry: WireVector, enable: WireVector) -> Register:
        """The shift word."""
        return read(self._scale, entry, "tables_scale_q", enable)


def _place(arrival: Arrival) -> tuple[Register, Register]:
    """(word of a channel 0..2, channel) of the parameter that arrives."""
    kind, channel = Register(2, "tables_kind"), Register(2, "tables_channel")
    complete = arrival.parameter & (kind == 2)
    keep(kind, (complete | arrival.header, 0), (arrival.parameter, low(kind + 1, 2)))
    keep(channel, (arrival.header, 0), (complete, low(channel + 1, 2)))
    return kind, channel


def _store(memory: MemBlock, address: WireVector, word: WireVector, enable: WireVector) -> None:
    memory[address] <<= MemBlock.EnabledWrite(word, enable)
