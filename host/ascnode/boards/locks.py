"""One process a board: an exclusive lock per chip id that the kernel gives back when its process dies.

Of this user and machine; ports opened exclusively keep other users' programs away.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from ascnode.errors import BoardError

_CHIP_ID = re.compile(r"[0-9a-f]{2,64}")
_HOLDER_BYTES = 200


def lock_folder() -> Path:
    """A folder of this user alone, made when needed; BoardError when somebody else's stands there."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    folder = Path(runtime) / "ascnode" if runtime else Path(tempfile.gettempdir()) / f"ascnode-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError as error:
        raise BoardError(f"no folder for locks at {folder}: {error.strerror}") from None
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise BoardError(f"{folder} is not a folder of yours alone (mode 700): remove it, locks go there")
    return folder


class BoardLock:
    """Use with `with`, or acquire() and release(). BoardError names who holds the board."""

    def __init__(self, chip_id: str) -> None:
        if not _CHIP_ID.fullmatch(chip_id):
            raise BoardError(f"{chip_id!r} is not a chip id: hexadecimal digits in small letters")
        self.chip_id = chip_id
        self._fd: int | None = None

    def acquire(self) -> None:
        """Takes the board or raises at once."""
        if self._fd is not None:
            return
        # Never removed: whoever waits on a removed file would lock nothing. Not inherited by programs that we start.
        fd = os.open(lock_folder() / f"{self.chip_id}.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(fd, _HOLDER_BYTES).decode(errors="replace").strip() or "another process"
            os.close(fd)
            raise BoardError(f"board {self.chip_id} is in use by {holder}") from None
        os.ftruncate(fd, 0)
        os.write(fd, f"process {os.getpid()} ({_program()})\n".encode()[:_HOLDER_BYTES])
        self._fd = fd

    def release(self) -> None:
        """Gives the board back; may be called twice."""
        fd, self._fd = self._fd, None
        if fd is not None:
            os.ftruncate(fd, 0)
            os.close(fd)

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _program() -> str:
    return " ".join([Path(sys.argv[0]).name, *sys.argv[1:3]])
