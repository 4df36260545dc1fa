"""The table as a Python module for drivers: MicroPython's `const()` makes each name cost nothing."""

from collections.abc import Iterator

from ascnode_gateware.registers.table import BASE, REGISTERS, VERSION, ErrorCode, Field, Register


def constants_module(const_from: str = "micropython") -> str:
    """Source of the module: word addresses, masks and shifts of fields, error codes. `const_from`: where it imports
    `const` from."""
    lines = [
        '"""Registers of the accelerator: word addresses on its host port, fields, error codes."""',
        "# Made from ascnode_gateware.registers.table; a test keeps it so.",
        "",
        f"from {const_from} import const",
        "",
        *_definitions(),
    ]
    return "\n".join(lines) + "\n"


def constants() -> dict[str, int]:
    """Every name that the module defines, and its value."""
    values = {"BASE": BASE, "VERSION_MAJOR_EXPECTED": VERSION[0]}
    for register in REGISTERS:
        values |= _of_register(register)
    return values | {f"ERROR_{code.name}": code.value for code in ErrorCode}


def _definitions() -> Iterator[str]:
    for name, value in constants().items():
        yield f"{name} = const({value:#x})"


def _of_register(register: Register) -> dict[str, int]:
    values = {register.name: register.address}
    for field in register.fields:
        if field.name != register.name.lower():
            values |= _of_field(register, field)
    return values


def _of_field(register: Register, field: Field) -> dict[str, int]:
    """One bit: its mask. More: also the shift that brings them down."""
    name = f"{register.name}_{field.name.upper()}"
    shift = {f"{name}_SHIFT": field.low} if field.width > 1 else {}
    return {f"{name}_MASK": field.mask, **shift}
