"""The dictionary as XTCE 1.2 (OMG; CCSDS 660.1-G-2 says how space packets are written in it).

One space system: header, packets by their id, a container of its own for each parameter that a node can report,
telecommands with their secondary header. Values are calibrated to W, K and %; alarms are where the flight software
acts. The APID restricts nothing, so that streams in which it tells nodes apart decode as well.
"""

import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from xml.etree.ElementTree import Element, SubElement

from ascnode.ground.layout import Field, Layout, telemetry
from ascnode.ground.limits import LABEL_CONCERNS, Limit
from ascnode.ground.units import Unit, parse_unit
from ascnode.ground.xtce_commands import command_metadata
from ascnode.ground.xtce_types import add_integer, add_labels, add_rest, described, name_of
from ascnode_fw.wire import dictionary as d
from ascnode_fw.wire.packet import HEADER_BYTES, TM_BYTES

NAMESPACE = "http://www.omg.org/spec/XTCE/20180204"
ROOT = "CCSDSPacket"
HEADER = (
    ("VERSION", 3),
    ("TYPE", 1),
    ("SEC_HDR_FLG", 1),
    ("PKT_APID", 11),
    ("SEQ_FLGS", 2),
    ("SRC_SEQ_CTR", 14),
    ("PKT_LEN", 16),
)
"""Fields of the primary header (CCSDS 133.0-B-2) and their bits."""
TIME, PACKET_ID = "TIME", "PACKET_ID"

_REPORT = "parameter"  # the packet whose value means what its first field says


def xtce(power_scale: int = 0, epoch: str = "") -> str:
    """The whole document.

    `power_scale` is the nodes' k; `epoch`, an xs:dateTime, is the scenario's, from which their time counts.
    """
    root = Element("SpaceSystem", {"name": "ascnode", "xmlns": NAMESPACE})
    SubElement(root, "LongDescription").text = (
        f"Made from the dictionary {d.digest().hex()}. Power words are calibrated with k = {power_scale}; "
        "alarms are those of parameters at their defaults."
    )
    SubElement(root, "Header", {"version": d.digest().hex(), "validationStatus": "Working"})
    metadata = SubElement(root, "TelemetryMetaData")
    types = SubElement(metadata, "ParameterTypeSet")
    parameters = SubElement(metadata, "ParameterSet")
    containers = _Containers(types, parameters, SubElement(metadata, "ContainerSet"))
    _headers(containers, epoch)
    for layout in telemetry(power_scale):
        _packet(containers, layout, power_scale)
    command_metadata(SubElement(root, "CommandMetaData"), power_scale)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, "unicode") + "\n"


class _Containers:
    """Adds containers, and types and parameters as they need them."""

    def __init__(self, types: Element, parameters: Element, containers: Element) -> None:
        self.types = types
        self._parameters = parameters
        self._containers = containers

    def add(self, name: str, base: str = "", where: Mapping[str, str] | None = None, **more: str) -> Element:
        """A container's entry list; it stands in for `base` where these parameters have these values."""
        container = SubElement(self._containers, "SequenceContainer", {"name": name, **more})
        entries = SubElement(container, "EntryList")
        if base:
            criteria = SubElement(
                SubElement(container, "BaseContainer", {"containerRef": base}), "RestrictionCriteria"
            )
            comparisons = SubElement(criteria, "ComparisonList")
            for parameter, value in (where or {}).items():
                SubElement(comparisons, "Comparison", {"parameterRef": parameter, "value": value})
        return entries

    def entry(self, entries: Element, name: str, text: str = "") -> None:
        """A parameter, whose type is NAME_type, in a container."""
        attributes = {"name": name, "parameterTypeRef": f"{name}_type", **described(text)}
        SubElement(self._parameters, "Parameter", attributes)
        SubElement(entries, "ParameterRefEntry", {"parameterRef": name})


