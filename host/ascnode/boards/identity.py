"""Who is on a port: asked, not guessed. First in our own language, then at the REPL."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from ascnode.boards.kinds import KINDS, Kind
from ascnode.boards.locks import BoardLock
from ascnode.boards.repl import ENTER_S, NoReplError, Repl
from ascnode.errors import (
    AscnodeError,
    BoardError,
    BoardTimeoutError,
    DictionaryMismatchError,
    SessionError,
    WrongBoardError,
)
from ascnode.session.messages import Identity
from ascnode.session.port import Port
from ascnode.session.session import Session
from ascnode_fw.wire import dictionary as d

HELLO_S = 1.5

# On the board: chip id, platform, machine, version and mpy format, a line each.
_ASK = """
import sys
try:
    import machine
    u = machine.unique_id()
except (ImportError, AttributeError):
    u = open("/board.id", "rb").read()
i = sys.implementation
print("".join("%02x" % b for b in u))
print(sys.platform)
print(getattr(i, "_machine", ""))
print(i.name, ".".join(str(n) for n in i.version[:3]))
print(getattr(i, "_mpy", 0))
"""


@dataclass(frozen=True)
class Chip:
    """What a board says of itself: `chip_id` in hexadecimal; `chip` as in kinds.py, or "rp2" / "esp32" when only
    the port is known; `dictionary` None without our firmware; `mpy` 0 when it was not asked."""

    port: str
    chip_id: str
    chip: str
    firmware: str
    dictionary: str | None = None
    mpy: int = 0

    @property
    def commandable(self) -> bool:
        """Whether it runs our firmware and speaks this host's dictionary."""
        return self.dictionary == d.digest().hex()


def probe(path: str, hello_s: float = HELLO_S, enter_s: float = ENTER_S) -> Chip:
    """Asks the board on a port. One that runs something else is interrupted, asked at the REPL and restarted.

    BoardError when nothing there answers as MicroPython does, or the port cannot be had.
    """
    identity = hello(path, hello_s)
    if identity is not None:
        return from_identity(path, identity)
    try:
        with Repl(path, enter_s) as repl:
            return ask(repl)
    except (NoReplError, BoardTimeoutError):
        raise BoardError(
            f"{path}: foreign firmware, or none: no hello within {hello_s:g} s and no REPL within {2 * enter_s:g} s"
        ) from None


def hello(path: str, wait_s: float = HELLO_S) -> Identity | None:
    """The identity of a board that runs our firmware, whatever its dictionary; None when none answers."""
    return asyncio.run(_hello(path, wait_s, None))


def leave_firmware(path: str, kind: Kind, chip_id: str | None, wait_s: float = HELLO_S) -> None:
    """Asks our firmware, if it runs there, to leave for the REPL.

    WrongBoardError, or BoardError when another process holds the board: then it flies on.
    """

    def check(identity: Identity) -> None:
        chip = from_identity(path, identity)
        if chip.chip == kind.platform:  # of a firmware whose hello names no chip: the REPL will tell
            chip = replace(chip, chip=kind.chip)
        require(chip, kind, chip_id)
        with BoardLock(chip.chip_id):
            pass

    asyncio.run(_hello(path, wait_s, check))


def to_repl(path: str, wait_s: float = HELLO_S) -> bool:
    """Asks our firmware to leave for the REPL; whether it was there to be asked."""
    return asyncio.run(_hello(path, wait_s, lambda identity: None)) is not None


async def _hello(path: str, wait_s: float, leave: Callable[[Identity], None] | None) -> Identity | None:
    # `leave` raises for a board that must not be asked to leave its firmware.
    session = Session(Port(path, asyncio.get_running_loop()))
    try:
        try:
            await session.connect(wait_s)
        except DictionaryMismatchError:
            pass
        except SessionError:
            return None
        if leave and session.identity is not None:
            leave(session.identity)
            await session.to_repl()
        return session.identity
    finally:
        session.close()


def from_identity(path: str, identity: Identity) -> Chip:
    """What a hello tells."""
    known = [word for word in identity.capabilities if word in {kind.chip for kind in KINDS.values()}]
    ports = [word for word in ("rp2", "esp32", "unix") if word in identity.capabilities]
    chip = (sorted(known, key=len) or ports or ["unknown"])[-1].replace("unix", "virtual")
    chip_id = identity.unique_id
    if "esp32" in identity.capabilities:
        chip_id = chip_id[:6]  # a MAC address: the hello pads it
    return Chip(path, chip_id.hex(), chip, f"ascnode {identity.version}", identity.dictionary.hex())


def ask(repl: Repl) -> Chip:
    """What MicroPython tells at the REPL; BoardError when the answer makes no sense."""
    lines = repl.exec(_ASK, "asking for the chip id").splitlines()
    try:
        chip_id, platform, machine, version, mpy = lines
        bytes.fromhex(chip_id)
        number = int(mpy)
    except ValueError:
        raise BoardError(f"{repl.path}: asking for the chip id: the board answered {lines!r:.100}") from None
    words = machine.lower().replace("-", "").split()
    chip = "virtual" if platform == "linux" else (words or [platform])[-1]
    return Chip(repl.path, chip_id, chip, version.replace("micropython", "MicroPython"), mpy=number)


def require(chip: Chip, kind: Kind, chip_id: str | None) -> None:
    """WrongBoardError when it is of another kind, or not the one with that chip id."""
    if chip.chip != kind.chip:
        raise WrongBoardError(
            f"{chip.port} is a {chip.chip} (chip id {chip.chip_id}), not a {kind.name}: nothing was written"
        )
    if chip_id is not None and chip.chip_id != chip_id:
        raise WrongBoardError(f"{chip.port} is board {chip.chip_id}, not {chip_id}: nothing was written")


def describe(error: AscnodeError, path: str) -> str:
    """An error's text without the port's name in front, for a table that has it."""
    return str(error).removeprefix(f"{path}: ").removeprefix(f"cannot open {path}: ")
