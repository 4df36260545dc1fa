"""Runs a script in the MicroPython unix port, with the firmware's modules in reach."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from ascnode.boards.interpreter import find_interpreter

REPOSITORY = Path(__file__).resolve().parent.parent
FIRMWARE = REPOSITORY / "firmware" / "lib"


class MicroPythonError(Exception):
    """The script failed; the message holds its exit code, stdout and stderr."""


def run_micropython(
    script: str | Path,
    *args: str,
    timeout_s: float = 60,
    heap: str | None = None,
    path: Sequence[Path] = (),
) -> str:
    """What `script` (source text, or a file's Path) prints; `heap` as "228wK"; `path` adds module folders.

    Skips the test when there is no interpreter; MicroPythonError when the script fails.
    """
    interpreter = find_interpreter()
    if interpreter is None:
        pytest.skip("no MicroPython interpreter")
    command = [*interpreter.command, *(["-X", f"heapsize={heap}"] if heap else [])]
    command += [str(script)] if isinstance(script, Path) else ["-c", script]
    modules = ":".join(str(folder) for folder in (".frozen", FIRMWARE, *path))
    run = subprocess.run(
        [*command, *args],
        capture_output=True,
        timeout=timeout_s,
        check=False,
        env={**os.environ, "MICROPYPATH": modules},
    )
    stdout, stderr = run.stdout.decode(errors="replace"), run.stderr.decode(errors="replace")
    if run.returncode:
        raise MicroPythonError(f"exit code {run.returncode}\n{stdout}\n{stderr}")
    return stdout
