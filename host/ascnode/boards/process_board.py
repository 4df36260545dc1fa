"""A board that is a process on this machine, as its host sees it: a serial port with a power switch."""

from __future__ import annotations

import json
import os
import select
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from ascnode.boards.flash_image import BLOCK_BYTES
from ascnode.errors import BoardError, BoardTimeoutError

DEADLINE_S = 10.0


@dataclass(frozen=True)
class Event:
    """One report of the board's process; supervisor.py lists the kinds and their details."""

    kind: str
    details: dict[str, str | int]


class ProcessBoard(ABC):
    """A process behind a pseudo-terminal, with its flash of `flash_blocks` times 4,096 bytes in the file `flash`.

    Start it with `with` or start(). It begins without power. Everything that waits has a deadline; with
    wait=False the call returns at once, and `fileno()` becomes readable when there is something for `poll()`.
    `accelerator`: descriptor of its end of a link to one (ascnode.boards.accelerators), open as long as the board is.
    """

    def __init__(
        self,
        flash: Path,
        what: str,
        flash_blocks: int,
        name: str | None = None,
        accelerator: int | None = None,
    ) -> None:
        self.flash = Path(flash).absolute()
        self.name = name or self.flash.stem
        self._what = what
        self._flash_bytes = flash_blocks * BLOCK_BYTES
        self._accelerator = accelerator
        self._events: list[Event] = []
        self._commanded = 0
        self._unread = b""
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def cut_at_write(self, number: int, halves: int = 0) -> None:
        """Power fails at that write or erase of the flash from now on (1 is the next), once; of its bytes so many
        halves (0, 1 or 2) are stored."""

    @abstractmethod
    def _command(self) -> list[str]:
        """What runs the board: it takes commands on its standard input and reports on its standard output."""

    def _prepare(self) -> None:
        """What has to be there before the process starts."""
        return

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Starts the process, without power; does not wait. BoardError without a flash image that fits."""
        if self._process is not None:
            raise BoardError(f"board {self.name}: started twice")
        size = self.flash.stat().st_size if self.flash.is_file() else -1
        if size != self._flash_bytes:
            found = "does not exist" if size < 0 else f"has {size} bytes"
            raise BoardError(
                f"board {self.name}: {self.flash} {found}; a {self._what} needs {self._flash_bytes} bytes"
            )
        try:
            self._prepare()
            self._process = subprocess.Popen(
                self._command(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                pass_fds=() if self._accelerator is None else (self._accelerator,),
                start_new_session=True,  # a Ctrl-C in the user's terminal is the host's to handle
            )
        except OSError as error:
            raise BoardError(f"board {self.name}: cannot be started: {error.strerror}") from error
        os.set_blocking(self.fileno(), False)

    def close(self) -> None:
        """Ends the board and its process; does nothing when they have ended."""
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    @property
    def port(self) -> str:
        """Path of the serial port; the same from start() to close()."""
        self.wait_for("its serial port", lambda: bool(self._all("port")))
        return str(self._all("port")[0].details["path"])

    @property
    def events(self) -> list[Event]:
        """All reports so far, oldest first; also after the end."""
        with suppress(BoardError):
            self.poll()
        return self._events

    @property
    def boots(self) -> int:
        """How often the board has come up."""
        return sum(event.kind == "boot" for event in self.events)

    @property
    def alive(self) -> bool:
        """Whether the board is up: booted, and neither off nor crashed since."""
        with suppress(BoardError):
            self.poll()
            return self._up()
        return False

    def power_on(self, wait: bool = True, deadline_s: float = DEADLINE_S) -> None:
        """Gives power; the board boots from its flash. Nothing changes when it had power."""
        self.poll()
        boots = len(self._all("boot")) + (not self._up())
        self._tell("power on")
        if wait:
            self.wait_boot(boots, deadline_s)

    def reset(self, wait: bool = True, deadline_s: float = DEADLINE_S) -> None:
        """Pulls the reset line, whatever the board is doing; gives power when there was none."""
        boots = self.boots + 1
        self._tell("reset")
        if wait:
            self.wait_boot(boots, deadline_s)

    def power_off(self, wait: bool = True, deadline_s: float = DEADLINE_S) -> None:
        """Takes the power away at any instant; what the board has sent still arrives."""
        self._lose_power("power off", wait, deadline_s)

    def cut(self, wait: bool = True, deadline_s: float = DEADLINE_S) -> None:
        """Takes the power away and loses what was on its way to the host."""
        self._lose_power("cut", wait, deadline_s)

    def wait_boot(self, boots: int = 1, deadline_s: float = DEADLINE_S) -> None:
        """Until the board has booted `boots` times; BoardError when it cannot boot."""
        self.wait_for(f"boot {boots}", lambda: len(self._all("boot")) >= boots, deadline_s)

    def wait_for(self, what: str, condition: Callable[[], bool], deadline_s: float = DEADLINE_S) -> None:
        """Until `condition`, which is looked at after each event.

        BoardTimeoutError names `what` when the deadline passes; BoardError when the board has faulted or
        crashed since the last command, or its supervisor is gone.
        """
        end = time.monotonic() + deadline_s
        self.poll()
        while not condition():
            self._raise_failure()
            left = end - time.monotonic()
            if left <= 0:
                raise BoardTimeoutError(f"board {self.name}: no sign of {what} within {deadline_s:g} s")
            self._wait_readable(left)
            self.poll()

    def poll(self) -> None:
        """Takes in the events that have come, without waiting. BoardError when the supervisor is gone."""
        while True:
            try:
                data = os.read(self.fileno(), 65536)
            except BlockingIOError:
                return
            if not data:
                raise self._gone()
            *lines, self._unread = (self._unread + data).split(b"\n")
            for line in lines:
                details = json.loads(line)
                self._events.append(Event(details.pop("event"), details))

    def fileno(self) -> int:
        """Readable when there are events for poll()."""
        process = self._running()
        assert process.stdout is not None
        return process.stdout.fileno()

    def _check_cut(self, number: int, halves: int) -> None:
        if number < 1 or halves not in (0, 1, 2):
            raise BoardError(
                f"board {self.name}: a cut at write {number} with {halves} halves makes no sense"
            )

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise BoardError(f"board {self.name}: not started")
        return self._process

    def _tell(self, command: str) -> None:
        pipe = self._running().stdin
        assert pipe is not None
        self._commanded = len(self._events)
        try:
            pipe.write(command.encode() + b"\n")
        except BrokenPipeError as error:
            raise self._gone() from error

    def _gone(self) -> BoardError:
        reason: str | int = "its supervisor process has ended"
        if self._events and self._events[-1].kind == "fault":
            reason = self._events[-1].details["reason"]  # its last words
        return BoardError(f"board {self.name}: {reason}")

    def _raise_failure(self) -> None:
        for event in self._events[self._commanded :]:
            if event.kind == "fault":
                raise BoardError(f"board {self.name}: {event.details['reason']}")
            if event.kind == "crash":
                raise BoardError(
                    f"board {self.name}: its process was killed by signal {event.details['signal']}"
                )

    def _lose_power(self, command: str, wait: bool, deadline_s: float) -> None:
        self.poll()
        losses = len(self._all("off")) + 1
        self._tell(command)
        if wait:
            self.wait_for("the power going off", lambda: len(self._all("off")) >= losses, deadline_s)

    def _wait_readable(self, timeout_s: float) -> None:
        # poll, not select: a process with many boards has descriptors past 1,023.
        waiter = select.poll()
        waiter.register(self.fileno(), select.POLLIN)
        waiter.poll(timeout_s * 1000)

    def _all(self, kind: str) -> list[Event]:
        return [event for event in self._events if event.kind == kind]

    def _up(self) -> bool:
        states = [event.kind for event in self._events if event.kind in ("boot", "off", "crash", "fault")]
        return bool(states) and states[-1] == "boot"
