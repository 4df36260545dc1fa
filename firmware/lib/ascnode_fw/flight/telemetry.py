"""Telemetry packets, made by the dictionary's formats and put on the downlink queue."""

import struct

from ascnode_fw.flight import layout as f_
from ascnode_fw.flight import links
from ascnode_fw.wire import dictionary as d
from ascnode_fw.wire.packet import TM_BYTES, pack_tm

TYPE_CHECKING = False  # type checkers take it for true
if TYPE_CHECKING:
    from array import array
    from collections.abc import Sequence

_FORMATS = tuple(row[2] for row in d.TELEMETRY)
_SIZES = tuple(struct.calcsize(row[2]) for row in d.TELEMETRY)

OUTPUT_MAX = links.PACKET_MAX - TM_BYTES - _SIZES[d.TM_RESULT - 1]  # of a model, that an answer has room for


class Telemetry:
    """Builds packets in one buffer; the queue copies them."""

    def __init__(self, f: "array[int]", queue: links.Links) -> None:
        self.f = f
        self.queue = queue
        self._packet = memoryview(bytearray(links.PACKET_MAX))
        self._data = memoryview(bytearray(links.PACKET_MAX))

    def now(self, packet_id: int, priority: int, *values: int) -> None:
        f = self.f
        struct.pack_into(_FORMATS[packet_id - 1], self._data, 0, *values)
        self._push(packet_id, _SIZES[packet_id - 1], priority, 0, 0, f[f_.NOW_S], f[f_.NOW_MS])

    def with_data(self, packet_id: int, data: bytes, *values: int) -> None:
        # Housekeeping with something behind its fixed fields.
        f = self.f
        at = _SIZES[packet_id - 1]
        struct.pack_into(_FORMATS[packet_id - 1], self._data, 0, *values)
        self._data[at : at + len(data)] = data
        self._push(packet_id, at + len(data), links.HOUSEKEEPING, 0, 0, f[f_.NOW_S], f[f_.NOW_MS])

    def event(self, event: int, value: int) -> None:
        self.now(d.TM_EVENT, links.BEACON, event, d.EVENTS[event - 1][2], value)

    def report(self, packet_id: int, sequence: int, command: int, code: int, s: int, ms: int) -> None:
        # Acceptance or completion of a telecommand at a time that may lie within the period.
        struct.pack_into(_FORMATS[packet_id - 1], self._data, 0, sequence, command, code)
        self._push(packet_id, _SIZES[packet_id - 1], links.BEACON, 0, 0, s, ms)

    def result(
        self, output: "bytearray | bytes", deadline_s: int, s: int, ms: int, values: "Sequence[int]"
    ) -> None:
        # A job's answer: kept in custody until the ground has it.
        struct.pack_into(_FORMATS[d.TM_RESULT - 1], self._data, 0, *values)
        at = _SIZES[d.TM_RESULT - 1]
        self._data[at : at + len(output)] = output
        self._push(d.TM_RESULT, at + len(output), links.RESULT, deadline_s, 1, s, ms)

    def _push(
        self, packet_id: int, size: int, priority: int, deadline_s: int, custody: int, s: int, ms: int
    ) -> None:
        f = self.f
        f[f_.TM_COUNT] = (f[f_.TM_COUNT] + 1) & 0x3FFF
        n = pack_tm(self._packet, d.APID, f[f_.TM_COUNT], s, ms, packet_id, self._data[:size])
        self.queue.push(f, self._packet[:n], priority, deadline_s, custody)
