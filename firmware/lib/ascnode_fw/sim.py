"""The SIM plane: the host owns time and sky, and the node advances through events to where it is told.

Bench only. An exchange holds events with their times and a time to advance to; each event is applied before the
first control period at or after its time, and the answer holds what the radio sent and a CRC of the state. Requests are
numbered: one that comes again, since its answer was lost, is answered again and changes nothing.
"""

import struct
from array import array

from ascnode_fw import link
from ascnode_fw.flight import layout as f_
from ascnode_fw.flight.links import CUSTODY_SENDS
from ascnode_fw.node import UNEXPECTED
from ascnode_fw.plant import layout as p_
from ascnode_fw.wire import dictionary as d
from ascnode_fw.wire.frame import MAX_BODY

TYPE_CHECKING = False  # type checkers take it for true
if TYPE_CHECKING:
    from ascnode_fw.node import Node
    from ascnode_fw.protocols import Engine

_HEADER = link.SIM_BYTES + struct.calcsize(link.DONE_FORMAT)
_EXCHANGE_BYTES = link.SIM_BYTES + struct.calcsize(link.EXCHANGE_FORMAT)
_EVENT_BYTES = struct.calcsize(link.EVENT_FORMAT)
_OUTPUT_BYTES = struct.calcsize(link.OUTPUT_FORMAT)
_PLACE_BYTES = link.SIM_BYTES + struct.calcsize(link.PLACE_FORMAT)
_EVENT_SIZES = {
    link.ENVIRONMENT: struct.calcsize(link.ENVIRONMENT_FORMAT),
    link.RADIO: 1,
    link.POKE: struct.calcsize(link.POKE_FORMAT),
    link.SENSORS: struct.calcsize(link.SENSORS_FORMAT),
    link.SENSOR_FAULT: struct.calcsize(link.SENSOR_FAULT_FORMAT),
}


