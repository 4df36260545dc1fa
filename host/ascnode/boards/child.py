"""The MicroPython process of a virtual board and the bytes on their way to it.

Imported by the supervisor, which starts a hundred times at once: only stdlib modules that load in no time.
"""

from __future__ import annotations

import errno
import os
import signal
import time
import tty

# The child writes lines to this descriptor: "mounted", or what went wrong; "cut" (see firmware/board/virtual.py).
STATUS_FD = 3
QUEUE_BYTES = 65536

# A second SIGINT while the VM has not yet raised the first one's KeyboardInterrupt ends the process.
_DEBOUNCE_S = 0.05


class Queue:
    """Bytes on their way to a non-blocking descriptor; whoever fills it looks at full() first."""

    def __init__(self, fd: int, data: bytes = b"") -> None:
        self.fd = fd
        self.data = bytearray(data)

    def send(self, data: bytes | bytearray) -> None:
        """Writes what the descriptor takes now and keeps the rest."""
        if not self.data:
            data = data[self._write(data) :]
        self.data += data

    def flush(self) -> None:
        """Writes what was kept, as far as the descriptor takes it."""
        del self.data[: self._write(self.data)]

    def full(self) -> bool:
        """Whether to stop filling it: back-pressure instead of growth."""
        return len(self.data) >= QUEUE_BYTES

    def _write(self, data: bytes | bytearray) -> int:
        try:
            return os.write(self.fd, data)
        except BlockingIOError:
            return 0
        except OSError as error:
            if (
                error.errno != errno.EIO
            ):  # EIO: the process is ending, which the reader of its terminal will see
                raise
            return 0


class Child:
    """A process on a terminal of its own, with a pipe for its status."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.terminal, slave = os.openpty()
        self.status, status_end = os.pipe()
        tty.setraw(slave)
        self.pid = os.fork()
        if self.pid == 0:
            _become(command, environment, slave, status_end)
        os.close(slave)
        os.close(status_end)
        for fd in (self.terminal, self.status):
            os.set_blocking(fd, False)
        self.mounted = False
        self.silent = False  # its status has ended
        self._ended: int | None = None
        self._signalled_s = 0.0

    def interrupt(self) -> bool:
        """Takes a Ctrl-C byte as a signal when the VM has Ctrl-C armed; False when it must pass as a byte.

        The unix port implements micropython.kbd_intr() as the disposition of SIGINT, so the kernel knows.
        """
        if not self.mounted or not _catches_sigint(self.pid):
            return False
        if time.monotonic() - self._signalled_s < _DEBOUNCE_S:
            return True
        # If the VM disarmed Ctrl-C between look and signal, the signal would kill it: it stands still.
        os.kill(self.pid, signal.SIGSTOP)
        _, status = os.waitpid(self.pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            self._ended = status
            return True
        armed = _catches_sigint(self.pid)
        if armed:
            os.kill(self.pid, signal.SIGINT)
            self._signalled_s = time.monotonic()
        os.kill(self.pid, signal.SIGCONT)
        return armed

    def end(self) -> int:
        """Kills the process if it still runs, frees everything and returns its wait status."""
        if self._ended is None:
            os.kill(self.pid, signal.SIGKILL)
            _, self._ended = os.waitpid(self.pid, 0)
        os.close(self.terminal)
        os.close(self.status)
        return self._ended


def read_available(fd: int) -> bytes | None:
    """What a non-blocking descriptor holds; None when nothing is there now, empty at end of file."""
    try:
        return os.read(fd, QUEUE_BYTES)
    except BlockingIOError:
        return None


def _become(command: list[str], environment: dict[str, str], slave: int, status_end: int) -> None:
    # In the forked process; never returns.
    try:
        # Not caught, and not deadly, until MicroPython itself asks for it.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        os.dup2(status_end, STATUS_FD)
        os.set_inheritable(STATUS_FD, True)
        os.login_tty(slave)
        os.execve(command[0], command, environment)
    finally:
        os._exit(127)


def _catches_sigint(pid: int) -> bool:
    # A hexadecimal mask in which bit 1 is SIGINT.
    return bool(int(_caught_signals(pid), 16) >> (signal.SIGINT - 1) & 1)


def _caught_signals(pid: int) -> bytes:
    try:
        fd = os.open(f"/proc/{pid}/status", os.O_RDONLY)
    except FileNotFoundError:  # no /proc: macOS
        return _caught_signals_by_ps(pid)
    text = os.read(fd, 8192)
    os.close(fd)
    return text[text.index(b"SigCgt:") + 7 :].split(None, 1)[0]


def _caught_signals_by_ps(pid: int) -> bytes:
    import subprocess  # a third of the start-up time, and not needed on Linux

    ps = subprocess.run(["ps", "-o", "sigcatch=", "-p", str(pid)], capture_output=True, check=False)
    return ps.stdout.strip() or b"0"
