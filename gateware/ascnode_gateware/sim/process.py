"""The simulator's process: commands out, answers in, each with a deadline. wire.h describes the frames."""

import os
import select
import struct
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from ascnode_gateware.synth.process import GatewareError

END_DEADLINE_S = 5.0
_READ_BYTES = 1 << 16


class SimulationError(GatewareError):
    """The simulator died, did not answer in time, or refused a command; the message says what was asked."""


class Process:
    """One running simulator, started with the seed of its memories' first contents."""

    def __init__(self, executable: Path, seed: int = 1) -> None:
        self._name = executable.name
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - close() closes it
        try:
            self._process = subprocess.Popen(
                [str(executable), str(seed)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                bufsize=0,
            )
        except OSError as error:
            self._errors.close()
            raise SimulationError(f"the simulator {executable} cannot be started: {error.strerror}") from None
        assert self._process.stdin and self._process.stdout
        self._in, self._out = self._process.stdin, self._process.stdout
        os.set_blocking(self._in.fileno(), False)

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, command: str, payload: bytes, what: str, deadline_s: float) -> bytes:
        """The answer to one command; SimulationError names `what` was asked when none comes in `deadline_s`."""
        if self._in.closed:
            raise SimulationError(f"the simulator is not running, so it cannot {what}")
        end = time.monotonic() + deadline_s
        try:
            self._send(command.encode() + struct.pack("<I", len(payload)) + payload, end)
            status, length = struct.unpack("<BI", self._receive(5, end))
            answer = self._receive(length, end)
        except TimeoutError:
            self._stop()
            raise SimulationError(f"the simulator did not {what} in {deadline_s:g} s") from None
        except OSError:  # the pipe has no other end any more
            raise SimulationError(f"the simulator ended when asked to {what}{self._last_words()}") from None
        except BaseException:  # Ctrl-C between question and answer: the next answer would be this one's
            self._stop()
            raise
        if status:
            raise SimulationError(f"the simulator could not {what}: {answer.decode(errors='replace')}")
        return answer

    def close(self) -> None:
        """Ends the process."""
        self._await_end()
        self._out.close()
        self._errors.close()

    def _send(self, data: bytes, end: float) -> None:
        rest = memoryview(data)
        while rest:
            self._wait([], [self._in.fileno()], end)
            rest = rest[os.write(self._in.fileno(), rest) :]

    def _receive(self, count: int, end: float) -> bytes:
        parts: list[bytes] = []
        while count:
            self._wait([self._out.fileno()], [], end)
            part = os.read(self._out.fileno(), min(count, _READ_BYTES))
            if not part:
                raise BrokenPipeError
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    @staticmethod
    def _wait(readers: list[int], writers: list[int], end: float) -> None:
        if not any(select.select(readers, writers, [], max(0.0, end - time.monotonic()))):
            raise TimeoutError

    def _last_words(self) -> str:
        self._await_end()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        code = self._process.returncode
        return f" (exit code {code})" + (f"; it said: {lines[-1]}" if lines else "")

    def _await_end(self) -> None:
        """By the end of its input, by force when that does not do it."""
        self._in.close()
        try:
            self._process.wait(END_DEADLINE_S)
        except subprocess.TimeoutExpired:
            self._stop()

    def _stop(self) -> None:
        self._in.close()
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
