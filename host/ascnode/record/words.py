"""A frame as named fields, so that two of them can be compared in words."""

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from itertools import zip_longest
from typing import Any

from ascnode.errors import SessionError
from ascnode.session import messages, telemetry
from ascnode_fw import link
from ascnode_fw.wire import dictionary as d
from ascnode_fw.wire.packet import unpack_tc

Field = tuple[str, Any]

KINDS = {
    (d.SIM, link.BEGIN): "begin",
    (d.SIM, link.EXCHANGE): "exchange",
    (d.SIM, link.SNAPSHOT): "snapshot",
    (d.SIM, link.RESTORE): "restore",
    (d.SIM, link.BEGUN): "answer to begin",
    (d.SIM, link.DONE): "end of exchange",
    (d.SIM, link.PART): "part of exchange",
    (d.SIM, link.CHUNK): "state",
    (d.SIM, link.RESTORED): "answer to restore",
    (d.LINK, link.HELLO): "hello",
    (d.LINK, link.IDENTITY): "identity",
    (d.LINK, link.CREDIT): "credit",
    (d.LINK, link.REFUSED): "refusal",
    (d.LINK, link.TO_REPL): "leave for the REPL",
}
_STOPS = {link.REACHED: "reached", link.CUSTODY_SENT: "custody sent", link.OUTPUT_FULL: "output full"} | {
    link.RECOVERED: "recovered"
}
_EVENTS = {
    link.PACKET: "packet",
    link.ENVIRONMENT: "light",
    link.RADIO: "radio lock",
    link.POKE: "upset",
    link.SENSORS: "sensor words",
    link.SENSOR_FAULT: "sensor fault",
}
_COMMANDS = {row[0]: row[1] for row in d.COMMANDS}
_BEGIN = ("s", "ms", "age days", "reset cause", "boots", "flags")


def kind_of(body: bytes) -> str:
    """What a frame is, in words."""
    return KINDS.get((body[0], body[1]), f"frame {body[0]}/{body[1]}") if len(body) >= 2 else "empty frame"


def content(body: bytes) -> bytes:
    """A SIM frame without session and number, which are the cable's."""
    return body[:2] + body[link.SIM_BYTES :] if body[:1] == bytes((d.SIM,)) else body


def difference(one: bytes, other: bytes, names: Sequence[str] = ("in A", "in B")) -> str:
    """The first field in which two frames differ, with both values; "" when they do not (envelopes aside)."""
    if content(one) == content(other):
        return ""
    kinds = kind_of(one), kind_of(other)
    if kinds[0] != kinds[1]:
        return f"there is {_a(kinds[0])} {names[0]} and {_a(kinds[1])} {names[1]}"
    for mine, its in zip_longest(_fields(one), _fields(other)):
        if mine != its:
            return f"{kinds[0]}: {_differing(mine, its, names)}"
    at = next(i for i, pair in enumerate(zip_longest(content(one), content(other))) if pair[0] != pair[1])
    return f"{kinds[0]}: byte {at} differs, of {len(one)} {names[0]} and {len(other)} {names[1]}"