class SimPlane:
    """Bench-only services of one node."""

    def __init__(self, node: "Node") -> None:
        self.node = node
        self.lockstep = False
        self.session = 0
        self.number = 0  # of the last request that was answered
        self._asked = 0  # the request being obeyed; 0 when it has no number
        self._events = memoryview(bytearray(link.EVENTS_MAX))
        self._events_size = 0
        self._taken = 0  # frames of the exchange that is coming in
        self._at = 0  # the next event
        self._replies = memoryview(bytearray(link.REPLY_FRAMES * MAX_BODY))
        self._sizes = array("H", [0] * link.REPLY_FRAMES)
        self._frames = 0  # of the answer, that are complete
        self._size = _HEADER  # of the one that is being filled
        self._outputs = 0
        self._log = bytearray(0)  # outcomes of the accelerator, where there is one
        self._logged = 0  # bytes of them
        if node.computer.engine is not None:
            self._log = bytearray(link.OUTCOMES_MAX * link.OUTCOME_BYTES)
        self._steps = 0
        self._applied = 0

    # --- requests

    def open(self, nonce: int) -> int:
        # The session after a hello: a later one opens another; one that the wire held back changes nothing.
        if not self.session or 0 < (nonce - self.session & 0xFFFF) < 0x8000:
            self.session = nonce
            self.number = 0
            self.forget_events()
        return self.session

    def handle(self, body: memoryview) -> None:
        self._asked = 0
        _, kind, session, number = struct.unpack_from(link.SIM_FORMAT, body, 0)
        if not session:
            self._obey(kind, body, 0)
        elif session == self.session:
            if number == self.number:
                self._answer()
            elif number == self.number % link.NUMBERS + 1:
                self._obey(kind, body, number)
        elif not self.session:
            self.node.hello()  # the host has not noticed a reset

    def _obey(self, kind: int, body: memoryview, number: int) -> None:
        self._asked = number
        if kind == link.EXCHANGE and not number and not body[link.SIM_BYTES + 1]:
            self.forget_events()
        if kind == link.EXCHANGE and body[link.SIM_BYTES] & link.MORE:
            self._collect(body)
            return
        self._frames = 0
        if kind == link.EXCHANGE:
            self._exchange(body)
        elif kind == link.BEGIN:
            self._begin(body)
        elif kind == link.SNAPSHOT:
            self._snapshot(body)
        elif kind == link.RESTORE:
            self._restore(body)
        else:
            raise ValueError("unknown SIM frame")

    def refuse(self, why: str) -> None:
        # An exception has reached the node: what was asked for does not happen.
        self.forget_events()
        if self._asked:
            self._frames = 0
            self._reply(d.LINK, link.REFUSED, why.encode()[:200])
        else:
            self.node.refuse(why)

    def forget_events(self) -> None:
        self._events_size = self._taken = 0

    def _session(self) -> int:
        return self.session if self._asked else 0

    def _reply(self, plane: int, kind: int, data: bytes) -> None:
        # An answer of one frame.
        struct.pack_into(link.SIM_FORMAT, self._replies, 0, plane, kind, self._session(), self._asked)
        self._replies[link.SIM_BYTES : link.SIM_BYTES + len(data)] = data
        self._end(link.SIM_BYTES + len(data))

    def _end(self, size: int) -> None:
        # The answer is complete; its last frame has that size.
        self._sizes[self._frames] = size
        self._frames += 1
        if self._asked:
            self.number = self._asked
        self._answer()

    def _answer(self) -> None:
        for i in range(self._frames):
            self.node.send(self._replies[i * MAX_BODY : i * MAX_BODY + self._sizes[i]])

    # --- time

    def _begin(self, body: memoryview) -> None:
        s, ms, age_days, cause, boots, flags = struct.unpack_from(link.BEGIN_FORMAT, body, link.SIM_BYTES)
        if s >= 1 << 30 or ms > 999 or age_days > p_.AGE_DAYS_MAX:
            raise ValueError("begin out of range")
        self.node.senses.host(bool(flags & link.HOSTED))
        self.node.boot(s, ms, age_days, cause, boots)
        self.forget_events()
        self.lockstep = True
        self._reply(d.SIM, link.BEGUN, struct.pack(">I", self.node.digest()))

    def _exchange(self, body: memoryview) -> None:
        flags, part, until_s, until_ms, count = struct.unpack_from(link.EXCHANGE_FORMAT, body, link.SIM_BYTES)
        if part != self._taken:
            return  # a frame before it was lost: all of it will come again
        if not self.lockstep:
            raise ValueError("exchange before begin")
        if until_s - self.node.computer.f[f_.NOW_S] > link.EXCHANGE_MAX_S:
            raise ValueError("exchange of more than an hour")
        self._keep(body[_EXCHANGE_BYTES:], count)
        self._start()
        self._steps = self._applied = self._at = 0
        stop = self._advance(until_s, until_ms, flags & link.STOP_ON_CUSTODY)
        self.forget_events()
        if self._size + self._logged > MAX_BODY:
            self._next_frame()
        self._finish(link.DONE, stop, self.node.digest())
        self._end(self._size + self._put_log())

    def _collect(self, body: memoryview) -> None:
        # Events of an exchange whose last frame is still to come.
        _, part, _, _, count = struct.unpack_from(link.EXCHANGE_FORMAT, body, link.SIM_BYTES)
        if part == self._taken:
            self._keep(body[_EXCHANGE_BYTES:], count)
            self._taken += 1
        head = bytes((d.LINK, link.CREDIT))
        self.node.send(head + struct.pack(">HHB", self._session(), self._asked, self._taken))

    def _keep(self, data: memoryview, count: int) -> None:
        # Keeps the events of one frame, when they are whole and there is room.
        at = 0
        for _ in range(count):
            at = self._whole(data, at)
        end = self._events_size + at
        if at != len(data) or end > len(self._events):
            raise ValueError("events of a wrong length, or too many")
        self._events[self._events_size : end] = data
        self._events_size = end

    def _whole(self, data: memoryview, at: int) -> int:
        # The end of the event there.
        start = at + _EVENT_BYTES
        if start > len(data):
            raise ValueError("event cut short")
        size: int
        _, _, kind, size = struct.unpack_from(link.EVENT_FORMAT, data, at)
        if _EVENT_SIZES.get(kind, size) != size:
            raise ValueError("event of a wrong length")
        return start + size

    def _advance(self, until_s: int, until_ms: int, stop_on_custody: int) -> int:
        # Steps while the period's start is before the time; why it stopped.
        f = self.node.computer.f
        counters = self.node.computer.links.counters
        in_custody = counters[CUSTODY_SENDS]
        # Counted, since an upset may turn the clock back.
        left = self._periods(until_s, until_ms)
        while left > 0 and (f[f_.NOW_S] < until_s or (f[f_.NOW_S] == until_s and f[f_.NOW_MS] < until_ms)):
            left -= 1
            self._steps += 1
            if not self._period():
                return link.RECOVERED
            if stop_on_custody and counters[CUSTODY_SENDS] != in_custody:
                return link.CUSTODY_SENT
            if self.node.wants_reset():
                return link.RESETTING
            if self._frames or self._logged >= link.OUTCOMES_FULL * link.OUTCOME_BYTES:
                return link.OUTPUT_FULL
        return link.REACHED

    def _period(self) -> bool:
        # One control period and the events before it; False when it failed, and a watchdog would have bitten.
        try:
            while self._at < self._events_size and self._due(self._at):
                self._applied += 1
                self._apply()
            self.node.step()
        except UNEXPECTED:
            self.node.recover()
            return False
        return True

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

    def _apply(self) -> None:
        # Applies the next event.
        kind: int
        size: int
        kind, size = struct.unpack_from(">BH", self._events, self._at + 6)
        start = self._at + _EVENT_BYTES
        self._at = start + size
        data = self._events[start : self._at]
        if kind == link.PACKET:
            self.node.receive(data)
        elif kind == link.ENVIRONMENT:
            self._environment(data)
        elif kind == link.RADIO:
            self.node.computer.f[f_.RADIO_LOCK] = data[0] & 1
        elif kind == link.POKE:
            self._poke(data)
        elif kind == link.SENSORS:
            self.node.senses.give(struct.unpack_from(link.SENSORS_FORMAT, data, 0))
        elif kind == link.SENSOR_FAULT:
            self.node.senses.disturb(*struct.unpack_from(link.SENSOR_FAULT_FORMAT, data, 0))

    def _environment(self, data: memoryview) -> None:
        illumination, cos_array, cos_radiator, albedo = struct.unpack_from(link.ENVIRONMENT_FORMAT, data, 0)
        plant = self.node.plant
        plant.set_input(p_.ILLUMINATION, illumination)
        plant.set_input(p_.COS_ARRAY, cos_array)
        plant.set_input(p_.COS_RADIATOR, cos_radiator)
        plant.set_input(p_.ALBEDO, albedo)

    def _poke(self, data: memoryview) -> None:
        buffer, word, mask = struct.unpack_from(link.POKE_FORMAT, data, 0)
        if buffer == link.WEIGHTS:
            self._poke_weights(word, mask)
            return
        buffers = self.node.buffers()
        if buffer < len(buffers) and word < len(buffers[buffer][1]):
            if isinstance(buffers[buffer][1], bytearray):
                mask &= 0xFF
            buffers[buffer][1][word] ^= mask

    def _poke_weights(self, at: int, mask: int) -> None:
        # Where the weights in use lie: in the accelerator, or in RAM, though to Python they are a constant.
        engine = self.node.computer.engine
        if engine is not None:
            engine.upset(at, mask)
            return
        image = getattr(self.node.accelerator, "image", b"")
        if at < len(image):
            import uctypes

            uctypes.bytearray_at(uctypes.addressof(image), len(image))[at] ^= mask & 0xFF

    # --- outputs

    def output(self, packet: memoryview, s: int, ms: int) -> None:
        # The radio sent a packet.
        if self._size + _OUTPUT_BYTES + len(packet) > MAX_BODY or self._outputs == 255:
            self._next_frame()
        at = self._frames * MAX_BODY + self._size
        end = at + _OUTPUT_BYTES + len(packet)
        struct.pack_into(link.OUTPUT_FORMAT, self._replies, at, s, ms, len(packet))
        self._replies[at + _OUTPUT_BYTES : end] = packet
        self._size += _OUTPUT_BYTES + len(packet)
        self._outputs += 1

    def outcome(self, engine: "Engine") -> None:
        # What the accelerator came to: not to be foreseen, so the host is told.
        values = (engine.code, engine.repairs, min(255, engine.resent), engine.measured)
        struct.pack_into(link.OUTCOME_FORMAT, self._log, self._logged, *values)
        self._logged += link.OUTCOME_BYTES

    def _put_log(self) -> int:
        # Behind the outputs of the last frame; its size.
        at = self._frames * MAX_BODY + self._size
        self._replies[at : at + self._logged] = memoryview(self._log)[: self._logged]
        return self._logged

    def _next_frame(self) -> None:
        # The last frame is the exchange's end.
        if self._frames == link.REPLY_FRAMES - 1:
            raise ValueError("more output than a period can have")
        self._finish(link.PART, 0, 0)
        self._sizes[self._frames] = self._size
        self._frames += 1
        self._size = _HEADER
        self._outputs = 0

    def _start(self) -> None:
        # An answer with nothing in it yet.
        self._frames = self._outputs = self._logged = 0
        self._size = _HEADER

    def _finish(self, kind: int, stop: int, crc: int) -> None:
        # Writes the head of the frame that is being filled.
        f = self.node.computer.f
        at = self._frames * MAX_BODY
        struct.pack_into(link.SIM_FORMAT, self._replies, at, d.SIM, kind, self._session(), self._asked)
        struct.pack_into(
            link.DONE_FORMAT,
            self._replies,
            at + link.SIM_BYTES,
            self._frames,
            stop,
            self._steps,
            self._applied,
            f[f_.NOW_S] & 0x3FFFFFFF,  # an upset may have made it anything
            f[f_.NOW_MS] & 0x3FF,
            crc,
            f[f_.ACCEL_ON] & 1,
            f[f_.ACCEL_PW] & 0x3FFFFFFF,
            f[f_.EXTRA_PW] & 0x3FFFFFFF,
            self._outputs,
        )

    # --- state, for snapshots and for naming what differs

    def _snapshot(self, body: memoryview) -> None:
        index, at = struct.unpack_from(link.PLACE_FORMAT, body, link.SIM_BYTES)
        buffer = self.node.buffers()[index][1]
        word = 1 if isinstance(buffer, bytearray) else 4
        chunk = bytes(memoryview(buffer)[at // word : (at + link.CHUNK_MAX) // word])
        self._reply(d.SIM, link.CHUNK, bytes(body[link.SIM_BYTES : _PLACE_BYTES]) + chunk)

    def _restore(self, body: memoryview) -> None:
        index, at = struct.unpack_from(link.PLACE_FORMAT, body, link.SIM_BYTES)
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
        self._reply(d.SIM, link.RESTORED, bytes(body[link.SIM_BYTES : _PLACE_BYTES]))
