"""The table as the page docs/accelerator-registers.md."""

from collections.abc import Iterator

from ascnode_gateware.registers.table import BASE, REGISTERS, Access, ErrorCode, Field, Register

_INTRODUCTION = f"""# Registers

Made from `ascnode_gateware.registers.table` by `python -m ascnode_gateware.registers markdown FILE`; not edited here.

The registers are words of 32 bits from word address {BASE:#x} of the host port on. Bits without a field read 0, and
writing them does nothing; so do addresses without a register. A field marked *{Access.WRITE_ONLY.value}* reads 0.
Counters clear with CONTROL.start and wrap; error counters stay at their largest value until their register is
written.
"""
_ERRORS = {
    ErrorCode.NONE: "none",
    ErrorCode.OPCODE: "a job's opcode is unknown",
    ErrorCode.WATCHDOG: "no progress for WATCHDOG x 256 cycles",
    ErrorCode.STREAM_CRC: "a stream block's CRC stayed wrong in every attempt",
    ErrorCode.FLASH: "the flash does not answer, or was not granted",
    ErrorCode.ABORTED: "CONTROL.abort",
}


def registers_page() -> str:
    """The whole page."""
    parts = [_INTRODUCTION, *_overview(), ""]
    for register in REGISTERS:
        if len(register.fields) > 1:
            parts += [*_section(register), ""]
    return "\n".join([*parts, *_error_section()]) + "\n"


def _overview() -> Iterator[str]:
    yield "| address | register | bits | access | after reset | meaning |"
    yield "|---|---|---|---|---|---|"
    for register in REGISTERS:
        only = register.fields[0] if len(register.fields) == 1 else None
        bits, access = (_bits(only), only.access.value) if only else ("", "fields below")
        value = sum(field.reset << field.low for field in register.fields)
        yield f"| {register.address:#06x} | {register.name} | {bits} | {access} | {value:#x} | {register.meaning} |"


def _section(register: Register) -> Iterator[str]:
    yield f"## {register.name} ({register.address:#06x}): {register.meaning}"
    yield ""
    yield "| bits | field | access | after reset | meaning |"
    yield "|---|---|---|---|---|"
    for field in register.fields:
        yield f"| {_bits(field)} | {field.name} | {field.access.value} | {field.reset:#x} | {field.meaning} |"


def _error_section() -> Iterator[str]:
    yield "## Error codes: STATUS.error"
    yield ""
    yield "| code | name | why the engine stopped |"
    yield "|---|---|---|"
    for code, meaning in _ERRORS.items():
        yield f"| {code.value} | {code.name} | {meaning} |"


def _bits(field: Field) -> str:
    top = field.low + field.width - 1
    return str(field.low) if field.width == 1 else f"{field.low}-{top}"
