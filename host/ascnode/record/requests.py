"""A board's recorded frames as requests with their answers, and what its flash and state were when it began."""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ascnode.record.rows import Frame, Snapshot
from ascnode.session.messages import Outcome, parse_done
from ascnode_fw import link
from ascnode_fw.wire import dictionary as d

_ENDS = bytes((d.SIM, link.DONE)), bytes((d.SIM, link.PART))
_BEGIN, _EXCHANGE = bytes((d.SIM, link.BEGIN)), bytes((d.SIM, link.EXCHANGE))


@dataclass
class Request:
    """Frames of one request, and of its answer: none when the board died in it, or the run was stopped."""

    frames: list[bytes] = field(default_factory=list)
    answer: list[bytes] = field(default_factory=list)
    asked_us: int = 0

    @property
    def begins(self) -> bool:
        """Whether it makes the board start afresh: a run's begin, or the return after a reset."""
        return self.frames[0][:2] == _BEGIN

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What each use of the accelerator came to, which the node cannot foresee: an input of its twin."""
        return tuple(one for body in self.answer if body[:2] in _ENDS for one in parse_done(body).outcomes)

    @property
    def complete(self) -> bool:
        """Whether all its frames are there."""
        last = self.frames[-1]
        return last[:2] != _EXCHANGE or not last[link.SIM_BYTES] & link.MORE


def requests(frames: Iterable[Frame]) -> Iterator[Request]:
    """In order. A request ends with the first frame up that follows its answer, or a whole one before it."""
    now = Request()
    for frame in frames:
        if frame.direction == "down":
            now.answer.append(frame.body)
            continue
        if now.frames and (now.answer or now.complete or frame.body[:2] != _EXCHANGE):
            yield now
            now = Request()
        now.frames.append(frame.body)
        now.asked_us = frame.time_us
    if now.frames:
        yield now


def upset_of_weights(request: Request) -> bool:
    """Whether it flips bits of the accelerator's model."""
    return any(_upsets_weights(frame[link.SIM_BYTES :]) for frame in request.frames if frame[:2] == _EXCHANGE)


def _upsets_weights(data: bytes) -> bool:
    *_, count = struct.unpack_from(link.EXCHANGE_FORMAT, data)
    at = struct.calcsize(link.EXCHANGE_FORMAT)
    for _ in range(count):
        _, _, kind, size = struct.unpack_from(link.EVENT_FORMAT, data, at)
        at += struct.calcsize(link.EVENT_FORMAT) + size
        if kind == link.POKE and data[at - size] == link.WEIGHTS:
            return True
    return False


class Kept:
    """The snapshots of a board: its files at each begin, its state at the first."""

    def __init__(self, snapshots: Iterable[Snapshot]) -> None:
        self.state: dict[str, bytes] = {}
        self._changes: dict[int, dict[str, bytes | None]] = {}
        for one in snapshots:
            where, _, name = one.name.partition("/")
            if where == "state":
                self.state[name] = one.data or b""
            else:
                self._changes.setdefault(one.time_us, {})[name] = one.data

    def files(self, time_us: int) -> dict[str, bytes]:
        """What was on its flash at a begin of that time."""
        files: dict[str, bytes] = {}
        for at_us in sorted(at_us for at_us in self._changes if at_us <= time_us):
            for name, data in self._changes[at_us].items():
                files.pop(name, None)
                if data is not None:
                    files[name] = data
        return files
