"""The register block in PyRTL, made from the table."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_

from pyrtl import Const, Register, WireVector, concat_list, select

from ascnode_gateware.registers import table
from ascnode_gateware.registers.counters import CARRY_BIT, Counters, counters
from ascnode_gateware.registers.table import Access, Field
from ascnode_gateware.rtl.cells import delayed, keep, low
from ascnode_gateware.synth.process import GatewareError

EVENTS = (Access.FLAG, Access.COUNTER, Access.ERRORS)


@dataclass(frozen=True)
class Bus:
    """valid (1) with write (1), address (16) and wdata (32): accepted in the same cycle.

    A read of a counter waits: it may only be valid in the cycle after one with `may_read` and its address.
    """

    valid: WireVector
    write: WireVector
    address: WireVector
    wdata: WireVector


@dataclass(frozen=True)
class RegisterBlock:
    """rdata: 32, a cycle after a read. config: a wire for each HELD, WRITE_ONLY, PULSE and COMMAND field; pulses
    are high in the cycle of their write; COMMAND field x has its value while config["x_written"] is high. irq: 1.
    may_read: 1 when what the bus's address names can be read in the next cycle. tick: a pulse each TICK_CYCLES that
    the first counter counted."""

    rdata: WireVector
    config: Mapping[str, WireVector]
    irq: WireVector
    may_read: WireVector
    tick: WireVector


TICK_CYCLES = 1 << CARRY_BIT


def hardware_wires() -> dict[str, int]:
    """Widths of the wires that `registers` needs: STATUS fields; an event (1) for each flag and counter."""
    return {
        field.name: 1 if field.access in EVENTS else field.width
        for field in _fields()
        if field.access in (Access.STATUS, *EVENTS)
    }


def registers(bus: Bus, hardware: Mapping[str, WireVector], reset: WireVector) -> RegisterBlock:
    """`hardware`: the wires that `hardware_wires` names; reset: 1, synchronous, sets every field to its reset value.

    Never waits. An address that holds no register reads 0 and ignores writes; bit 15 is not looked at. Counters are
    cleared in the cycle after a START's write or a reset, in which no event counts.
    """
    _check(hardware)
    block = _Block(bus, hardware, reset)
    rdata = Register(32, "register_rdata")
    rdata.next <<= select(block.inside, block.read(), Const(0, 32))
    return RegisterBlock(rdata, block.config, block.irq(), block.may_read(), block.counted.carries)


class _Block:
    def __init__(self, bus: Bus, hardware: Mapping[str, WireVector], reset: WireVector) -> None:
        self._bus, self._hardware, self._reset = bus, hardware, reset
        self.inside = bus.address[table.OFFSET_BITS : 15] == 0
        self.config: dict[str, WireVector] = {}
        self._values: dict[str, WireVector] = {}
        self._written = {r.name: self._writes(r.offset) for r in table.REGISTERS if _writable(r)}
        for register in table.REGISTERS:
            for field in register.fields:
                self._build(field, self._written.get(register.name))
        self.counted = self._counters()

    def read(self) -> WireVector:
        """The word at the bus's address."""
        offset = self._bus.address[: table.OFFSET_BITS]
        words = [
            self._word(r) & (offset == r.offset).sign_extended(32) for r in table.REGISTERS if not _counts(r)
        ]
        of_counter = self._at_counter().sign_extended(table.COUNTER_BITS)
        return reduce(or_, words) | (self.counted.value & of_counter).zero_extended(32)

    def may_read(self) -> WireVector:
        """A counter can be read in its turn."""
        return ~self._at_counter() | (self.counted.next_turn == self._bus.address[:3])

    def _at_counter(self) -> WireVector:
        address, count = self._bus.address, sum(map(_counts, table.REGISTERS))
        return (address[3 : table.OFFSET_BITS] == table.COUNTERS_OFFSET >> 3) & (address[:3] < count)

    def irq(self) -> WireVector:
        flags = [self._values[f.name] for f in _fields() if f.access is Access.FLAG]
        return self.config["irq_enable"] & (concat_list(flags) != 0)

    def _writes(self, offset: int) -> WireVector:
        here = self._bus.address[: table.OFFSET_BITS] == offset
        return self._bus.valid & self._bus.write & self.inside & here

    def _counters(self) -> Counters:
        events = [self._hardware[r.fields[0].name] for r in table.REGISTERS if _counts(r)]
        # A cycle late: nothing runs before that, and a START's decoding is a long path.
        clear = delayed(self.config["start"] | self._reset, "counters_clear")
        return counters(events, table.COUNTER_BITS, clear)

    def _build(self, field: Field, written: WireVector | None) -> None:
        given = self._bus.wdata[field.low : field.low + field.width]
        if field.access is Access.CONSTANT:
            self._values[field.name] = Const(field.reset, field.width)
        elif field.access is Access.STATUS:
            self._values[field.name] = self._hardware[field.name]
        elif written is None:
            return
        elif field.access is Access.PULSE:
            self.config[field.name] = written & given
        elif field.access is Access.COMMAND:
            self.config[field.name] = given
            self.config[f"{field.name}_written"] = written
        else:
            self._values[field.name] = self._kept(field, written, given)

    def _kept(self, field: Field, written: WireVector, given: WireVector) -> WireVector:
        if field.access is Access.ERRORS:
            return self._count_errors(field, written | self._reset)
        value = Register(field.width, f"register_{field.name}")
        if field.access is Access.FLAG:
            left = value & ~(given & written.sign_extended(field.width))
            value.next <<= (left | self._hardware[field.name]) & ~self._reset
            return value
        keep(value, (self._reset, field.reset), (written, given))
        self.config[field.name] = value
        return value

    def _count_errors(self, field: Field, clear: WireVector) -> WireVector:
        """Clearing wins over an event of the same cycle."""
        value = Register(field.width, f"register_{field.name}")
        event = self._hardware[field.name] & (value != (1 << field.width) - 1)
        keep(value, (clear, 0), (event, low(value + 1, field.width)))
        return value

    def _word(self, register: table.Register) -> WireVector:
        parts, at = [], 0
        for field in register.fields:
            if field.readable:
                parts += [Const(0, field.low - at)] if field.low > at else []
                parts.append(self._values[field.name])
                at = field.low + field.width
        return concat_list(parts).zero_extended(32) if parts else Const(0, 32)


def _counts(register: table.Register) -> bool:
    return register.fields[0].access is Access.COUNTER


def _writable(register: table.Register) -> bool:
    return any(f.access not in (Access.CONSTANT, Access.STATUS, Access.COUNTER) for f in register.fields)


def _fields() -> Iterator[Field]:
    for register in table.REGISTERS:
        yield from register.fields


def _check(hardware: Mapping[str, WireVector]) -> None:
    for name, width in hardware_wires().items():
        if name not in hardware:
            raise GatewareError(f"the register block needs a wire for {name}")
        if len(hardware[name]) != width:
            raise GatewareError(f"the wire for {name} has {len(hardware[name])} bits, not {width}")
