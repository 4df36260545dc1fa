"""A twin with no board beside it: what flies where no MicroPython interpreter can be had."""

from collections.abc import Sequence

from ascnode.errors import SessionError
from ascnode.session import messages
from ascnode.session.messages import Done, Event
from ascnode.session.session import Listener
from ascnode.twin.twin import Twin
from ascnode_fw import link
from ascnode_fw.wire.dictionary import SIM
from ascnode_fw.wire.frame import MAX_BODY


class TwinAlone:
    """Steps a twin through the same frames that a board would get."""

    def __init__(self, name: str, twin: Twin, listener: Listener | None = None) -> None:
        self.name = name
        self.twin = twin
        self.steps = 0
        self.exchanges = 0
        self.mismatches = 0
        self._listener = listener
        self._hosted = False
        self._before: list[bytes] = []

    def _talk(self, body: bytes) -> list[bytes]:
        replies = self.twin.handle(body)
        if self._listener:
            self._listener("up", body)
            for reply in replies:
                self._listener("down", reply)
        return replies

    async def begin(
        self, now_us: int, age_days: int = 0, cause: int = 4, boots: int = 0, hosted: bool = False
    ) -> None:
        """Starts afresh at a time."""
        self._hosted = hosted
        self._talk(messages.begin(now_us, age_days, cause, boots, hosted))

    def coast(self, now_us: int, until_us: int, lights: Sequence[Event] = ()) -> None:
        """As Pair.coast."""
        if self._before:
            self.twin.load(self._before)
            self._before = []
        self.twin.coast(now_us, until_us, lights)

    async def resume(self, now_us: int, cause: int, boots: int) -> None:
        """As Pair.resume."""
        plant, *_, senses = self.twin.snapshot()
        self._before = []
        self.twin.reset()
        await self.begin(now_us, cause=cause, boots=boots, hosted=self._hosted)
        kept = self.twin.snapshot()
        self.twin.load([plant, *kept[1:-1], senses])

    async def exchange(
        self, until_us: int, events: Sequence[Event] = (), stop_on_custody: bool = True
    ) -> Done:
        """As Session.exchange."""
        self._before = self.twin.snapshot()
        flags = link.STOP_ON_CUSTODY if stop_on_custody else 0
        replies: list[bytes] = []
        for body in messages.exchange(until_us, events, flags, MAX_BODY):
            replies = self._talk(body)
        if replies[-1][0] != SIM:
            raise SessionError(f"{self.name} refused the exchange: {replies[-1][link.SIM_BYTES :].decode()}")
        done = messages.whole_done(replies)
        self._before = []
        self.exchanges += 1
        self.steps += done.steps
        return done
