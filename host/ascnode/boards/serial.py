"""A real board as its host sees it: a chip id, wherever its port is now. What talks to it is the same Session as a
virtual board's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import TracebackType
from typing import Self

from ascnode.boards.bench import Bench
from ascnode.boards.discovery import find_ports, may_be
from ascnode.boards.identity import from_identity, hello
from ascnode.boards.locks import BoardLock
from ascnode.boards.power_switch import AbsentSwitch, Ask, PowerSwitch, switch_of
from ascnode.errors import AscnodeError, BoardError, BoardTimeoutError, DictionaryMismatchError
from ascnode.session.port import Port
from ascnode.session.session import Listener, Session

CONNECT_S = 15.0
_TRY_S = 1.0
_BETWEEN_S = 0.05

Candidates = Callable[[], Iterable[str]]


class SerialBoard:
    """Locks the board with that chip id from start to end; connect() gives a session with it and no other.

    `candidates` gives the ports to look at, by default those that are plugged in: names move, chip ids stay.
    """

    def __init__(
        self,
        chip_id: str,
        candidates: Candidates | None = None,
        listener: Listener | None = None,
        power: PowerSwitch | None = None,
    ) -> None:
        self.chip_id = chip_id
        self.power = power or AbsentSwitch(chip_id)
        self.session: Session | None = None
        self._candidates = candidates or (lambda: plugged_in(chip_id))
        self._listener = listener
        self._lock = BoardLock(chip_id)
        self._last: str | None = None

    @property
    def capabilities(self) -> frozenset[str]:
        """What the rig can do with it: "power" without which power tests are blocked."""
        return frozenset({"serial"}) | self.power.capabilities

    async def __aenter__(self) -> Self:
        self._lock.acquire()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def connect(self, wait_s: float = CONNECT_S) -> Session:
        """A session with the board, found anew; also after a reset, when its port may have another name.

        DictionaryMismatchError when it speaks another dictionary; BoardTimeoutError says what each port answered.
        """
        if self.session is not None:
            self.session.close()
            self.session = None
        self.session = await find(self.chip_id, self._ordered, wait_s)
        self._last = self.session.port.path
        self.session.listener = self._listener
        return self.session

    def close(self) -> None:
        """Gives port and lock back; may be called twice."""
        if self.session is not None:
            self.session.close()
            self.session = None
        self._lock.release()

    def _ordered(self) -> list[str]:
        # Where it was last time first.
        return sorted(self._candidates(), key=lambda path: (path != self._last, path))


def board_on(port: str) -> SerialBoard:
    """The board that is on a port now; BoardError when it does not run our firmware."""
    identity = hello(port)
    if identity is None:
        raise BoardError(f"{port}: no hello: flash the board first (ascnode flash)")
    chip_id = from_identity(port, identity).chip_id
    return SerialBoard(chip_id, lambda: [port, *plugged_in(chip_id)])


def board_named(bench: Bench, name: str, ask: Ask) -> SerialBoard:
    """The board of that name, with its power switch; `ask` shows a sentence and returns when a person has done it."""
    chip_id, entry = bench.named(name)
    return SerialBoard(chip_id, power=switch_of(entry.name, entry.power, ask))


def plugged_in(chip_id: str) -> list[str]:
    """The ports where that board could be."""
    return [found.path for found in find_ports() if may_be(found, chip_id)]


async def find(chip_id: str, candidates: Candidates, wait_s: float = CONNECT_S) -> Session:
    """A session with the board of that chip id, on whichever port; the others have heard a hello, no more.

    BoardTimeoutError says what was on each port.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + wait_s
    seen: dict[str, str] = {}
    while loop.time() < end:
        paths = list(dict.fromkeys(candidates()))
        seen = {path: seen.get(path, "silent") for path in paths}
        session = await _first(chip_id, paths, min(_TRY_S, end - loop.time()), seen)
        if session is not None:
            return session
        await asyncio.sleep(_BETWEEN_S)
    there = "; ".join(f"{path}: {what}" for path, what in seen.items()) or "no port of any board"
    raise BoardTimeoutError(f"board {chip_id} did not answer within {wait_s:g} s ({there})")


async def _first(chip_id: str, paths: list[str], wait_s: float, seen: dict[str, str]) -> Session | None:
    # All at once: a silent port must not hold up the one that answers.
    tasks = [asyncio.create_task(_try(chip_id, path, wait_s, seen)) for path in paths]
    session = None
    try:
        for task in asyncio.as_completed(tasks):
            session = await task
            if session is not None:
                break
        return session
    finally:
        await _drop(tasks, session)


async def _drop(tasks: list[asyncio.Task[Session | None]], kept: Session | None) -> None:
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, Session) and result is not kept:
            result.close()


async def _try(chip_id: str, path: str, wait_s: float, seen: dict[str, str]) -> Session | None:
    try:
        session = Session(Port(path, asyncio.get_running_loop()))
    except BoardError as error:
        seen[path] = str(error)
        return None
    kept = False
    try:
        with suppress(DictionaryMismatchError):
            await session.connect(wait_s)
        assert session.identity is not None
        chip = from_identity(path, session.identity)
        seen[path] = f"board {chip.chip_id}"
        if chip.chip_id != chip_id:
            return None
        if not chip.commandable:
            await session.connect(wait_s)  # raises, with both hashes
        kept = True
        return session
    except DictionaryMismatchError:
        raise
    except AscnodeError as error:
        seen[path] = str(error).removeprefix(f"{path}: ")
        return None
    finally:
        if not kept:
            session.close()
