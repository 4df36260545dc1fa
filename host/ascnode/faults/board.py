"""What can be done to a board: taking its power and giving it back, resets, a cut at a chosen flash write."""

import asyncio
from typing import Protocol

from ascnode.boards.firmware import of_node
from ascnode.boards.flash_image import read_files
from ascnode.boards.process_board import ProcessBoard
from ascnode.boards.serial import SerialBoard
from ascnode.errors import BoardError
from ascnode.session.port import Port
from ascnode.session.session import Line
from ascnode.session.watch import watch
from ascnode.twin.alone import TwinAlone
from ascnode.twin.pair import Pair

RESUME_S = 10.0


class Control(Protocol):
    """`capabilities`: "reset", "power", "write" for a cut at a flash write. What is absent is a blocked test."""

    capabilities: frozenset[str]

    async def reset(self, now_us: int, cause: int, boots: int) -> None:
        """Resets the board and goes on at that time."""

    async def off(self) -> None:
        """Takes the power away at once."""

    async def on(self, now_us: int, cause: int, boots: int) -> None:
        """Gives power back and goes on at that time."""

    def cut_at_write(self, number: int, halves: int) -> None:
        """Power fails at that flash write from now on (1 is the next), of which so many halves are stored; an exchange
        then ends in a BoardError."""


class TwinControl:
    """A twin alone."""

    capabilities: frozenset[str] = frozenset({"reset", "power", "write"})

    def __init__(self, flyer: TwinAlone) -> None:
        self._flyer = flyer

    async def reset(self, now_us: int, cause: int, boots: int) -> None:
        """As Control.reset."""
        await self._flyer.resume(now_us, cause, boots)

    async def off(self) -> None:
        """There is nothing to switch."""

    async def on(self, now_us: int, cause: int, boots: int) -> None:
        """As Control.on."""
        await self._flyer.resume(now_us, cause, boots)

    def cut_at_write(self, number: int, halves: int) -> None:
        """As Control.cut_at_write; a file is written in one."""
        self._flyer.twin.cut_at_write(number, halves == 2)


class VirtualControl:
    """A virtual or emulated board with its twin beside it; a faulty cable between them stays."""

    capabilities: frozenset[str] = frozenset({"reset", "power", "write"})

    def __init__(self, pair: Pair, board: ProcessBoard) -> None:
        self._pair = pair
        self._board = board

    async def reset(self, now_us: int, cause: int, boots: int) -> None:
        """As Control.reset."""
        self._board.reset(wait=False)
        await self._pair.resume(now_us, cause, boots)

    async def off(self) -> None:
        """As Control.off."""
        self._board.cut()

    async def on(self, now_us: int, cause: int, boots: int) -> None:
        """As Control.on; the twin's flash becomes what the board's is."""
        self._board.wait_for("the power going off", lambda: not self._board.alive)
        flash = read_files(self._board.flash.read_bytes())
        old = self._pair.session
        old.close()
        self._board.power_on(wait=False)
        loop = asyncio.get_running_loop()
        port = Port(self._board.port, loop)
        watch(self._board, port)
        session = old.moved(_into(old.port, port))
        await session.connect(RESUME_S)
        await self._pair.resume(now_us, cause, boots, session, of_node(flash))

    def cut_at_write(self, number: int, halves: int) -> None:
        """As Control.cut_at_write; a write is one of the file system's, of which a file takes several."""
        self._board.cut_at_write(number, halves)


class SerialControl:
    """A real board with its twin beside it, and the power switch that its bench file names: without one, "power" is
    absent. Its flash is taken for the twin's; what a cut left otherwise shows as a difference at the next begin."""

    def __init__(self, pair: Pair, board: SerialBoard) -> None:
        self._pair = pair
        self._board = board
        self.capabilities = board.capabilities & {"power"}

    async def reset(self, now_us: int, cause: int, boots: int) -> None:
        """BoardError: no line of a serial port resets every board."""
        raise BoardError(f"board {self._board.chip_id}: there is no reset line to pull")

    async def off(self) -> None:
        """As Control.off."""
        await asyncio.to_thread(self._board.power.off)

    async def on(self, now_us: int, cause: int, boots: int) -> None:
        """As Control.on; the board is found by its chip id, on whichever port it comes back."""
        await asyncio.to_thread(self._board.power.on)
        await self._pair.resume(now_us, cause, boots, await self._board.connect())

    def cut_at_write(self, number: int, halves: int) -> None:
        """BoardError: nobody sees a real board's writes."""
        raise BoardError(f"board {self._board.chip_id}: its flash writes cannot be seen from outside")


def _into(line: Line, port: Port) -> Line:
    # A faulty cable stays between; a plain port is replaced.
    replug = getattr(line, "replug", None)
    if replug is None:
        return port
    replug(port)
    return line
