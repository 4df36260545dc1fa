"""Independent decoders read a whole run with nothing left over, and find what the host finds."""

import csv
import io
import random
import struct
import warnings
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from space_packet_parser.generators.ccsds import ccsds_generator
from space_packet_parser.xtce.definitions import XtcePacketDefinition
from spacepackets.ccsds.spacepacket import PacketType, SpacePacketHeader, parse_space_packets_from_deque

from ascnode.ground.layout import telemetry as layouts
from ascnode.ground.tables import csv_table
from ascnode.ground.xtce import xtce
from ascnode.session.telemetry import Packet, decode
from ascnode_fw.wire import dictionary as d
from ground.flown import made, packets, telemetry

KINDS = {row[1]: row for row in d.TELEMETRY}


def definition(folder: Path, power_scale: int = 0) -> XtcePacketDefinition:
    path = folder / "ascnode.xml"
    path.write_text(xtce(power_scale), encoding="utf-8")
    return XtcePacketDefinition.from_xtce(path)


def raw(parsed: Any, name: str) -> Any:
    value = parsed[name]
    return getattr(value, "raw_value", value)


def assert_same(parsed: Any, told: Packet) -> None:
    """What space-packet-parser found is what the host found."""
    assert raw(parsed, "SRC_SEQ_CTR") == told.count
    assert abs(float(parsed["TIME"]) - told.time_us / 1e6) <= 2**-17
    assert raw(parsed, "PACKET_ID") == told.kind
    names = {field: f"{told.name}_{field}" for field in told.fields}
    if told.name == "parameter":
        names["value"] = f"parameter_{parsed['parameter_parameter']}"
    assert {field: raw(parsed, name) for field, name in names.items()} == told.fields
    rest = next(layout for layout in layouts() if layout.name == told.name).rest_name
    assert bytes(parsed[f"{told.name}_{rest}"] if rest else b"") == told.data
    assert len(parsed) == 7 + 2 + len(told.fields) + bool(rest)  # and nothing else


def test_the_run_has_what_is_to_be_decoded() -> None:
    kinds = {decode(packet).name for packet in telemetry()}
    assert kinds == {"acceptance", "completion", "event", "housekeeping", "result"}
    assert {packet.node for packet in packets() if not packet.up} == {0, 1, 2}
    assert len(telemetry()) > 500
    assert {decode(p).fields["code"] for p in telemetry() if decode(p).name == "acceptance"} > {0}


def test_space_packet_parser_reads_the_run_with_our_xtce(tmp_path: Path) -> None:
    stream = b"".join(telemetry())
    parser = definition(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it warns of bits that are left over
        parsed = [parser.parse_bytes(packet) for packet in ccsds_generator(io.BytesIO(stream))]
    assert len(parsed) == len(telemetry())
    for one, packet in zip(parsed, telemetry(), strict=True):
        assert_same(one, decode(packet))


@pytest.mark.parametrize("kind", KINDS)
def test_space_packet_parser_reads_every_kind_of_packet(tmp_path: Path, kind: str) -> None:
    # Values from all over their range, where the field has no names for its values.
    dice = random.Random(kind)
    parser = definition(tmp_path)
    layout = next(one for one in layouts() if one.name == kind)
    for _ in range(50):
        values = [
            dice.choice(list(field.unit.labels)) if field.unit.labels else dice.randint(*field.range)
            for field in layout.fields
        ]
        data = struct.pack(KINDS[kind][2], *values) + (
            dice.randbytes(dice.randint(0, 20)) if layout.rest else b""
        )
        packet = made(layout.number, data)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert_same(parser.parse_bytes(packet), decode(packet))


def test_values_are_calibrated_to_units(tmp_path: Path) -> None:
    fields = (2, 5, 873, 300_000, 95_000, 35_615, 30_015, 120_000, 3, 7, 60, 11, 2, 1)
    packet = made(d.TM_HOUSEKEEPING, struct.pack(KINDS["housekeeping"][2], *fields), seconds=61)
    parsed = definition(tmp_path, power_scale=2).parse_bytes(packet)
    assert parsed["housekeeping_mode"] == "COMPUTE"
    assert parsed["housekeeping_charge"] == pytest.approx(87.3)
    assert parsed["housekeeping_accelerator"] == pytest.approx(356.15)  # 83 C
    assert parsed["housekeeping_array"] == pytest.approx(1200.0)  # k = 2: words of 4 mW
    assert parsed["TIME"] == pytest.approx(61.25)


def test_ccsdspy_reads_the_run_with_our_csv() -> None:
    import ccsdspy

    table = list(csv.DictReader(io.StringIO(csv_table())))
    stream = io.BytesIO(b"".join(telemetry()))
    headers = ccsdspy.utils.read_primary_headers(stream)
    told = [decode(packet) for packet in telemetry()]
    assert headers["CCSDS_SEQUENCE_COUNT"].tolist() == [one.count for one in told]
    assert set(headers["CCSDS_APID"].tolist()) == {d.APID}
    for number, name, _, _, rest in d.TELEMETRY:
        mine = [(one, packet) for one, packet in zip(told, telemetry(), strict=True) if one.name == name]
        if not mine:
            continue
        rows = [row for row in table if (row["table"], row["id"]) == ("telemetry", str(number))]
        definition = ccsdspy.VariableLength(_ccsdspy_fields(ccsdspy, rows, bool(rest)))
        found = definition.load(io.BytesIO(b"".join(packet for _, packet in mine)))
        assert set(found["PACKET_ID"].tolist()) == {number}
        for field in mine[0][0].fields:
            assert found[field].tolist() == [one.fields[field] for one, _ in mine], (name, field)
        if rest:
            assert [np.asarray(one, dtype=np.uint8).tobytes() for one in found["REST"]] == [
                one.data for one, _ in mine
            ]


def _ccsdspy_fields(ccsdspy: Any, rows: list[dict[str, str]], rest: bool) -> list[Any]:
    field = ccsdspy.PacketField
    fields = [field("S", "uint", 32), field("FRACTION", "uint", 16), field("PACKET_ID", "uint", 8)]
    fields += [
        field(row["field"], "int" if row["signed"] == "true" else "uint", int(row["bits"]))
        for row in rows
        if row["bits"]
    ]
    if rest:
        fields.append(ccsdspy.PacketArray(name="REST", data_type="uint", bit_length=8, array_shape="expand"))
    return fields


def test_spacepackets_cuts_the_stream_into_the_same_packets() -> None:
    everything = [packet.data for packet in packets()]
    found = parse_space_packets_from_deque(deque([b"".join(everything)]), [_packet_id(p) for p in everything])
    assert found.tm_list == everything
    assert found.skipped_ranges == []
    assert found.scanned_bytes == sum(map(len, everything))
    for packet in packets():
        header = SpacePacketHeader.unpack(packet.data)
        assert header.apid == d.APID
        assert header.packet_type == (PacketType.TC if packet.up else PacketType.TM)
        assert header.sec_header_flag
        assert header.packet_len == len(packet.data)


def _packet_id(packet: bytes) -> Any:
    return SpacePacketHeader.unpack(packet).packet_id
