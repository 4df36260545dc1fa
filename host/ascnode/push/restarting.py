"""A flyer whose board may reset itself for another firmware: found again, it goes on from where it stood."""

from collections.abc import Sequence

from ascnode.boards.firmware import of_node
from ascnode.boards.flash_image import read_files
from ascnode.boards.process_board import ProcessBoard
from ascnode.errors import LinkDownError, SessionError, SessionTimeoutError
from ascnode.faults.injector import Rebooted
from ascnode.scenario.board import Flyer
from ascnode.session.messages import Done, Event
from ascnode.twin.alone import TwinAlone
from ascnode.twin.hosted import Around
from ascnode.twin.pair import Pair
from ascnode_fw import link
from ascnode_fw.flight import layout as f_
from ascnode_fw.flight import slots

_RESET = 1  # of the dictionary's reset causes
_WATCHDOG = 3
_RESTART_S = 30.0
_HELLO_S = 5.0
_RESETS = 8


class Restarting(Around):
    """`board` is the virtual board behind the flyer, None for a twin alone. `rebooted` is told of every reset."""

    def __init__(self, flyer: Flyer, board: ProcessBoard | None) -> None:
        self.flyer = flyer  # type: ignore[assignment]
        self.rebooted: Rebooted | None = None
        self._board = board
        self._boots = board.boots if board else 0
        self._now_us = 0

    @property
    def version(self) -> str:
        """Of the firmware that runs, as the board says; "" for a twin alone."""
        inner = self._inner()
        identity = inner.session.identity if isinstance(inner, Pair) else None
        return identity.version if identity else ""

    async def begin(self, now_us: int, age_days: int = 0, cause: int = 4, boots: int = 0) -> None:
        """Starts afresh at a time."""
        self._now_us = now_us
        await self.flyer.begin(now_us, age_days, cause, boots)

    async def exchange(
        self, until_us: int, events: Sequence[Event] = (), stop_on_custody: bool = True
    ) -> Done:
        """As Session.exchange; behind it the board may have been reset."""
        try:
            done = await self.flyer.exchange(until_us, events, stop_on_custody)
        except SessionError as error:
            if self._board is None or not self._on_trial():
                raise
            await self._crashed(self._board, isinstance(error, LinkDownError))
            return Done(0, link.REACHED, 0, 0, self._now_us, 0, 0, 0, 0, ())
        self._now_us = done.now_us
        if done.stop == link.RESETTING:
            await self._restart(_RESET)
        return done

    def _on_trial(self) -> bool:
        return bool(slots.firmware(self.twin.store).trial)

    async def _crashed(self, board: ProcessBoard, hangs: bool) -> None:
        # A firmware on trial that fails resets its board; one that hangs is reset here, as by a watchdog.
        if hangs and board.boots <= self._boots:
            board.reset(wait=False)
        self.flyer.coast(self._now_us, self._now_us)
        await self._restart(_WATCHDOG)

    async def _restart(self, cause: int) -> None:
        inner = self._inner()
        boots = self.twin.node.computer.f[f_.BOOTS] + 1 & 0xFFFF
        if isinstance(inner, TwinAlone):
            await inner.resume(self._now_us, cause, boots)
        else:
            await self._find_again(inner, cause, boots)
        if self.rebooted:
            self.rebooted(self._now_us, self.twin.last_sequence)

    async def _find_again(self, pair: Pair, cause: int, boots: int) -> None:
        # The board's loader has chosen a slot as it started: its flash is the twin's from here on.
        board = self._board
        assert board is not None  # a pair's
        board.wait_for("its reset", lambda: board.boots > self._boots, _RESTART_S)
        await self._hello(pair, board)
        self._boots = board.boots
        flash = of_node(read_files(board.flash.read_bytes()))
        await pair.resume(self._now_us, cause, boots, pair.session, flash)

    async def _hello(self, pair: Pair, board: ProcessBoard) -> None:
        # A firmware that hangs is reset, as by a real board's watchdog, until its loader has had enough of it.
        for _ in range(_RESETS):
            try:
                await pair.session.reconnect(_HELLO_S)
                return
            except SessionTimeoutError:
                board.reset()
        await pair.session.reconnect(_HELLO_S)

    def _inner(self) -> Pair | TwinAlone:
        inner = self.flyer
        while not isinstance(inner, Pair | TwinAlone):
            inner = inner.flyer  # type: ignore[union-attr]  # what stands in a flyer's place has one
        return inner
