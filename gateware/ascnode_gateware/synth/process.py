"""Running the tools: a deadline, a log file, and one error whose message ends with what the tool said last."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

TAIL_LINES = 15


class GatewareError(ValueError):
    """A design that cannot be built, or a tool that is missing or failed; the message says which."""


def run_tool(
    argv: Sequence[str | Path],
    *,
    what: str,
    log: Path,
    deadline_s: float,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> str:
    """Run a program to its end, its output going to the file `log`; returns that output.

    Raises GatewareError when the program is missing, fails, or has not ended after `deadline_s` seconds; its
    whole process group is ended then. `what` names the work in these messages.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        code = _wait(_start(argv, what, output.fileno(), cwd, env), what, deadline_s)
    text = log.read_text(errors="replace")
    if code != 0:
        raise GatewareError(f"{what} failed with exit code {code}; the end of {log}:\n{_tail(text)}")
    return text


def _start(
    argv: Sequence[str | Path], what: str, output: int, cwd: Path | None, env: Mapping[str, str] | None
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [str(word) for word in argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=None if env is None else dict(env),
            start_new_session=True,
        )
    except OSError as error:
        raise GatewareError(f"{what} needs {argv[0]}, which cannot be started: {error}") from error


def _wait(process: subprocess.Popen[bytes], what: str, deadline_s: float) -> int:
    try:
        return process.wait(deadline_s)
    except BaseException as error:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if isinstance(error, subprocess.TimeoutExpired):
            raise GatewareError(f"{what} had not ended after {deadline_s:g} s") from error
        raise


def _tail(text: str) -> str:
    return "\n".join(text.splitlines()[-TAIL_LINES:])
