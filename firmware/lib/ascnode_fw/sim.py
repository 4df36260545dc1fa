"""The SIM plane: the host owns time and sky, and the node advances through events to where it is told.

Bench only. An exchange holds events with their times and a time to advance to; each event is applied before the
first control period at or after its time, and the reply holds what the radio sent and a CRC of the state.
"""

import struct

from ascnode_fw import link
from ascnode_fw.flight import layout as f_
from ascnode_fw.flight.links import CUSTODY_SENDS
from ascnode_fw.plant import layout as p_
from ascnode_fw.wire import dictionary as d
from ascnode_fw.wire.frame import MAX_BODY

TYPE_CHECKING = False  # type checkers take it for true
if TYPE_CHECKING:
    from ascnode_fw.node import Node

_HEADER = 2 + struct.calcsize(link.DONE_FORMAT)
_EXCHANGE_BYTES = 2 + struct.calcsize(link.EXCHANGE_FORMAT)
_EVENT_BYTES = struct.calcsize(link.EVENT_FORMAT)
_OUTPUT_BYTES = struct.calcsize(link.OUTPUT_FORMAT)
_PLACE_BYTES = 2 + struct.calcsize(link.PLACE_FORMAT)


class SimPlane:
    """Bench-only services of one node."""

    def __init__(self, node: "Node") -> None:
        self.node = node
        self.lockstep = False
        self.consumed = 0
        self._sequence = 0
        self._events = memoryview(bytearray(link.EVENTS_MAX))
        self._events_size = 0
        self._body = memoryview(bytearray(MAX_BODY))
        self._size = _HEADER
        self._outputs = 0
        self._sent = 0
        self._steps = 0
        self._applied = 0

    def handle(self, body: memoryview) -> None:
        self.consumed += len(body)
        handlers = (self._begin, self._exchange, self._snapshot, self._restore)
        if not link.BEGIN <= body[1] <= link.RESTORE:
            raise ValueError("unknown SIM frame")
        handlers[body[1] - link.BEGIN](body)

    def forget_events(self) -> None:
        # A frame was refused: the exchange that it belongs to does not happen.
        self._events_size = 0

    # --- time

    def _begin(self, body: memoryview) -> None:
        s, ms, age_days, cause, boots = struct.unpack_from(link.BEGIN_FORMAT, body, 2)
        if s >= 1 << 30 or ms > 999 or age_days > p_.AGE_DAYS_MAX:
            raise ValueError("begin out of range")
        self.node.boot(s, ms, age_days, cause, boots)
        self._events_size = 0
        self.lockstep = True
        self.node.send(bytes((d.SIM, link.BEGUN)) + struct.pack(">I", self.node.digest()))

    def _exchange(self, body: memoryview) -> None:
        sequence, flags, until_s, until_ms, count = struct.unpack_from(link.EXCHANGE_FORMAT, body, 2)
        if not self.lockstep:
            raise ValueError("exchange before begin")
        if until_s - self.node.computer.f[f_.NOW_S] > link.EXCHANGE_MAX_S:
            raise ValueError("exchange of more than an hour")
        self._collect(body[_EXCHANGE_BYTES:], count)
        if flags & link.MORE:
            self.node.send(bytes((d.LINK, link.CREDIT)) + struct.pack(">I", self.consumed))
            return
        self._sequence = sequence
        self._start()
        self._sent = self._steps = self._applied = 0
        stop = self._advance(until_s, until_ms, flags & link.STOP_ON_CUSTODY)
        self._events_size = 0
        self._flush(link.DONE, stop, self.node.digest())

    def _collect(self, data: memoryview, count: int) -> None:
        # Keeps the events of one frame, when they are whole and there is room.
        at = 0
        for _ in range(count):
            if at + _EVENT_BYTES > len(data):
                raise ValueError("event cut short")
            at += _EVENT_BYTES + (data[at + 7] << 8 | data[at + 8])
        end = self._events_size + at
        if at != len(data) or end > len(self._events):
            raise ValueError("events of a wrong length, or too many")
        self._events[self._events_size : end] = data
        self._events_size = end

    def _advance(self, until_s: int, until_ms: int, stop_on_custody: int) -> int:
        # Steps while the period's start is before the time; why it stopped.
        node = self.node
        f = node.computer.f
        counters = node.computer.links.counters
        in_custody = counters[CUSTODY_SENDS]
        at = 0
        # Counted, since an upset may turn the clock back.
        left = self._periods(until_s, until_ms)
        while left > 0 and (f[f_.NOW_S] < until_s or (f[f_.NOW_S] == until_s and f[f_.NOW_MS] < until_ms)):
            left -= 1
            while at < self._events_size and self._due(at):
                at = self._apply(at)
                self._applied += 1
            node.step()
            self._steps += 1
            if stop_on_custody and counters[CUSTODY_SENDS] != in_custody:
                return link.CUSTODY_SENT
            if self._sent > link.OUTPUT_MAX:
                return link.OUTPUT_FULL
        return link.REACHED

    def _periods(self, until_s: int, until_ms: int) -> int:
        # How many periods lie before that time; at most an hour of them.
        f = self.node.computer.f
        span_ms = (until_s - f[f_.NOW_S]) * 1000 + until_ms - f[f_.NOW_MS]
        period_ms = self.node.period_ms()
        return (span_ms + period_ms - 1) // period_ms

    def _due(self, at: int) -> bool:
        f = self.node.computer.f
        s: int
        s, ms = struct.unpack_from(">IH", self._events, at)
        return s < f[f_.NOW_S] or (s == f[f_.NOW_S] and ms <= f[f_.NOW_MS])

    # --- events

    def _apply(self, at: int) -> int:
        # Applies the event there; the place of the next one.
        kind: int
        size: int
        kind, size = struct.unpack_from(">BH", self._events, at + 6)
        start = at + _EVENT_BYTES
        data = self._events[start : start + size]
        if kind == link.PACKET:
            self.node.receive(data)
        elif kind == link.ENVIRONMENT:
            self._environment(data)
        elif kind == link.RADIO:
            self.node.computer.f[f_.RADIO_LOCK] = data[0] & 1
        elif kind == link.POKE:
            self._poke(data)
        return start + size

    def _environment(self, data: memoryview) -> None:
        illumination, cos_array, cos_radiator, albedo = struct.unpack_from(link.ENVIRONMENT_FORMAT, data, 0)
        plant = self.node.plant
        plant.set_input(p_.ILLUMINATION, illumination)
        plant.set_input(p_.COS_ARRAY, cos_array)
        plant.set_input(p_.COS_RADIATOR, cos_radiator)
        plant.set_input(p_.ALBEDO, albedo)

    def _poke(self, data: memoryview) -> None:
        buffer, word, mask = struct.unpack_from(link.POKE_FORMAT, data, 0)
        buffers = self.node.buffers()
        if buffer < len(buffers) and word < len(buffers[buffer][1]):
            if isinstance(buffers[buffer][1], bytearray):
                mask &= 0xFF
            buffers[buffer][1][word] ^= mask

    # --- outputs

    def output(self, packet: memoryview, s: int, ms: int) -> None:
        # The radio sent a packet.
        end = self._size + _OUTPUT_BYTES + len(packet)
        if end > MAX_BODY or self._outputs == 255:
            self._flush(link.PART, 0, 0)
            end = self._size + _OUTPUT_BYTES + len(packet)
        struct.pack_into(link.OUTPUT_FORMAT, self._body, self._size, s, ms, len(packet))
        self._body[self._size + _OUTPUT_BYTES : end] = packet
        self._size = end
        self._outputs += 1
        self._sent += len(packet)

    def _start(self) -> None:
        self._size = _HEADER
        self._outputs = 0

    def _flush(self, kind: int, stop: int, crc: int) -> None:
        f = self.node.computer.f
        self._body[0] = d.SIM
        self._body[1] = kind
        struct.pack_into(
            link.DONE_FORMAT,
            self._body,
            2,
            self._sequence,
            stop,
            self._steps,
            self._applied,
            f[f_.NOW_S],
            f[f_.NOW_MS],
            crc,
            self.consumed,
            self._outputs,
        )
        self.node.send(self._body[: self._size])
        self._start()

    # --- state, for snapshots and for naming what differs

    def _snapshot(self, body: memoryview) -> None:
        index, at = struct.unpack_from(link.PLACE_FORMAT, body, 2)
        buffer = self.node.buffers()[index][1]
        word = 1 if isinstance(buffer, bytearray) else 4
        chunk = bytes(memoryview(buffer)[at // word : (at + link.CHUNK_MAX) // word])
        self.node.send(bytes((d.SIM, link.CHUNK)) + bytes(body[2:_PLACE_BYTES]) + chunk)

    def _restore(self, body: memoryview) -> None:
        index, at = struct.unpack_from(link.PLACE_FORMAT, body, 2)
        name, buffer, _ = self.node.buffers()[index]
        data = body[_PLACE_BYTES:]
        if isinstance(buffer, bytearray):
            if at + len(data) > len(buffer):
                raise ValueError("restore past the end of " + name)
            buffer[at : at + len(data)] = data
        else:
            for i in range(0, len(data), 4):
                buffer[(at + i) // 4] = struct.unpack_from("<i", data, i)[0]
        self.node.restored()
        self.node.send(bytes((d.SIM, link.RESTORED)) + bytes(body[2:_PLACE_BYTES]))
