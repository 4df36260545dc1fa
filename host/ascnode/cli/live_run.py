"""The run beside `ascnode serve --live`: `ascnode run` in a process of its own, stopped as by Ctrl-C by its server.

Standard input is a pipe that the server holds: when it closes, however the server ended, the run ends too.
"""

import asyncio
import os
import signal
import sys
import threading
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from pathlib import Path

_STOP_S = 20.0  # for the boards to end and the record to be closed


async def start_run(scenario: Path, record: Path) -> Process:
    """Starts it; what it prints comes through a pipe, as lines for a log."""
    command = (sys.executable, "-m", __name__, "run", str(scenario), "--record", str(record))
    return await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, start_new_session=True)


async def relay(process: Process, say: Callable[[str], None]) -> None:
    """Says each line of the run until it ends. A display of its own would draw over what else is on the terminal."""
    assert process.stdout is not None
    async for line in process.stdout:
        say(line.decode(errors="replace").rstrip())


async def stop_run(process: Process) -> None:
    """Ends it as Ctrl-C does, so that the record is closed; by force when that takes too long."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(_STOP_S):
            await process.wait()
    except TimeoutError:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _end_with_server() -> None:
    while os.read(
        sys.stdin.fileno(), 1
    ):  # not through sys.stdin, whose lock the interpreter wants at its end
        pass
    os.kill(os.getpid(), signal.SIGINT)


if __name__ == "__main__":
    from ascnode.cli.main import main

    threading.Thread(target=_end_with_server, daemon=True).start()
    main()
