"""SIM and LINK frames as the host sees them; the numbers and formats are the firmware's (ascnode_fw.link).

SIM frames are made without session and number (zeros): what a node obeys that has no wire between. `numbered` puts
them in.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from ascnode.errors import SessionError
from ascnode_fw import link
from ascnode_fw.wire import dictionary as d

_SIM_BYTES = link.SIM_BYTES
_DONE_BYTES = struct.calcsize(link.DONE_FORMAT)
_OUTPUT_BYTES = struct.calcsize(link.OUTPUT_FORMAT)
_IDENTITY_BYTES = struct.calcsize(link.IDENTITY_FORMAT)
_OUTCOME = struct.Struct(link.OUTCOME_FORMAT)
_PLACE_BYTES = struct.calcsize(link.PLACE_FORMAT)


@dataclass(frozen=True)
class Event:
    """Something that happens to a board at a time (us since the scenario's epoch)."""

    time_us: int
    kind: int
    data: bytes

    def pack(self) -> bytes:
        # up to the next ms: an event never comes early
        s, ms = divmod(-(-self.time_us // 1000), 1000)
        return struct.pack(link.EVENT_FORMAT, s, ms, self.kind, len(self.data)) + self.data


def environment(time_us: int, illumination: int, cos_array: int, cos_radiator: int, albedo: int) -> Event:
    """Light on array and radiator, fractions over 1024."""
    data = struct.pack(link.ENVIRONMENT_FORMAT, illumination, cos_array, cos_radiator, albedo)
    return Event(time_us, link.ENVIRONMENT, data)


def radio_lock(time_us: int, locked: bool) -> Event:
    """The radio gains or loses its lock on a ground station."""
    return Event(time_us, link.RADIO, bytes((int(locked),)))


def packet(time_us: int, data: bytes) -> Event:
    """A FLIGHT packet arrives at the board's radio."""
    return Event(time_us, link.PACKET, data)


def poke(time_us: int, buffer: int, word: int, mask: int) -> Event:
    """An upset: XORs a word of the board's state."""
    return Event(time_us, link.POKE, struct.pack(link.POKE_FORMAT, buffer, word, mask))


def sensors(time_us: int, words: Sequence[int], conditions: int) -> Event:
    """What the five sensors of a plant in the host read, and its event bits since the last reading."""
    return Event(time_us, link.SENSORS, struct.pack(link.SENSORS_FORMAT, *words, conditions))


def sensor_fault(time_us: int, sensor: int, keep: int, offset: int) -> Event:
    """From then on a sensor's words are cut to a mask and moved by an offset.

    (0, v) sticks at v; (0xFFF, 0) is well.
    """
    return Event(time_us, link.SENSOR_FAULT, struct.pack(link.SENSOR_FAULT_FORMAT, sensor, keep, offset))


@dataclass(frozen=True)
class Identity:
    """What a board says of itself."""

    nonce: int  # the session it is in, 0 for none
    unique_id: bytes
    dictionary: bytes
    credit: int
    max_body: int
    plant_crc: int
    model_id: int
    boots: int
    reset_cause: int
    sequence: int
    number: int  # of the last SIM request that it answered in this session
    version: str
    capabilities: frozenset[str]


def parse_identity(body: bytes) -> Identity:
    """Reads an IDENTITY frame; SessionError when it is too short."""
    if len(body) < 2 + _IDENTITY_BYTES:
        raise SessionError(f"a hello of {len(body)} bytes is too short: {2 + _IDENTITY_BYTES} at least")
    fields: tuple[Any, ...] = struct.unpack_from(link.IDENTITY_FORMAT, body, 2)
    version, _, capabilities = body[2 + _IDENTITY_BYTES :].decode("ascii", "replace").partition("\0")
    return Identity(*(*fields, version, frozenset(capabilities.split())))


@dataclass(frozen=True)
class Output:
    """A packet that a board's radio sent."""

    time_us: int
    packet: bytes


class Outcome(NamedTuple):
    """What a use of the accelerator came to: 0 or the cause of its failure, a bit for each cause that was mended,
    frames that went again, cycles that it measured."""

    code: int
    repairs: int
    resent: int
    measured: int


@dataclass(frozen=True)
class Done:
    """How an exchange ended: where the board stands, a CRC of its state, and what its radio sent on the way.

    The actuators (accelerator on, its power, the radio's power, in pw) are those of the last period. `outcomes`: of
    its accelerator, in order.
    """

    part: int
    stop: int
    steps: int
    applied: int
    now_us: int
    crc: int
    accel_on: int
    accel_pw: int
    radio_pw: int
    outputs: tuple[Output, ...]
    outcomes: tuple[Outcome, ...] = ()


def parse_done(body: bytes) -> Done:
    """Reads a DONE or PART frame; SessionError when it is cut short."""
    try:
        fields: tuple[Any, ...] = struct.unpack_from(link.DONE_FORMAT, body, _SIM_BYTES)
        part, stop, steps, applied, s, ms, crc, accel_on, accel_pw, radio_pw, count = fields
        outputs, outcomes = _outputs(body, count)
        at = _us(s, ms), crc, accel_on, accel_pw, radio_pw
        return Done(part, stop, steps, applied, *at, outputs, outcomes)
    except struct.error:
        raise SessionError(f"an exchange's reply of {len(body)} bytes is cut short") from None


def whole_done(bodies: Sequence[bytes]) -> Done:
    """The answer to an exchange, from its frames in order."""
    parts = [parse_done(body) for body in bodies]
    outputs = tuple(output for part in parts for output in part.outputs)
    outcomes = tuple(outcome for part in parts for outcome in part.outcomes)
    return replace(parts[-1], outputs=outputs, outcomes=outcomes)


def _outputs(body: bytes, count: int) -> tuple[tuple[Output, ...], tuple[Outcome, ...]]:
    outputs = []
    at = _SIM_BYTES + _DONE_BYTES
    for _ in range(count):
        s, ms, size = struct.unpack_from(link.OUTPUT_FORMAT, body, at)
        at += _OUTPUT_BYTES + size
        if at > len(body):
            raise SessionError(f"an exchange's reply of {len(body)} bytes is cut short")
        outputs.append(Output(_us(s, ms), body[at - size : at]))
    return tuple(outputs), tuple(map(Outcome._make, _OUTCOME.iter_unpack(body[at:])))


def _us(s: int, ms: int) -> int:
    return (s * 1000 + ms) * 1000


def hello(nonce: int) -> bytes:
    """The frame that asks a board who it is; its answer carries the nonce."""
    return bytes((d.LINK, link.HELLO)) + struct.pack(">H", nonce)


def _sim(kind: int, data: bytes) -> bytes:
    return struct.pack(link.SIM_FORMAT, d.SIM, kind, 0, 0) + data


def numbered(body: bytes, session: int, number: int) -> bytes:
    """A SIM frame as the request of that number."""
    return body[:2] + struct.pack(">HH", session, number) + body[_SIM_BYTES:]


def request_of(body: bytes) -> tuple[int, int]:
    """(session, number) of a SIM, CREDIT or REFUSED frame; (0, 0) when it is too short for them."""
    if len(body) < _SIM_BYTES:
        return 0, 0
    session, number = struct.unpack_from(">HH", body, 2)
    return session, number


def begin(now_us: int, age_days: int, cause: int, boots: int, hosted: bool = False) -> bytes:
    """The frame that makes a board start afresh at a time; `hosted`: its plant runs in the host."""
    s, ms = divmod(now_us // 1000, 1000)
    flags = link.HOSTED if hosted else 0
    return _sim(link.BEGIN, struct.pack(link.BEGIN_FORMAT, s, ms, age_days, cause, boots, flags))


def exchange(until_us: int, events: Sequence[Event], flags: int, max_body: int) -> list[bytes]:
    """The frames of one exchange: MORE frames as the events need, then the one that advances."""
    room = max_body - _SIM_BYTES - struct.calcsize(link.EXCHANGE_FORMAT)
    groups: list[list[bytes]] = [[]]
    size = 0
    for event in events:
        data = event.pack()
        if groups[-1] and (size + len(data) > room or len(groups[-1]) == 255):
            groups.append([])
            size = 0
        groups[-1].append(data)
        size += len(data)
    s, ms = divmod(-(-until_us // 1000), 1000)
    frames = []
    for i, group in enumerate(groups):
        more = flags if i == len(groups) - 1 else link.MORE
        head = struct.pack(link.EXCHANGE_FORMAT, more, i, s, ms, len(group))
        frames.append(_sim(link.EXCHANGE, head + b"".join(group)))
    return frames


def place(kind: int, buffer: int, offset: int, data: bytes = b"") -> bytes:
    """A SNAPSHOT or RESTORE frame."""
    return _sim(kind, struct.pack(link.PLACE_FORMAT, buffer, offset) + data)


def parse_chunk(body: bytes) -> tuple[int, int, bytes]:
    """(buffer, byte offset, data) of a CHUNK frame; SessionError when it is cut short."""
    if len(body) < _SIM_BYTES + _PLACE_BYTES:
        raise SessionError(f"a state chunk of {len(body)} bytes is cut short")
    buffer, offset = struct.unpack_from(link.PLACE_FORMAT, body, _SIM_BYTES)
    return buffer, offset, body[_SIM_BYTES + _PLACE_BYTES :]