def _headers(containers: _Containers, epoch: str) -> None:
    header = containers.add(ROOT, abstract="true", shortDescription="Primary header (CCSDS 133.0-B-2)")
    for name, bits in HEADER:
        add_integer(containers.types, "IntegerParameterType", f"{name}_type", bits)
        containers.entry(header, name)
    where = {"VERSION": "0", "TYPE": "0", "SEC_HDR_FLG": "1"}
    second = containers.add("telemetry", ROOT, where, abstract="true", shortDescription="Secondary header")
    _time_type(containers.types, epoch)
    containers.entry(second, TIME, "CUC: 4 bytes of seconds, 2 of 1/65536 s, since the scenario's epoch")
    add_integer(containers.types, "IntegerParameterType", f"{PACKET_ID}_type", 8)
    containers.entry(second, PACKET_ID)


def _time_type(types: Element, epoch: str) -> None:
    kind = SubElement(types, "AbsoluteTimeParameterType", {"name": f"{TIME}_type"})
    encoding = SubElement(kind, "Encoding", {"units": "seconds", "scale": repr(2.0**-16)})
    SubElement(encoding, "IntegerDataEncoding", {"sizeInBits": "48", "encoding": "unsigned"})
    if epoch:
        SubElement(SubElement(kind, "ReferenceTime"), "Epoch").text = epoch


def _packet(containers: _Containers, layout: Layout, power_scale: int) -> None:
    special = layout.name == _REPORT
    where = {PACKET_ID: str(layout.number)}
    entries = containers.add(layout.name, "telemetry", where, **({"abstract": "true"} if special else {}))
    for field in layout.fields[:1] if special else layout.fields:
        _field(containers, entries, name_of(layout.name, field.name), field)
    if layout.rest:
        name = name_of(layout.name, layout.rest_name)
        # of PKT_LEN + 1 bytes behind the primary header, the secondary header and the fields are known
        known = TM_BYTES - HEADER_BYTES + layout.size
        add_rest(containers.types, "Parameter", f"{name}_type", "PKT_LEN", 8, 8 * (1 - known))
        containers.entry(entries, name, layout.rest)
    if special:
        _reports(containers, layout, power_scale)


def _field(containers: _Containers, entries: Element, name: str, field: Field) -> None:
    unit = field.unit
    if unit.labels:
        kind = add_labels(
            containers.types, "EnumeratedParameterType", f"{name}_type", field.bits, unit.labels
        )
        _label_alarms(kind, LABEL_CONCERNS.get(field.name, {}))
    else:
        kind = add_integer(
            containers.types, "IntegerParameterType", f"{name}_type", field.bits, field.signed, unit
        )
        _alarms(kind, field.limits, unit)
    containers.entry(entries, name, unit.note)


def _label_alarms(kind: Element, concerns: Mapping[str, str]) -> None:
    if not concerns:
        return
    levels = SubElement(SubElement(kind, "DefaultAlarm"), "EnumerationAlarmList")
    for label, level in concerns.items():
        SubElement(levels, "EnumerationAlarm", {"alarmLevel": level, "enumerationLabel": label})


def _alarms(kind: Element, limits: tuple[Limit, ...], unit: Unit) -> None:
    if not limits:
        return
    ranges = SubElement(SubElement(kind, "DefaultAlarm"), "StaticAlarmRanges")
    for limit in limits:
        bound = "minInclusive" if limit.side == "low" else "maxInclusive"
        edge = {bound: f"{limit.value * unit.scale:.9g}"}
        SubElement(ranges, f"{limit.concern.capitalize()}Range", edge)


def _reports(containers: _Containers, layout: Layout, power_scale: int) -> None:
    # One container a parameter: its value has its own unit and range.
    parameter, value = layout.fields
    for number, name, default, low, high, text in d.PARAMETERS:
        unit, own = parse_unit(text, power_scale), name_of(_REPORT, name)
        where = {name_of(_REPORT, parameter.name): parameter.unit.labels[number]}
        entries = containers.add(own, _REPORT, where)
        add_integer(
            containers.types,
            "IntegerParameterType",
            f"{own}_type",
            value.bits,
            value.signed,
            unit,
            (low, high),
        )
        containers.entry(entries, own, f"default {default}, {low} to {high}, as sent")
