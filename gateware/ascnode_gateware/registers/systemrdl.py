"""The table as SystemRDL 2.0, for other people's generators; addresses are in bytes there."""

from collections.abc import Iterator

from ascnode_gateware.registers.table import REGISTERS, Access, Field, Register

# What software and hardware may do, as SystemRDL's properties.
_PROPERTIES = {
    Access.CONSTANT: "sw = r; hw = na;",
    Access.STATUS: "sw = r; hw = w;",
    Access.HELD: "sw = rw; hw = r;",
    Access.WRITE_ONLY: "sw = w; hw = r;",
    Access.PULSE: "sw = w; hw = r; singlepulse;",
    Access.COMMAND: "sw = w; hw = r; swmod;",
    Access.FLAG: "sw = rw; hw = w; onwrite = woclr; precedence = hw;",
    Access.COUNTER: "sw = r; hw = w;",
    Access.ERRORS: "sw = rw; hw = w; onwrite = wclr;",
}


def systemrdl() -> str:
    """An addrmap `ascnode_accelerator`; add it at 4 x 0x8000 to the host port's byte addresses."""
    lines = ["addrmap ascnode_accelerator {", '    name = "ASCN accelerator";', "    littleendian;"]
    lines += ["    default regwidth = 32;", "    default accesswidth = 32;"]
    for register in REGISTERS:
        lines += _register(register)
    return "\n".join([*lines, "};"]) + "\n"


def _register(register: Register) -> Iterator[str]:
    yield "    reg {"
    yield f"        desc = {_quoted(register.meaning)};"
    for field in register.fields:
        yield f"        {_field(field)}"
    yield f"    }} {register.name} @ {4 * register.offset:#x};"


def _field(field: Field) -> str:
    reset = f" = {field.width}'h{field.reset:x}" if field.access is not Access.STATUS else ""
    top = field.low + field.width - 1
    body = f"{_PROPERTIES[field.access]} desc = {_quoted(field.meaning)};"
    return f"field {{ {body} }} {field.name}[{top}:{field.low}]{reset};"


def _quoted(text: str) -> str:
    if '"' in text or "\\" in text:
        raise ValueError(f"a meaning cannot hold quotes or backslashes: {text}")
    return f'"{text}"'
