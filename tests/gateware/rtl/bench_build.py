"""The accelerator Verilated for cocotb, made once and shared by pytest's workers."""

import fcntl
import hashlib
import os
import sys
import tempfile
from pathlib import Path

from cocotb_tools.runner import get_runner

from ascnode_gateware.rtl.accelerator import write_verilog
from ascnode_gateware.sim.verilator import verilator_environment

TOP = "accelerator"
TIMESCALE = ("1ns", "1ps")
BUILD_ARGS = ["-Wno-WIDTHEXPAND", "--x-initial", "unique"]
# verilated.mk: its PYTHON3 is the path on the machine that built the package.
MAKE_FLAGS = f"PYTHON3={sys.executable} OPT_FAST=-O1 OPT_SLOW=-O0 OPT_GLOBAL=-O0"


def run_bench(test_module, folder, seed=1):
    """Run the cocotb tests of a module (dotted name); a failed one fails the calling test. Builds in `folder`."""
    os.environ.update(verilator_environment(), MAKEFLAGS=MAKE_FLAGS)
    runner = get_runner("verilator")
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        built = _build(runner, folder)
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        runner.test(
            hdl_toplevel=TOP,
            hdl_toplevel_lang="verilog",
            test_module=test_module,
            build_dir=built,
            test_dir=scratch,
            seed=seed,
            results_xml=str(Path(scratch) / "results.xml"),
        )


def _build(runner, folder):
    """The build folder, named by the Verilog; a cocotb that moved needs another."""
    with tempfile.TemporaryDirectory(prefix="ascnode-verilog-") as scratch:
        (source,) = write_verilog(Path(scratch))
        text = source.read_bytes()
    key = hashlib.sha256(text + " ".join([*BUILD_ARGS, MAKE_FLAGS]).encode()).hexdigest()[:16]
    build = folder / f"{TOP}-{key}"
    build.mkdir(exist_ok=True)
    kept = build / "accelerator.v"
    if not (build / "built").exists():
        kept.write_bytes(text)
        runner.build(
            sources=[kept], hdl_toplevel=TOP, build_dir=build, build_args=BUILD_ARGS, timescale=TIMESCALE
        )
        (build / "built").touch()
    return build
