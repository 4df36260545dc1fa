"""Small idioms that the units share."""

from collections.abc import Sequence

from pyrtl import Const, MemBlock, Register, WireVector, concat_list, select


def low(value: WireVector, width: int) -> WireVector:
    """The low bits: PyRTL widens every sum by one."""
    return value[:width]


def signed(value: WireVector, width: int) -> WireVector:
    """Cut or sign-extended to `width` bits."""
    return value.sign_extended(width) if len(value) < width else value[:width]


def unsigned(value: WireVector, width: int) -> WireVector:
    """Cut or zero-extended to `width` bits."""
    return value.zero_extended(width) if len(value) < width else value[:width]


def delayed(value: WireVector, name: str, enable: WireVector | None = None) -> Register:
    """One cycle later; with `enable`, what it was in the last enabled cycle."""
    register = Register(len(value), name)
    register.next <<= value if enable is None else select(enable, value, register)
    return register


def keep(register: Register, *cases: tuple[WireVector, WireVector | int]) -> None:
    """register.next from (condition, value) cases, the first that holds winning; else it keeps its value."""
    value: WireVector = register
    for condition, chosen in reversed(cases):
        wire = Const(chosen, len(register)) if isinstance(chosen, int) else chosen
        value = select(condition, wire, value)
    register.next <<= value


def flag(name: str, *, rises: WireVector, falls: WireVector) -> Register:
    """One bit; `falls` wins over `rises`."""
    register = Register(1, name)
    register.next <<= ~falls & (rises | register)
    return register


def connect(wire: WireVector, value: WireVector | int) -> None:
    """Drives a wire that was declared before: `<<=` on a frozen dataclass's field would assign the field."""
    wire <<= value


def mod_counter(name: str, width: int, *, step: WireVector, last: WireVector, clear: WireVector) -> Register:
    """Counts `step`s; starts again from 0 after `last`."""
    register = Register(width, name)
    keep(register, (clear | (step & last), 0), (step, low(register + 1, width)))
    return register


def bytes_of(word: WireVector) -> list[WireVector]:
    """Byte 0 is bits 0..7."""
    return [word[at : at + 8] for at in range(0, len(word), 8)]


def joined(parts: Sequence[WireVector]) -> WireVector:
    """The first part lowest."""
    return concat_list(list(parts))


def block_ram(name: str, width: int, address_width: int) -> MemBlock:
    """Maps to block RAM when each read is registered (`read`) and nothing relies on reading what is being written."""
    return MemBlock(width, address_width, name, max_read_ports=None, asynchronous=True)


def read(memory: MemBlock, address: WireVector, name: str, enable: WireVector | None = None) -> Register:
    """The word at `address`, a cycle later; with `enable`, what was read in the last enabled cycle."""
    return delayed(memory[address], name, enable)
