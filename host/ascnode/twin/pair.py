"""A board with its twin beside it: both get the same frames, and every exchange compares what comes back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ascnode.errors import ParityError, SessionError
from ascnode.session import messages
from ascnode.session.messages import Done, Event, Identity
from ascnode.session.session import Session
from ascnode.twin.twin import Twin
from ascnode_fw.wire.dictionary import LINK, SIM


@dataclass(frozen=True)
class Difference:
    """The first word in which board and twin differ."""

    time_us: int
    step: int
    field: str
    board: int
    twin: int

    def __str__(self) -> str:
        return (
            f"step {self.step} (t = {self.time_us / 1e6:.3f} s): {self.field} is {self.board} on the board and "
            f"{self.twin} on its twin"
        )


Forgive = Callable[[Difference | None], None]
"""Told of a difference that was expected: its first word, or None when it had gone again."""


def _without(frame: bytes, event: Event | None) -> bytes:
    # The frame as it would be with an event of no effect in the place of that one.
    if event is None:
        return frame
    packed = event.pack()
    head, found, tail = frame.partition(packed)
    return head + packed[:6] + b"\xff" + packed[7:] + tail if found else frame


class Pair:
    """Steps a board and its twin together; a difference stops the run and is named."""

    def __init__(self, name: str, session: Session, twin: Twin, control_us: int) -> None:
        self.name = name
        self.session = session
        self.twin = twin
        self.control_us = control_us
        self.steps = 0
        self.exchanges = 0
        self.mismatches = 0
        self.repeated = 0  # exchanges whose accelerator did something else than expected
        self.forgive: Forgive | None = None
        self._joined = 0
        self._hosted = False
        self._hidden: Event | None = None
        self._before: list[bytes] = []
        self._asked: tuple[int, Sequence[Event]] = 0, ()
        self._twin_said: list[bytes] = []
        self._board_said: list[bytes] = []
        self._obeyed: list[bytes] = []  # SIM frames that the twin got since the last look
        self._outer = session.listener
        session.listener = self._listen

    def hide(self, event: Event | None) -> None:
        """Keeps an event from the twin: a fault that is in the board, and no input of it."""
        self._hidden = event

    def _listen(self, direction: str, body: bytes) -> None:
        if direction == "up" and body[0] != LINK:  # the twin works while the board does
            if body[0] == SIM and self._joined != self.session.nonce:
                self._joined = self.session.nonce
                self.twin.handle(messages.hello(self._joined))
            shown = _without(body, self._hidden)
            if body[0] == SIM:
                self._obeyed.append(shown)
            self._twin_said += [reply for reply in self.twin.handle(shown) if reply[0] == SIM]
        elif (
            direction == "down" and body[0] == SIM
        ):  # a late hello, or radio from before the run, is no part of it
            self._board_said.append(body)
        if self._outer:
            self._outer(direction, body)

    async def begin(
        self, now_us: int, age_days: int = 0, cause: int = 4, boots: int = 0, hosted: bool = False
    ) -> None:
        """Starts both afresh; ParityError when they do not start alike."""
        self._hosted = hosted
        await self.session.begin(now_us, age_days, cause, boots, hosted)
        if not self._same():
            difference = await self._differing(now_us, 0)
            raise self._error(", as they begin", difference)

    def coast(self, now_us: int, until_us: int, lights: Sequence[Event] = ()) -> None:
        """The board is off in that time. When it died within an exchange, that one has not happened."""
        if self._before:
            self.twin.load(self._before)
            self._before = []
        self.twin.coast(now_us, until_us, lights)

    async def resume(
        self,
        now_us: int,
        cause: int,
        boots: int,
        session: Session | None = None,
        flash: Mapping[str, bytes] | None = None,
    ) -> Identity:
        """After a reset of the board: finds it again, or takes over a `session` with it, and goes on at that time.

        The flight computer starts afresh, the plant (battery, temperatures) and what ails the sensors are the twin's: a
        reset does not move them. `flash`: the board's files that are a node's; a cut may have left them old or new.
        """
        if session is None:
            identity = await self.session.reconnect()
        else:
            identity = self._take_over(session)
        plant, *_, senses = self.twin.snapshot()
        self._before = []
        self._twin_said, self._board_said, self._obeyed = [], [], []
        if flash is not None:
            self.twin.install(flash)
        self.twin.reset()
        self._joined = 0
        await self.begin(now_us, cause=cause, boots=boots, hosted=self._hosted)
        await self.session.restore_buffer(0, plant)
        await self.session.restore_buffer(len(self.twin.names()) - 1, senses)
        if not self._same():
            raise self._error(", after a reset", await self._differing(now_us, self.steps))
        return identity

    def _take_over(self, session: Session) -> Identity:
        if session.identity is None:
            raise SessionError(f"{session.port.path}: resume() takes a session that is connected")
        self.session.listener = None
        self.session = session
        session.listener = self._listen
        return session.identity

    async def exchange(
        self, until_us: int, events: Sequence[Event] = (), stop_on_custody: bool = True
    ) -> Done:
        """As Session.exchange, with the twin beside it; ParityError names the first differing field.

        With `forgive` set, the difference goes there instead, and the twin takes over the board's state.
        """
        self._before = self.twin.snapshot()
        self._asked = until_us, events
        return await self._compare(await self.session.exchange(until_us, events, stop_on_custody))

    async def again(self) -> Done:
        """After a LinkDownError of an exchange, when the cable is whole again: as Session.again, and compared."""
        return await self._compare(await self.session.again())

    async def _compare(self, done: Done) -> Done:
        before, self._before = self._before, []
        self.exchanges += 1
        if not self._agree(before, done):
            if self.forgive is None:
                self.mismatches += 1
                raise await self._locate(before, done, *self._asked)
            self.forgive(await self._adopt(done))
        self.steps += done.steps
        return done

    def _agree(self, before: Sequence[bytes], done: Done) -> bool:
        # As _same(). When the accelerator did something else than expected, the exchange is the twin's again with that.
        obeyed, said = self._obeyed, self._board_said
        if self._same():
            return True
        if self.twin.engine is None or not done.outcomes:
            return False
        self.repeated += 1
        self._board_said = said
        replies = self.twin.repeat(before, obeyed, done.outcomes)
        self._twin_said = [reply for reply in replies if reply[0] == SIM]
        return self._same()

    async def _adopt(self, done: Done) -> "Difference | None":
        # The twin takes over the board's state; the first word in which they differed.
        difference = await self._differing(done.now_us, self.steps + done.steps)
        board = await self.session.snapshot([len(buffer) for buffer in self.twin.snapshot()])
        self._same()
        self.twin.load(board)
        return difference

    def _same(self) -> bool:
        # Whether twin and board have answered alike since the last look.
        same = self._twin_said == self._board_said
        self._twin_said, self._board_said, self._obeyed = [], [], []
        return same

    # --- naming a difference

    async def _locate(
        self, before: list[bytes], done: Done, until_us: int, events: Sequence[Event]
    ) -> ParityError:
        # Back to the last agreeing snapshot, then the same exchange step by step.
        after = await self._differing(done.now_us, self.steps + done.steps)
        start_us = done.now_us - done.steps * self.control_us
        await self._restore(before)
        left = list(events)
        for step in range(done.steps):
            end_us = start_us + (step + 1) * self.control_us
            began = self.twin.snapshot()
            reply = await self.session.exchange(min(end_us, until_us), left, False)
            left = left[reply.applied :]
            if not self._agree(began, reply):
                return self._error("", await self._differing(end_us, self.steps + step + 1))
        return self._error("; repeated from the last agreeing snapshot they agree", after)

    async def _restore(self, buffers: list[bytes]) -> None:
        await self.session.restore(buffers)
        self._same()

    async def _differing(self, time_us: int, step: int) -> Difference | None:
        mine = self.twin.snapshot()
        board = await self.session.snapshot([len(buffer) for buffer in mine])
        self._same()  # both count the frames they were sent
        for (name, words, size), twin_data, board_data in zip(self.twin.names(), mine, board, strict=True):
            for at in range(0, len(twin_data), size):
                if twin_data[at : at + size] != board_data[at : at + size] and name != "node":
                    word = at // size
                    field = f"{name}: {words[word] if word < len(words) else f'word {word}'}"
                    values = (
                        int.from_bytes(data[at : at + size], "little", signed=size > 1)
                        for data in (board_data, twin_data)
                    )
                    return Difference(time_us, step, field, *values)
        return None

    def _error(self, note: str, difference: Difference | None) -> ParityError:
        what = f"at {difference}" if difference else "in their answers, though their states agree"
        return ParityError(f"{self.name} and its twin differ {what}{note}")
