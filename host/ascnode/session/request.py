"""One numbered request to a board: its frames, which of them the board has taken, and the answer as it comes in."""

from collections.abc import Sequence
from dataclasses import dataclass

from ascnode.session import messages
from ascnode_fw import link
from ascnode_fw.wire import dictionary as d

_CREDIT = bytes((d.LINK, link.CREDIT))
_REFUSED = bytes((d.LINK, link.REFUSED))
_PART_AT = link.SIM_BYTES


@dataclass(frozen=True)
class Patience:
    """How a request is repeated on the monotonic clock: after `first_s`, then each time twice as long up to `most_s`;
    `tries` times in all. One that only came early costs a frame or two; by default a request's own deadline ends it.
    `slower`: how many times longer than a board at its own speed this one may take, in all that has a deadline."""

    first_s: float = 0.05
    most_s: float = 4.0
    tries: int = 16
    slower: float = 1.0


class Request:
    """Frames of one request; `heard` takes what comes back, in any order and as often as it comes."""

    def __init__(self, bodies: Sequence[bytes], session: int, number: int) -> None:
        self.name = (session, number)
        self.frames = [messages.numbered(body, session, number) for body in bodies]
        self.taken = 0  # frames that the board has confirmed: of an exchange, all but its last
        self.told = 0  # frames that the listener has heard of
        self.doubts = 0  # whether the board still knows of our requests
        self.refusal: str | None = None
        self._parts: dict[int, bytes] = {}
        self._last = -1

    def heard(self, body: bytes) -> bool:
        """Takes a frame from the board; False when it is not about this request."""
        if len(body) < link.SIM_BYTES or messages.request_of(body) != self.name:
            return False
        if body[:2] == _CREDIT and len(body) > link.SIM_BYTES:
            self.taken = max(self.taken, min(body[link.SIM_BYTES], len(self.frames) - 1))
        elif body[:2] == _REFUSED:
            self.refusal = body[link.SIM_BYTES :].decode("utf-8", "replace")
        elif body[0] == d.SIM:
            self._part(body)
        else:
            return False
        return True

    def _part(self, body: bytes) -> None:
        in_parts = body[1] in (link.PART, link.DONE) and len(body) > _PART_AT
        part = body[_PART_AT] if in_parts else 0
        self._parts[part] = body
        if body[1] != link.PART:
            self._last = part

    @property
    def answer(self) -> list[bytes] | None:
        """The frames of the answer in order, when all are there."""
        if self._last < 0 or any(part not in self._parts for part in range(self._last + 1)):
            return None
        return [self._parts[part] for part in range(self._last + 1)]
