"""Telecommands in XTCE: headers, arguments, and the MAC that whoever holds a key puts behind them."""

from xml.etree.ElementTree import Element, SubElement

from ascnode.ground.layout import Field, Layout, commands
from ascnode.ground.units import parse_unit
from ascnode.ground.xtce_types import add_bytes, add_integer, add_labels, add_rest, described, name_of
from ascnode_fw.wire import dictionary as d
from ascnode_fw.wire.packet import MAC_BYTES

_BASE = "telecommand"
_HEADER = (
    ("packet_count", 14, "modulo 2^14"),
    ("packet_length", 16, "bytes behind the primary header, less 1"),
    ("key_index", 16, "of the key that signs it"),
    ("sequence", 32, "above the last one accepted under that key"),
)
_MAC = "HMAC-SHA256 (RFC 2104) over all before it, cut to 16 bytes"


def command_metadata(metadata: Element, power_scale: int) -> None:
    """Argument types and a MetaCommand for each telecommand, and one for each parameter to set."""
    types = SubElement(metadata, "ArgumentTypeSet")
    found = SubElement(metadata, "MetaCommandSet")
    _base(types, found)
    for layout in commands(power_scale):
        arguments, entries = _meta_command(found, layout.name, layout.number)
        for field in layout.fields:
            _argument(types, arguments, entries, layout, field)
        if layout.rest:
            _rest(types, arguments, entries, layout)
        _entry(arguments, entries, "mac", "mac_type", _MAC)
    _setters(types, found, power_scale)


def _base(types: Element, found: Element) -> None:
    command = SubElement(found, "MetaCommand", {"name": _BASE, "abstract": "true"})
    arguments = SubElement(command, "ArgumentList")
    entries = SubElement(SubElement(command, "CommandContainer", {"name": _BASE}), "EntryList")
    # version 0, a telecommand, with a secondary header; then segmentation flags: none
    _fixed(entries, "packet_id", 0x1800 | d.APID, 16)
    _fixed(entries, "segmentation", 3, 2)
    for name, bits, text in _HEADER:
        add_integer(types, "IntegerArgumentType", f"{name}_type", bits)
        _entry(arguments, entries, name, f"{name}_type", text)
    add_bytes(types, "BinaryArgumentType", "mac_type", MAC_BYTES)


def _fixed(entries: Element, name: str, value: int, bits: int) -> None:
    digits = 2 * (-(-bits // 8))
    attributes = {"name": name, "binaryValue": f"{value:0{digits}X}", "sizeInBits": str(bits)}
    SubElement(entries, "FixedValueEntry", attributes)


def _entry(arguments: Element, entries: Element, name: str, kind: str, text: str) -> None:
    SubElement(arguments, "Argument", {"name": name, "argumentTypeRef": kind, **described(text)})
    SubElement(entries, "ArgumentRefEntry", {"argumentRef": name})


def _meta_command(found: Element, name: str, number: int) -> tuple[Element, Element]:
    # Its list of arguments and its entries, that number in them.
    command = SubElement(found, "MetaCommand", {"name": name})
    SubElement(command, "BaseMetaCommand", {"metaCommandRef": _BASE})
    arguments = SubElement(command, "ArgumentList")
    container = SubElement(command, "CommandContainer", {"name": name})
    entries = SubElement(container, "EntryList")
    SubElement(container, "BaseContainer", {"containerRef": _BASE})
    _fixed(entries, "command", number, 8)
    return arguments, entries


def _argument(types: Element, arguments: Element, entries: Element, layout: Layout, field: Field) -> None:
    kind, unit = f"{name_of(layout.name, field.name)}_type", field.unit
    if unit.labels:
        add_labels(types, "EnumeratedArgumentType", kind, field.bits, unit.labels)
    elif field.kind == "s":
        add_bytes(types, "BinaryArgumentType", kind, field.bits // 8)
    else:
        add_integer(types, "IntegerArgumentType", kind, field.bits, field.signed, unit)
    _entry(arguments, entries, name_of(field.name), kind, unit.note)


def _rest(types: Element, arguments: Element, entries: Element, layout: Layout) -> None:
    # XTCE wants to be told the length; this argument itself is not sent.
    name = name_of(layout.rest_name)
    length, kind = f"{name}_bytes", f"{name_of(layout.name, name)}_type"
    SubElement(
        arguments,
        "Argument",
        {
            "name": length,
            "argumentTypeRef": "packet_length_type",
            **described(f"length of {name}; not sent"),
        },
    )
    add_rest(types, "Argument", kind, length, 8, 0)
    _entry(arguments, entries, name, kind, layout.rest)


def _setters(types: Element, found: Element, power_scale: int) -> None:
    # set_param once a parameter, with its unit and range.
    setter = next(layout for layout in commands() if layout.number == d.CMD_SET_PARAM)
    parameter, value = setter.fields
    for number, name, default, low, high, text in d.PARAMETERS:
        arguments, entries = _meta_command(found, f"set_{name}", setter.number)
        _fixed(entries, parameter.name, number, parameter.bits)
        kind, unit = f"set_{name}_type", parse_unit(text, power_scale)
        add_integer(types, "IntegerArgumentType", kind, value.bits, value.signed, unit, (low, high))
        _entry(arguments, entries, value.name, kind, f"default {default}, {low} to {high}, as sent")
        _entry(arguments, entries, "mac", "mac_type", _MAC)
