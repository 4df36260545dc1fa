"""The drive that a Raspberry Pi chip shows when it starts with BOOTSEL held: found, proved, written."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from ascnode.boards import uf2
from ascnode.boards.kinds import Kind
from ascnode.errors import BoardError, BoardTimeoutError, WrongBoardError

INFO_FILE = "INFO_UF2.TXT"
VANISH_S = 30.0
APPEAR_S = 20.0
_POLL_S = 0.05
_INFO_BYTES = 4096
_CHUNK_BYTES = 64 * 1024

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Drive:
    """A mounted boot loader: `board_id` and `model` are what its INFO_UF2.TXT says."""

    path: Path
    board_id: str
    model: str


def find_drives() -> list[Drive]:
    """All boot loaders mounted now."""
    return drives_at(Path(partition.mountpoint) for partition in psutil.disk_partitions())


def drives_at(folders: Iterable[Path]) -> list[Drive]:
    """Those of the folders that are a boot loader's drive."""
    return [drive for folder in folders if (drive := _look(folder)) is not None]


def drive_at(folder: Path) -> Drive:
    """The drive at a folder that the user named; BoardError when it is none."""
    drive = _look(folder)
    if drive is None:
        raise BoardError(f"{folder} is not a boot loader's drive: no {INFO_FILE} with a Board-ID in it")
    return drive


def require_kind(drive: Drive, kind: Kind) -> None:
    """BoardError when another chip is behind the drive."""
    if drive.board_id != kind.board_id:
        raise WrongBoardError(
            f"{drive.path} is a {drive.board_id} ({drive.model}), not a {kind.name} ({kind.board_id}): "
            f"nothing was written"
        )


def wait_drive(
    kind: Kind, before: Iterable[Path], look: Callable[[], list[Drive]], wait_s: float = APPEAR_S
) -> Drive:
    """The one drive of that kind that was not there `before`; BoardError for two, BoardTimeoutError for none."""
    known = set(before)
    end = time.monotonic() + wait_s
    while time.monotonic() < end:
        new = [drive for drive in look() if drive.path not in known]
        if len(new) > 1:
            raise BoardError(
                f"two boot loaders appeared ({_names(new)}): unplug one, or name it with --drive"
            )
        if new:
            require_kind(new[0], kind)
            return new[0]
        time.sleep(_POLL_S)
    raise BoardTimeoutError(
        f"no {kind.board_id} drive appeared within {wait_s:g} s (is it mounted? a desktop does it by itself; "
        f"else mount it and name it with --drive)"
    )


def only_drive(drives: list[Drive], kind: Kind) -> Drive | None:
    """The drive of that kind if there is one; BoardError when one of several would have to be guessed."""
    fitting = [drive for drive in drives if drive.board_id == kind.board_id]
    if len(fitting) > 1:
        raise BoardError(
            f"{len(fitting)} boards wait as {kind.board_id} drives ({_names(fitting)}): name one with --drive"
        )
    return fitting[0] if fitting else None


def write(
    drive: Drive, content: bytes, kind: Kind, progress: Progress | None = None, wait_s: float = VANISH_S
) -> None:
    """Copies a UF2 file and waits until the chip has left its boot loader.

    The chip restarts with the last block, so the drive may go while the host still writes: that is success, and
    a drive that stays is the failure (BoardTimeoutError). BoardError when file or drive is for another chip.
    """
    require_kind(drive, kind)
    uf2.check(content, kind.families)
    end = time.monotonic() + wait_s
    try:
        _copy(drive.path / "ascnode.uf2", content, end, progress)
    except OSError as error:
        if not _gone_soon(drive, end):
            raise BoardError(f"{drive.path}: writing the image failed: {error.strerror or error}") from None
    if not _gone_soon(drive, end):
        raise BoardTimeoutError(
            f"{drive.path} is still there {wait_s:g} s after the image was written: the board did not take it"
        )


def _copy(path: Path, content: bytes, end: float, progress: Progress | None) -> None:
    # Synced piece by piece: otherwise all of it is "written" to the page cache at once.
    with path.open("wb") as file:
        for at in range(0, len(content), _CHUNK_BYTES):
            if time.monotonic() > end:
                raise BoardTimeoutError(f"{path.parent}: the image was not written in time")
            file.write(content[at : at + _CHUNK_BYTES])
            file.flush()
            os.fsync(file.fileno())
            if progress:
                progress(min(at + _CHUNK_BYTES, len(content)), len(content))


def _gone_soon(drive: Drive, end: float) -> bool:
    while _look(drive.path) is not None:
        if time.monotonic() > end:
            return False
        time.sleep(_POLL_S)
    return True


def _look(folder: Path) -> Drive | None:
    try:
        with (folder / INFO_FILE).open("rb") as file:
            text = file.read(_INFO_BYTES).decode("ascii", "replace")
    except OSError:
        return None
    fields = {key.strip(): value.strip() for key, colon, value in map(_split, text.splitlines()) if colon}
    board_id = fields.get("Board-ID", "")
    return Drive(folder, board_id, fields.get("Model", "unknown model")) if board_id else None


def _split(line: str) -> tuple[str, str, str]:
    return line.partition(":")


def _names(drives: list[Drive]) -> str:
    return ", ".join(str(drive.path) for drive in drives)