def _a(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _differing(mine: Field | None, its: Field | None, names: Sequence[str]) -> str:
    if mine is None or its is None:
        there, where = (its, names[1]) if mine is None else (mine, names[0])
        assert there is not None  # one of them is
        return f"{there[0]} ({there[1]}) is {where} alone"
    if mine[0] != its[0]:
        return f"{mine[0]} ({mine[1]}) {names[0]} stands where {its[0]} ({its[1]}) does {names[1]}"
    return f"{mine[0]} is {mine[1]} {names[0]} and {its[1]} {names[1]}"


def frame_fields(body: bytes) -> list[Field]:
    """Names and values of a frame in their order; what cannot be read is left out."""
    return list(_fields(body))


def _fields(body: bytes) -> Iterator[Field]:
    key = (body[0], body[1]) if len(body) >= 2 else (0, 0)
    data = body[link.SIM_BYTES :]
    try:
        if key in ((d.SIM, link.DONE), (d.SIM, link.PART)):
            yield from _done(body)
        elif key == (d.SIM, link.EXCHANGE):
            yield from _exchange(data)
        elif key == (d.SIM, link.BEGIN):
            yield from zip(_BEGIN, struct.unpack(link.BEGIN_FORMAT, data), strict=True)
        elif key == (d.SIM, link.BEGUN):
            yield "state CRC", f"0x{int.from_bytes(data, 'big'):08x}"
        elif key[0] == d.SIM and len(data) >= struct.calcsize(link.PLACE_FORMAT):
            yield from _place(data)
    except (struct.error, SessionError):
        return  # bytes are compared instead


def _done(body: bytes) -> Iterator[Field]:
    done = messages.parse_done(body)
    for one in fields(done):
        value = getattr(done, one.name)
        if one.name == "stop":
            yield "why it stopped", _STOPS.get(value, value)
        elif one.name == "crc":
            continue  # it says that something differs, and comes after what does
        elif one.name not in ("outputs", "outcomes"):
            yield one.name, value
    for number, output in enumerate(done.outputs):
        yield f"packet {number}: sent", f"{output.time_us / 1e6:.3f} s"
        yield from _telemetry(f"packet {number}", output.packet)
    for number, outcome in enumerate(done.outcomes):
        for name, value in outcome._asdict().items():
            yield f"use {number} of the accelerator: {name}", value
    yield "state CRC", f"0x{done.crc:08x}"


def _telemetry(where: str, packet: bytes) -> Iterator[Field]:
    try:
        one = telemetry.decode(packet)
    except SessionError:
        yield f"{where}: bytes", packet.hex()
        return
    yield f"{where}: kind", one.name
    yield f"{where}: count", one.count
    yield f"{where}: made", f"{one.time_us / 1e6:.3f} s"
    for name, value in one.fields.items():
        yield f"{where} ({one.name}): {name}", value
    if one.data:
        yield f"{where} ({one.name}): data", one.data.hex()


def _exchange(data: bytes) -> Iterator[Field]:
    flags, part, s, ms, count = struct.unpack_from(link.EXCHANGE_FORMAT, data)
    yield from (("flags", flags), ("part", part), ("until", f"{s}.{ms:03d} s"), ("events", count))
    for number, (time_s, kind, payload) in enumerate(events(data)):
        name = f"event {number}"
        yield f"{name}: time", f"{time_s:.3f} s"
        yield f"{name}: kind", _EVENTS.get(kind, kind)
        yield from _event(f"{name} ({_EVENTS.get(kind, kind)})", kind, payload)


def events(data: bytes) -> Iterator[tuple[float, int, bytes]]:
    """(time s, kind, data) of the events of an exchange, from its bytes after the SIM header.

    struct.error when it is cut short.
    """
    *_, count = struct.unpack_from(link.EXCHANGE_FORMAT, data)
    at = struct.calcsize(link.EXCHANGE_FORMAT)
    for _ in range(count):
        s, ms, kind, size = struct.unpack_from(link.EVENT_FORMAT, data, at)
        at += struct.calcsize(link.EVENT_FORMAT) + size
        if at > len(data):
            raise struct.error("event cut short")
        yield s + ms / 1000, kind, data[at - size : at]


def _event(where: str, kind: int, payload: bytes) -> Iterable[Field]:
    if kind == link.PACKET and len(payload) > 0:
        try:
            command = unpack_tc(memoryview(payload))
        except (ValueError, IndexError):
            return [(f"{where}: bytes", payload.hex())]
        return [
            (f"{where}: command", _COMMANDS.get(command.command, command.command)),
            (f"{where}: sequence", command.sequence),
            (f"{where}: bytes", payload.hex()),
        ]
    return [(f"{where}: bytes", payload.hex())]


def _place(data: bytes) -> Iterator[Field]:
    buffer, offset = struct.unpack_from(link.PLACE_FORMAT, data)
    words = data[struct.calcsize(link.PLACE_FORMAT) :]
    yield from (("buffer", buffer), ("offset", offset))
    for at in range(0, len(words), 4):
        yield f"bytes {offset + at}..{offset + at + 3}", words[at : at + 4].hex()
