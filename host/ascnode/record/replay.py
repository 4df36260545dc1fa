"""Drives a board with the recorded frames of a node and compares what comes back, byte for byte.

Session and number of a SIM frame are the cable's and differ from run to run; all else has to be the same. The board
gets the node's flash and state of the start first: the state through the SIM plane.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest

from ascnode.errors import ReplayError, SessionError
from ascnode.record.reader import Reader
from ascnode.record.requests import Kept, Request, requests
from ascnode.record.rigs import Rig, twin_of
from ascnode.record.rows import Board
from ascnode.record.words import content, difference, kind_of
from ascnode.scenario.provision import BENCH_KEY_INDEX
from ascnode.session import messages
from ascnode.session.commanding import Commander
from ascnode_fw import link
from ascnode_fw.node import load_keys
from ascnode_fw.wire import dictionary as d
from ascnode_fw.wire.frame import MAX_BODY

NAMES = ("in the record", "on the board")
_DONE = bytes((d.SIM, link.DONE))

Progress = Callable[[int], None]
"""Told of the simulated time (us) that a board has come to."""


@dataclass
class Replayed:
    """What came of one board. `difference` is "" when all was the same; `stopped` says why not all was replayed."""

    name: str
    requests: int = 0
    frames: int = 0
    steps: int = 0
    until_us: int = 0
    difference: str = ""
    stopped: str = ""
    skipped: list[str] = field(default_factory=list)


class Replay:
    """One node of a record on one board."""

    def __init__(self, reader: Reader, board: Board, rig: Rig) -> None:
        self._kept = Kept(reader.snapshots(board.node))
        self._frames = reader.frames(board.node)
        self._board = board
        self._rig = rig
        self.result = Replayed(board.name)

    def check(self) -> None:
        """ReplayError, with the reason, for a record that cannot be replayed."""
        name = self._board.name
        if self._board.dictionary != d.digest().hex():
            raise ReplayError(
                f"{name} was recorded with dictionary {self._board.dictionary}, and this ascnode speaks "
                f"{d.digest().hex()}: replay it with the one that recorded it"
            )
        if not self._kept.state:
            raise ReplayError(
                f"the record does not hold what {name} began with: it was written before schema 4"
            )
        if "keys.bin" not in self._kept.files(0):
            raise ReplayError(f"the key of {name} is not in the record, which holds none but a bench's own")

    async def fly(self, progress: Progress = lambda time_us: None) -> Replayed:
        """Replays until the end, a difference, or what this board cannot do."""
        self.check()
        begun = False
        for request in requests(self._frames):
            if not request.answer:
                self._skip(request)
                continue
            if request.begins and not await self._begin(request, begun):
                break
            begun = True
            if not await self._same(request):
                break
            progress(self.result.until_us)
        return self.result

    def _skip(self, request: Request) -> None:
        # The board died in it, so that it has not happened; or the run was stopped before the answer came.
        self.result.skipped.append(
            f"{kind_of(request.frames[0])} at {request.asked_us / 1e6:.3f} s has no answer"
        )

    async def _begin(self, request: Request, again: bool) -> bool:
        files = self._kept.files(request.asked_us)
        if again and not self._rig.restarts:
            self.result.stopped = "the node was reset then, and this board cannot be from here"
            return False
        await self._rig.start(files)
        if not again:
            await self._restore(files)
            if self._rig.own_flash:
                await self._check_key(request, files)
                await self._restore(files)
        return True

    async def _check_key(self, begin: Request, files: dict[str, bytes]) -> None:
        # A telecommand under the bench's key: does the board take it for its last?
        order = Commander(load_keys(files["keys.bin"])[BENCH_KEY_INDEX], BENCH_KEY_INDEX)
        await self._rig.ask(begin)
        ping = messages.packet(begin.asked_us, order.packet("ping"))
        for frame in messages.exchange(begin.asked_us + 1000, [ping], 0, MAX_BODY):
            await self._rig.ask(Request([frame]))
        names = self._names(files)
        index = [name for name, _, _ in names].index("node")
        node = await self._snapshot(index, len(self._kept.state["node"]))
        at = 4 * names[index][1].index("last sequence")
        if int.from_bytes(node[at : at + 4], "little") != order.sequence:
            raise ReplayError(f"the board's key is not the bench's for {self._board.name}")

    async def _restore(self, files: dict[str, bytes]) -> None:
        # What a begin does not make afresh, such as the number of the last telecommand.
        for index, (name, _, _) in enumerate(self._names(files)):
            data = self._kept.state[name]
            for at in range(0, len(data), link.CHUNK_MAX):
                frame = messages.place(link.RESTORE, index, at, data[at : at + link.CHUNK_MAX])
                try:
                    await self._rig.ask(Request([frame]))
                except SessionError as e:
                    raise ReplayError(
                        f"the state of {self._board.name} cannot be restored ({name}): {e}"
                    ) from None

    def _names(self, files: dict[str, bytes]) -> list[tuple[str, tuple[str, ...], int]]:
        names = twin_of(files, bytes.fromhex(self._board.unique_id)).names()
        if {name for name, _, _ in names} != set(self._kept.state):
            raise ReplayError(f"{self._board.name} was recorded with other state than this firmware has")
        return names

    async def _same(self, request: Request) -> bool:
        result = self.result
        try:
            said = await self._rig.ask(request)
        except ReplayError as e:
            result.stopped = str(e)
            return False
        except SessionError as e:
            result.difference = f"{self._where()}: {e}"
            return False
        for recorded, heard in zip_longest(request.answer, said, fillvalue=b""):
            if content(recorded) != content(heard):
                result.difference = f"{self._where()}: {await self._words(request, recorded, heard)}"
                return False
        self._count(request)
        return True

    def _where(self) -> str:
        return f"after step {self.result.steps} (t = {self.result.until_us / 1e6:.3f} s)"

    def _count(self, request: Request) -> None:
        result = self.result
        result.requests += 1
        result.frames += len(request.answer)
        result.until_us = request.asked_us
        if request.answer[-1][:2] == _DONE:
            result.steps += messages.parse_done(request.answer[-1]).steps

    async def _words(self, request: Request, recorded: bytes, heard: bytes) -> str:
        words = difference(recorded, heard, NAMES)
        if request.begins and not self.result.steps:
            word = await self._state_words(self._kept.files(request.asked_us))
            return f"as it began, {word}" if word else words
        return words

    async def _state_words(self, files: dict[str, bytes]) -> str:
        # Of the first begin the record has the state that came of it.
        for index, (name, words, size) in enumerate(self._names(files)):
            mine = self._kept.state[name]
            its = await self._snapshot(index, len(mine))
            for at in range(0, len(mine), size):
                one, other = mine[at : at + size], its[at : at + size]
                if one != other and name != "node":
                    values = [int.from_bytes(value, "little", signed=size > 1) for value in (one, other)]
                    return f"{_word(name, words, at // size)} is {values[0]} in the record and {values[1]} on the board"
        return ""

    async def _snapshot(self, index: int, size: int) -> bytes:
        data = b""
        while len(data) < size:
            (body,) = await self._rig.ask(Request([messages.place(link.SNAPSHOT, index, len(data))]))
            chunk = messages.parse_chunk(body)[2]
            if not chunk:
                break
            data += chunk
        return data


def _word(buffer: str, words: tuple[str, ...], at: int) -> str:
    if buffer == "params" and at < len(d.PARAMETERS):
        return f"parameter {d.PARAMETERS[at][1]}"
    return f"{buffer}: {words[at] if at < len(words) else f'word {at}'}"


def boards_of(reader: Reader, name: str | None) -> Iterator[Board]:
    """The boards to replay, all or the one of that name; ReplayError when there is none."""
    chosen = [board for board in reader.boards if name in (None, board.name)]
    if not chosen:
        there = ", ".join(board.name for board in reader.boards) or "none: all its nodes were simulated"
        raise ReplayError(
            f"no board {name} in this run: there are {there}" if name else f"nothing to replay: {there}"
        )
    yield from chosen
