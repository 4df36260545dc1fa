"""Bus addresses and bits by name, out of the register table."""

from ascnode_gateware.registers.table import REGISTERS, field_named

_ADDRESSES = {register.name: register.address for register in REGISTERS}


def address(name: str) -> int:
    """Word address of a register on the host port."""
    return _ADDRESSES[name]


def mask(field: str) -> int:
    """A field's bits in its register's word."""
    return field_named(field)[1].mask


def value(field: str, word: int) -> int:
    """A field's value in its register's word."""
    found = field_named(field)[1]
    return (word & found.mask) >> found.low
