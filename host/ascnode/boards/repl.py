"""A board's raw REPL: the only module that knows mpremote's library side, which is not a stable API.

Every wait has a deadline; whatever fails is a BoardError that names the port.
"""

from __future__ import annotations

import errno
import io
import os
import select
import time
from collections.abc import Callable
from contextlib import contextmanager, redirect_stdout, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import serial

from ascnode.errors import BoardError, BoardTimeoutError
from ascnode.session.opening import close_serial, open_serial

if TYPE_CHECKING:
    from collections.abc import Iterator

READ_S = 5.0
ENTER_S = 4.0
_LONGEST_S = 120.0
_PROMPT, _QUIET_S, _INTERRUPTS = b">>> ", 0.15, 3
# Larger pieces are fewer round trips; as Python source a piece takes up to four times that on the board.
_CHUNK_BYTES = 2048
_FILE_ERRORS = {errno.ENOSPC, errno.ENOENT, errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.EROFS}

Progress = Callable[[int, int], None]


class NoReplError(BoardError):
    """What is on the port does not answer as MicroPython's REPL does."""


class Repl:
    """Use with `with`: the port is opened and the raw REPL entered, and given back at the end.

    `restart`: leave with a soft reset, so that a firmware that was interrupted runs again.
    """

    def __init__(self, path: str, enter_s: float = ENTER_S, restart: bool = True) -> None:
        self.path = path
        self._enter_s = enter_s
        self._restart = restart
        self._transport: Any = None

    def __enter__(self) -> Self:
        self._transport = _transport(open_serial(self.path, READ_S, READ_S), self.path)
        try:
            self._enter()
        except BaseException:
            close_serial(self._transport.serial)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.leave()
            else:  # the first error is the one to tell
                with suppress(BoardError):
                    self.leave()
        finally:
            close_serial(self._transport.serial)

    def leave(self) -> None:
        """To the friendly REPL, and from there to boot.py and main.py if it should restart."""
        with self._errors("leaving the REPL"):
            if self._transport.in_raw_repl:
                self._transport.exit_raw_repl()
                if self._restart:
                    self._transport.serial.write(b"\r\x04")

    def exec(self, code: str, what: str) -> str:
        """What `code` prints; BoardError with `what` when it raises or does not end."""
        with self._errors(what):
            return str(self._transport.exec(code).decode())

    def send(self, code: str, what: str) -> None:
        """Runs `code` without waiting for an end: a reset has none."""
        with self._errors(what):
            self._transport.exec_raw_no_follow(code)
            self._transport.in_raw_repl = False

    def write_file(self, path: str, data: bytes, progress: Progress | None = None) -> None:
        """Writes a file on the board, in place."""
        with self._errors(f"writing {path}"):
            self._transport.fs_writefile(path, data, chunk_size=_CHUNK_BYTES, progress_callback=progress)

    def _enter(self) -> None:
        # A soft reset gives a clean heap and keeps main.py from running; some firmware does not survive one.
        if not self._try(soft_reset=True) and not self._try(soft_reset=False):
            raise NoReplError(
                f"{self.path}: no REPL, tried twice for {self._enter_s:g} s (foreign firmware? put MicroPython on with "
                f"--image)"
            )

    def _try(self, soft_reset: bool) -> bool:
        from mpremote.transport import TransportError

        with self._errors("entering the raw REPL"):
            self._interrupt()
            try:
                self._transport.enter_raw_repl(soft_reset, timeout_overall=self._enter_s)
            except TransportError:
                return False
        return True

    def _interrupt(self) -> None:
        # To a friendly prompt that stays. More than once: what came before, a hello too, is typed at the REPL after
        # the first Ctrl-C and may hold a Ctrl-D, which starts the program again.
        for _ in range(_INTERRUPTS):
            self._transport.serial.write(b"\r\x03\x02")
            if self._until_quiet().endswith(_PROMPT):
                return

    def _until_quiet(self) -> bytes:
        port = self._transport.serial
        end = time.monotonic() + self._enter_s
        data = b""
        while time.monotonic() < end and select.select([port], [], [], _QUIET_S)[0]:
            data = data[-len(_PROMPT) :] + port.read(max(1, port.in_waiting))
        return data

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        from mpremote.transport import TransportError, TransportExecError

        try:
            with redirect_stdout(io.StringIO()):  # mpremote prints what it did not expect
                yield
        except serial.SerialTimeoutException:
            raise BoardTimeoutError(f"{self.path}: {what}: the board takes no bytes ({READ_S:g} s)") from None
        except TransportExecError as error:
            last = error.error_output.strip().splitlines()
            raise BoardError(
                f"{self.path}: {what}: the board said {last[-1] if last else 'nothing'}"
            ) from None
        except (TransportError, UnicodeDecodeError, SyntaxError, ValueError) as error:
            raise BoardError(f"{self.path}: {what}: {error}") from None
        except OSError as error:  # of the board's file system as mpremote translates it, or of the port
            if error.errno in _FILE_ERRORS:
                said = os.strerror(error.errno or 0)
                raise BoardError(f"{self.path}: {what}: the board said {said}") from None
            raise BoardError(f"{self.path}: {what}: the port went away ({error})") from None
        except Exception as error:  # struct.error of half a header, termios.error of a port that vanished
            raise BoardError(f"{self.path}: {what}: {type(error).__name__}: {error}") from None


def _transport(port: serial.Serial, path: str) -> Any:
    """mpremote's transport over a port that we opened: its own opening hides why it failed."""
    try:
        from mpremote.transport_serial import SerialTransport
    except ModuleNotFoundError:
        raise BoardError("mpremote is missing: pip install ascnode[flash]") from None
    kind = type("Transport", (SerialTransport,), {"read_until": _read_until})
    transport: Any = object.__new__(kind)
    transport.in_raw_repl = False
    transport.use_raw_paste = True
    transport.device_name = path
    transport.mounted = False
    transport.serial = port
    transport.is_pty = False  # only its own read_until looks at it
    return transport


def _read_until(
    self: Any,
    min_num_bytes: int,
    ending: bytes,
    timeout: float | None = 10,
    data_consumer: Callable[[bytes], None] | None = None,
    timeout_overall: float | None = None,
) -> bytes:
    """Waits for bytes where mpremote sleeps 10 ms and looks again: a deployment has thousands of answers."""
    data = b""
    end = time.monotonic() + (timeout_overall or _LONGEST_S)
    while not data.endswith(ending):
        left = min(timeout or _LONGEST_S, end - time.monotonic())
        if left <= 0 or not select.select([self.serial], [], [], left)[0]:
            break
        byte = self.serial.read(1)
        data = byte if data_consumer else data + byte
        if data_consumer:
            data_consumer(byte)
    return data
