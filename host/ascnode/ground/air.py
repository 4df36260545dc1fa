"""What crossed the radio of a run's boards, byte for byte, read back out of the recorded SIM frames."""

import heapq
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ascnode.errors import RecordError, SessionError
from ascnode.record.rows import Frame
from ascnode.session import messages
from ascnode.session.messages import Done
from ascnode_fw import link

_EVENTS_AT = link.SIM_BYTES + struct.calcsize(link.EXCHANGE_FORMAT)
_EVENT_BYTES = struct.calcsize(link.EVENT_FORMAT)
_APID_MAX = 0x7FE  # 0x7FF marks idle packets


class AirPacket(NamedTuple):
    """A space packet: when it left the board's radio, or was taken by it (`up`)."""

    time_us: int
    node: int
    up: bool
    data: bytes


class Air:
    """Takes one board's frames in order, and gives its packets in order of time.

    Telecommands count when the board has taken them; those of an exchange that ended before them were signed anew.
    """

    def __init__(self, node: int) -> None:
        self._node = node
        self._events: list[tuple[int, int, bytes]] = []
        self._parts: list[Done] = []
        self._now_us = 0

    def feed(self, frame: Frame) -> list[AirPacket]:
        """The packets that a frame completes; RecordError when it is cut short."""
        try:
            return self._sim(frame.direction, frame.body)
        except (SessionError, struct.error, IndexError) as e:
            raise RecordError(f"frame {frame.number} of node {self._node} does not decode: {e}") from None

    def _sim(self, direction: str, body: bytes) -> list[AirPacket]:
        kind = body[1]
        if direction == "up" and kind == link.EXCHANGE:
            if body[link.SIM_BYTES + 1] == 0:  # the first frame of another exchange
                self._events = []
            self._events += _events(body)
        elif direction == "down" and kind in (link.PART, link.DONE):
            self._parts.append(messages.parse_done(body))
            if kind == link.DONE:
                return self._done()
        return []

    def _done(self) -> list[AirPacket]:
        taken = self._events[: self._parts[-1].applied]
        # what came while the last exchange's last period ran is taken after it
        up = [
            AirPacket(max(at, self._now_us), self._node, True, data)
            for at, kind, data in taken
            if kind == link.PACKET
        ]
        outputs = (output for part in self._parts for output in part.outputs)
        down = [AirPacket(output.time_us, self._node, False, output.packet) for output in outputs]
        self._now_us = self._parts[-1].now_us
        self._events, self._parts = [], []
        return sorted(up + down, key=lambda packet: packet.time_us)


def _events(body: bytes) -> Iterator[tuple[int, int, bytes]]:
    # (time in us, kind, data) of an exchange's events.
    at = _EVENTS_AT
    while at < len(body):
        s, ms, kind, size = struct.unpack_from(link.EVENT_FORMAT, body, at)
        at += _EVENT_BYTES + size
        yield (s * 1000 + ms) * 1000, kind, body[at - size : at]


def in_order(frames: Mapping[int, Iterator[Frame]]) -> Iterator[AirPacket]:
    """The packets of many boards in order of time, from each one's frames."""

    def of(node: int, rows: Iterator[Frame]) -> Iterator[AirPacket]:
        air = Air(node)
        for frame in rows:
            yield from air.feed(frame)

    return heapq.merge(*(of(*item) for item in frames.items()), key=lambda packet: packet.time_us)


def with_apid(data: bytes, offset: int) -> bytes:
    """The packet under an APID that much higher, all else as it was."""
    word = int.from_bytes(data[:2], "big")
    if (word & 0x7FF) + offset > _APID_MAX:
        raise RecordError(f"APID {(word & 0x7FF) + offset} does not fit in 11 bits: name fewer nodes")
    return (word + offset).to_bytes(2, "big") + data[2:]


def names(nodes: Mapping[int, str], wanted: Sequence[str]) -> dict[int, str]:
    """The boards of those names, all for none; RecordError for a name that there is not."""
    unknown = set(wanted) - set(nodes.values())
    if unknown:
        raise RecordError(f"no board is called {', '.join(sorted(unknown))}: {', '.join(nodes.values())}")
    return {node: name for node, name in nodes.items() if not wanted or name in wanted}
