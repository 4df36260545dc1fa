"""Opens serial ports: whole for us or not at all, and with a reason that a user can act on."""

from __future__ import annotations

import errno
import fcntl
import grp
import os
import termios
from contextlib import suppress
from pathlib import Path

import serial

from ascnode.errors import BoardError

BAUD = 115200


def open_serial(path: str, timeout_s: float = 0, write_timeout_s: float | None = None) -> serial.Serial:
    """The port at `path`, which no other program gets meanwhile; BoardError with the reason when it cannot be had.

    DTR and RTS both rise, which resets no ESP32 board: its reset circuit acts when they differ.
    """
    try:
        port = serial.Serial(path, BAUD, timeout=timeout_s, write_timeout=write_timeout_s, exclusive=True)
    except (serial.SerialException, OSError, ValueError, termios.error) as error:
        raise BoardError(f"cannot open {path}: {_reason(path, error)}") from None
    if _has_modem_lines(port):
        # Also against programs that do not look at locks. Not on a pseudo-terminal, where it would outlive us.
        with suppress(OSError):
            fcntl.ioctl(port.fileno(), termios.TIOCEXCL)
    return port


def close_serial(port: serial.Serial) -> None:
    """Gives the port back, RTS before DTR: the other way round, an ESP32's reset line would be pulled."""
    if not port.is_open:
        return
    with suppress(OSError, serial.SerialException):
        port.rts = False
        port.dtr = False
    with suppress(OSError, serial.SerialException):  # a port that went away is closed
        port.close()


def holder(path: str) -> str | None:
    """Such as "process 123 (minicom)" that has the port open besides us, as far as this user may see; Linux."""
    device = os.path.realpath(path)
    for process in Path("/proc").glob("[0-9]*"):
        if process.name == str(os.getpid()):
            continue
        with suppress(OSError):
            if any(os.path.realpath(fd) == device for fd in (process / "fd").iterdir()):
                return f"process {process.name} ({(process / 'comm').read_text().strip()})"
    return None


def _has_modem_lines(port: serial.Serial) -> bool:
    try:
        fcntl.ioctl(port.fileno(), termios.TIOCMGET, b"\0\0\0\0")
    except OSError:
        return False
    return True


def _reason(path: str, error: Exception) -> str:
    # pyserial's own lock is refused with EAGAIN, but its exception carries only the text.
    number = getattr(error, "errno", None)
    text = str(error)
    if number in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in text or "busy" in text:
        return f"{holder(path) or 'another program'} has it open"
    if number in (errno.EACCES, errno.EPERM):
        return f"permission denied: {_permission_hint(path)}"
    if number in (errno.ENOENT, errno.ENXIO, errno.ENODEV):
        return "no such port: is the board plugged in?"
    return text


def _permission_hint(path: str) -> str:
    try:
        group = grp.getgrgid(Path(path).stat().st_gid).gr_name
    except (OSError, KeyError):
        group = "dialout"
    return f"add yourself to the group {group} (sudo usermod -aG {group} $USER) and log in again"
