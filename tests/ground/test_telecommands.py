"""The telecommands of the XTCE, read by a small interpreter of their containers, are those that boards took."""

import struct
from collections.abc import Iterator

import pytest
from lxml import etree

from ascnode.ground.xtce import xtce
from ascnode.session.commanding import Commander
from ascnode_fw.wire import dictionary as d
from ascnode_fw.wire.packet import unpack_tc
from ground.flown import packets

NS = {"x": "http://www.omg.org/spec/XTCE/20180204"}
ROOT = etree.fromstring(xtce().encode()).find("x:CommandMetaData", NS)
COMMANDS = {row[0]: row for row in d.COMMANDS}


def entries(name: str) -> Iterator[tuple[str, int | None, int | None]]:
    """(name, bits or None for the rest, fixed value or None) of a command, its base's first."""
    (command,) = ROOT.xpath("//x:MetaCommand[@name=$name]", namespaces=NS, name=name)
    base = command.find("x:BaseMetaCommand", NS)
    if base is not None:
        yield from entries(base.get("metaCommandRef"))
    types = {one.get("name"): one.get("argumentTypeRef") for one in command.iterfind(".//x:Argument", NS)}
    for entry in command.iterfind(".//x:EntryList/*", NS):
        if entry.get("binaryValue"):
            yield entry.get("name"), int(entry.get("sizeInBits")), int(entry.get("binaryValue"), 16)
        else:
            argument = entry.get("argumentRef")
            yield argument, bits_of(types[argument]), None


def bits_of(kind: str) -> int | None:
    (found,) = ROOT.xpath("//x:ArgumentTypeSet/*[@name=$name]", namespaces=NS, name=kind)
    fixed = found.findtext(".//x:FixedValue", namespaces=NS)
    sized = found.find(".//x:IntegerDataEncoding", NS)
    if fixed is None and sized is None:
        return None
    return int(fixed) if fixed is not None else int(sized.get("sizeInBits"))


def read(name: str, packet: bytes) -> dict[str, int]:
    """Every entry's bits as a number; AssertionError when a fixed one differs or bits are left over."""
    layout = list(entries(name))
    known = sum(bits for _, bits, _ in layout if bits is not None)
    whole, left = int.from_bytes(packet, "big"), 8 * len(packet)
    values = {}
    for entry, bits, fixed in layout:
        size = 8 * len(packet) - known if bits is None else bits
        left -= size
        values[entry] = whole >> left & (1 << size) - 1
        assert fixed is None or values[entry] == fixed, entry
    assert left == 0
    return values


def test_every_telecommand_of_a_run_is_what_the_xtce_says() -> None:
    seen = set()
    for packet in (one.data for one in packets() if one.up):
        told = unpack_tc(memoryview(packet))
        _, name, form, fields, _ = COMMANDS[told.command]
        found = read(name, packet)
        seen.add(name)
        assert (found["key_index"], found["sequence"], found["command"]) == told[2:5]
        assert (found["packet_count"], found["packet_length"]) == (told.packet_count, len(packet) - 7)
        assert found["mac"] == int.from_bytes(packet[-16:], "big")
        values = struct.unpack_from(form, told.arguments)
        assert [found[field] for field, _ in fields] == list(values)
    assert seen >= {"plan_clear", "plan_add", "query", "custody", "cap_power"}


@pytest.mark.parametrize("name", [row[1] for row in d.COMMANDS])
def test_every_telecommand_fits_its_container(name: str) -> None:
    fields, rest = next(row[3:] for row in d.COMMANDS if row[1] == name)
    values = [7 + i for i in range(len(fields))]
    packet = Commander(bytes(32)).packet(name, *values, data=bytes(24) if rest else b"")
    found = read(name, packet)
    assert [found[field] for field, _ in fields] == values


@pytest.mark.parametrize("row", d.PARAMETERS, ids=lambda row: row[1])
def test_every_parameter_has_a_command_that_sets_it_within_its_limits(
    row: tuple[int, str, int, int, int, str],
) -> None:
    number, name, default, low, high, _ = row
    packet = Commander(bytes(32)).packet("set_param", number, default)
    assert read(f"set_{name}", packet)["value"] == default
    (kind,) = ROOT.xpath("//x:IntegerArgumentType[@name=$name]", namespaces=NS, name=f"set_{name}_type")
    valid = kind.find(".//x:ValidRange", NS)
    assert (int(valid.get("minInclusive")), int(valid.get("maxInclusive"))) == (low, high)
