"""The simulator's executable: the harness in C++ with the accelerator's Verilog."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from ascnode_gateware.sim.verilator import build_executable
from ascnode_gateware.synth.process import GatewareError

TOP = "accelerator"
# PyRTL's exporter leaves the extension with zeros to Verilog.
_PYRTL_FLAGS = ("-Wno-WIDTHEXPAND",)
_FOLDER = Path(__file__).parent


def build_simulator(sources: Sequence[Path], out_dir: Path, *, flags: Sequence[str] = ()) -> Path:
    """The executable of `sources`, whose top module is `accelerator`; kept in `out_dir`, built when not there.

    GatewareError when a tool is missing or the build fails.
    """
    headers = sorted(_FOLDER.glob("*.h"))
    return build_executable(
        sources, TOP, _FOLDER / "harness.cpp", out_dir, headers=headers, flags=flags, prefix="Vtop"
    )


def build_accelerator(out_dir: Path) -> Path:
    """The simulator of the accelerator itself, its Verilog written anew."""
    try:
        from ascnode_gateware.rtl.accelerator import write_verilog  # PyRTL is an extra
    except ModuleNotFoundError as error:
        raise GatewareError(
            f"the Python package `{error.name}` is missing: install ascnode[gateware]"
        ) from None
    with tempfile.TemporaryDirectory(prefix="ascnode-verilog-") as folder:
        return build_simulator(write_verilog(Path(folder)), out_dir, flags=_PYRTL_FLAGS)
