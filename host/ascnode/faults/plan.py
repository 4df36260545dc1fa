"""One exchange as a fault schedule makes it: which events go up in the place of those that were given."""

from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass, field

from ascnode.faults.schedule import Injection
from ascnode.session.messages import Event
from ascnode_fw import link

_NO_EFFECT = 0xFF
_ROOM = link.EVENTS_MAX - 64  # of a board for the events of one exchange
_HEAD = 9  # bytes of an event before its data


@dataclass(frozen=True)
class Item:
    """An event on its way up. `given` is its place among those that were given, `parent` that of what it came from."""

    event: Event
    given: int | None = None
    parent: int | None = None
    told: tuple[Injection, ...] = ()

    @property
    def time_us(self) -> int:
        """When it is due."""
        return self.event.time_us


def nothing(time_us: int) -> Event:
    """An event without effect: it keeps the place of one that was taken away."""
    return Event(time_us, _NO_EFFECT, b"")


@dataclass
class Plan:
    """Items in order, for one exchange from `now_us` up to `horizon_us`; `_waiting` is what else goes up then."""

    now_us: int
    horizon_us: int
    given: Sequence[Event]
    _waiting: list[Item] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    _room: int = _ROOM

    def __post_init__(self) -> None:
        self._waiting = sorted(self._waiting, key=lambda item: item.time_us)
        self._room -= sum(_HEAD + len(item.event.data) for item in self._waiting)

    def add(self, replaced: Item, copies: Sequence[Item]) -> bool:
        """A given event in its order, and what becomes of it later; False when the board has no room for more."""
        self.flush(replaced.time_us)
        need = sum(_HEAD + len(item.event.data) for item in (replaced, *copies))
        if need > self._room:
            self.horizon_us = min(self.horizon_us, max(replaced.time_us, self.now_us + 1))
            return False
        self._room -= need
        self.items.append(replaced)
        for copy in copies:
            insort(self._waiting, copy, key=lambda item: item.time_us)
        self.flush(replaced.time_us)
        return True

    def flush(self, until_us: int) -> None:
        """What waits and is due by then goes in."""
        while self._waiting and self._waiting[0].time_us <= until_us:
            self.items.append(self._waiting.pop(0))

    def finish(self) -> None:
        """What is due before the horizon goes in."""
        self.flush(self.horizon_us - 1)

    def applied(self, count: int) -> int:
        """How many given events are among the first `count` items."""
        return sum(item.given is not None for item in self.items[:count])

    def left(self, count: int) -> list[Item]:
        """What waits for the next exchange when `count` items took effect: what was not given, and came from what was
        given and has gone up."""
        gone = {item.given for item in self.items[:count] if item.given is not None}
        rest = [*self.items[count:], *self._waiting]
        keep = [item for item in rest if item.given is None and (item.parent is None or item.parent in gone)]
        return [Item(item.event, None, None, item.told) for item in keep]
