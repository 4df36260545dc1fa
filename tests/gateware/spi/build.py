"""One Verilated build for every bench of these ports, made once and shared by pytest's workers."""

import fcntl
import hashlib
import os
import sys
import tempfile
from pathlib import Path

from cocotb_tools.runner import get_runner

import ascnode_gateware
from ascnode_gateware.sim.verilator import verilator_environment
from gateware.spi import design

TIMESCALE = ("1ns", "1ps")
# The benches take longer to compile optimised than to run unoptimised.
MADE_OF = (
    "bus/*.py",
    "registers/*.py",
    "rtl/cells.py",
    "rtl/crc.py",
    "rtl/loaded_counter.py",
    "rtl/spi_*.py",
    "rtl/wishbone.py",
)
BUILD_ARGS = ["-Wno-fatal", "--x-initial", "unique"]
# verilated.mk: its PYTHON3 is the path on the machine that built the package.
MAKE_FLAGS = f"PYTHON3={sys.executable} OPT_FAST=-O1 OPT_SLOW=-O0 OPT_GLOBAL=-O1"


def run_bench(test_module, seed=1):
    """Run the cocotb tests of a module (dotted name); a failed one fails the calling test."""
    os.environ.update(verilator_environment(), MAKEFLAGS=MAKE_FLAGS)
    source, folder = _source()
    runner = get_runner("verilator")
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _build(runner, source, folder)
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        runner.test(
            hdl_toplevel="bench",
            hdl_toplevel_lang="verilog",
            test_module=test_module,
            build_dir=folder,
            test_dir=scratch,
            seed=seed,
            results_xml=str(Path(scratch) / "results.xml"),
        )


def _build(runner, source, folder):
    if (folder / "built").exists():
        return
    source.write_text(design.bench_verilog())
    runner.build(
        sources=[source], hdl_toplevel="bench", build_dir=folder, build_args=BUILD_ARGS, timescale=TIMESCALE
    )
    (folder / "built").touch()


def _source():
    """(Verilog file, build folder), named by what the Verilog is made of."""
    package = Path(ascnode_gateware.__file__).parent
    made_of = [path for pattern in MADE_OF for path in sorted(package.glob(pattern))]
    digest = hashlib.sha256(" ".join([*BUILD_ARGS, MAKE_FLAGS]).encode())
    for path in [*made_of, Path(design.__file__), Path(__file__)]:
        digest.update(path.read_bytes())
    folder = Path(tempfile.gettempdir()) / f"ascnode-bench-{os.getuid()}-{digest.hexdigest()[:16]}"
    folder.mkdir(exist_ok=True)
    return folder / "bench.v", folder
