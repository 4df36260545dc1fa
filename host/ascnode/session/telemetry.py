"""Telemetry packets to named fields, by the dictionary."""

import struct
from dataclasses import dataclass

from ascnode.errors import SessionError
from ascnode_fw.wire import dictionary as d
from ascnode_fw.wire.packet import PacketError, unpack_tm

_TELEMETRY = {row[0]: row for row in d.TELEMETRY}
EVENT_NAMES = {row[0]: row[1] for row in d.EVENTS}
CODE_NAMES = dict(d.CODES)


@dataclass(frozen=True)
class Packet:
    """A decoded telemetry packet; `data` is what follows the fixed fields (a result's output)."""

    time_us: int
    count: int
    kind: int
    name: str
    fields: dict[str, int]
    data: bytes


def decode(packet: bytes) -> Packet:
    """SessionError when the packet is not one of the dictionary's."""
    try:
        tm = unpack_tm(memoryview(packet))
        number, name, layout, names, _ = _TELEMETRY[tm.packet_id]
        values = struct.unpack_from(layout, tm.data, 0)
    except PacketError as e:
        raise SessionError(f"a telemetry packet does not decode: {e}") from None
    except KeyError:
        raise SessionError(f"telemetry packet {tm.packet_id} is not in the dictionary") from None
    except struct.error:
        raise SessionError(f"telemetry packet {name} of {len(packet)} bytes is cut short") from None
    fields = {field: value for (field, _), value in zip(names, values, strict=True)}
    rest = bytes(tm.data[struct.calcsize(layout) :])
    return Packet((tm.seconds * 1000 + tm.ms) * 1000, tm.packet_count, number, name, fields, rest)
