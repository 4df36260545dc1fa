"""The registers as the host reads and writes them, made from the table."""

from collections.abc import Callable, Iterator

from ascnode_gateware.registers.table import BASE, REGISTERS, Access, Field, Register

_KEPT = (Access.HELD, Access.WRITE_ONLY, Access.FLAG, Access.ERRORS)
_HARDWARE = (Access.STATUS, Access.COUNTER)
_ACTS = (Access.PULSE, Access.COMMAND)


class RegisterFile:
    """`hardware` gives a STATUS or COUNTER field's value by its name."""

    def __init__(self, hardware: Callable[[str], int]) -> None:
        self._hardware = hardware
        self._at = {register.address: register for register in REGISTERS}
        self._field = {field.name: field for field in _fields()}
        self.values: dict[str, int] = {}
        self.reset()

    def reset(self) -> None:
        self.values = {field.name: field.reset for field in _fields() if field.access in _KEPT}

    def read(self, address: int) -> int:
        """The word at a bus address from BASE on; 0 where there is no register."""
        register = self._at.get(address)
        return sum(self._value(field) << field.low for field in register.fields) if register else 0

    def write(self, address: int, word: int) -> dict[str, int]:
        """Keeps what is to be kept; the PULSE fields written 1 and the COMMAND fields, with their values."""
        register = self._at.get(address)
        return {} if register is None else self._write(register, word)

    def raise_flag(self, name: str) -> None:
        self.values[name] = 1

    def count_error(self, name: str) -> None:
        """Up to the field's largest value."""
        most = self._field[name].mask >> self._field[name].low
        self.values[name] = min(self.values[name] + 1, most)

    @property
    def irq(self) -> bool:
        """The pin."""
        flags = [self.values[field.name] for field in _fields() if field.access is Access.FLAG]
        return bool(self.values["irq_enable"]) and any(flags)

    def _write(self, register: Register, word: int) -> dict[str, int]:
        acts = {}
        for field in register.fields:
            given = (word & field.mask) >> field.low
            if field.access in _ACTS and (given or field.access is Access.COMMAND):
                acts[field.name] = given
            elif field.access is Access.FLAG:
                self.values[field.name] &= ~given
            elif field.access is Access.ERRORS:
                self.values[field.name] = 0
            elif field.access in _KEPT:
                self.values[field.name] = given
        return acts

    def _value(self, field: Field) -> int:
        if not field.readable:
            return 0
        if field.access in _HARDWARE:
            return self._hardware(field.name) & (field.mask >> field.low)
        return self.values.get(field.name, field.reset)


def _fields() -> Iterator[Field]:
    for register in REGISTERS:
        yield from register.fields


assert min(register.address for register in REGISTERS) == BASE
