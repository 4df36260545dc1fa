"""The register table, and the constants, page and SystemRDL that are made of it."""

import re
from pathlib import Path

import pytest

from ascnode_gateware.registers.constants import constants, constants_module
from ascnode_gateware.registers.markdown import registers_page
from ascnode_gateware.registers.systemrdl import systemrdl
from ascnode_gateware.registers.table import OFFSET_BITS, REGISTERS, Access, ErrorCode
from unix_port import run_micropython

PAGE = Path(__file__).resolve().parents[3] / "docs" / "accelerator-registers.md"


def fields():
    return [field for register in REGISTERS for field in register.fields]


def test_addresses_and_names_are_unique_and_fields_do_not_overlap():
    offsets = [register.offset for register in REGISTERS]
    assert len(set(offsets)) == len(offsets)
    assert max(offsets) < 1 << OFFSET_BITS
    assert len({field.name for field in fields()}) == len(fields())
    for register in REGISTERS:
        used = 0
        for field in register.fields:
            assert not used & field.mask, field.name
            assert used < field.mask, "fields go from low to high bits"
            used |= field.mask
        assert used < 1 << 32


def test_fields_hold_their_reset_values_and_flags_are_single_bits():
    for field in fields():
        assert field.reset < 1 << field.width
        if field.access in (Access.PULSE, Access.FLAG):
            assert field.width == 1


def test_page_in_docs_is_that_of_the_table():
    assert PAGE.read_text() == registers_page(), (
        "run: python -m ascnode_gateware.registers markdown docs/accelerator-registers.md"
    )


def test_page_names_every_field_and_error_code():
    page = registers_page()
    names = [f.name if len(r.fields) > 1 else r.name for r in REGISTERS for f in r.fields]
    for name in [*names, *(code.name for code in ErrorCode)]:
        assert re.search(rf"\| {name} \|", page), name


def test_micropython_reads_the_constants():
    names = [
        "ID",
        "CONTROL",
        "CONTROL_START_MASK",
        "STATUS_ERROR_MASK",
        "STATUS_ERROR_SHIFT",
        "ERROR_WATCHDOG",
    ]
    script = constants_module() + f"print([{', '.join(names)}, ERRORS, CYCLES])"
    # By hand, from the page.
    assert run_micropython(script).strip() == str([0x8000, 0x8002, 1, 0xF0, 4, 2, 0x800F, 0x8010])


def test_constants_are_small_integers_under_names_of_their_own():
    assert all(0 <= value < 1 << 30 for value in constants().values())
    text = constants_module()
    assert len(re.findall(r"^\w+ = const\(", text, re.MULTILINE)) == len(constants())


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    compiler = pytest.importorskip("systemrdl", reason="no systemrdl-compiler").RDLCompiler()
    path = tmp_path_factory.mktemp("rdl") / "registers.rdl"
    path.write_text(systemrdl())
    compiler.compile_file(str(path))
    return compiler.elaborate().top


def test_systemrdl_compiler_finds_the_same_registers(compiled):
    found = {(node.inst_name, node.absolute_address) for node in compiled.registers()}
    assert found == {(register.name, 4 * register.offset) for register in REGISTERS}
    for register in REGISTERS:
        node = compiled.get_child_by_name(register.name)
        assert {(f.inst_name, f.low, f.width) for f in node.fields()} == {
            (f.name, f.low, f.width) for f in register.fields
        }


def test_systemrdl_compiler_finds_the_same_access(compiled):
    for register in REGISTERS:
        for field in register.fields:
            node = compiled.get_child_by_name(register.name).get_child_by_name(field.name)
            assert node.is_sw_readable == field.readable, field.name
            writable = field.access not in (Access.CONSTANT, Access.STATUS, Access.COUNTER)
            assert node.is_sw_writable == writable, field.name
            if field.access is not Access.STATUS:
                assert node.get_property("reset") == field.reset
