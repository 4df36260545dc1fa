"""The simulator's executable: the harness in C++ with the accelerator's Verilog."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ascnode_gateware.sim.verilator import build_executable
from ascnode_gateware.synth.process import GatewareError

TOP = "accelerator"
SPI_TOP = "spi_accelerator"
# PyRTL's exporter leaves the extension with zeros to Verilog.
_PYRTL_FLAGS = ("-Wno-WIDTHEXPAND",)
_FOLDER = Path(__file__).parent
HEADERS = tuple(sorted(_FOLDER.glob("*.h")))


def cache_folder() -> Path:
    """Where built simulators are kept: they take longer to build than to run."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "ascnode" / "accelerator"


def build_simulator(sources: Sequence[Path], out_dir: Path, *, flags: Sequence[str] = ()) -> Path:
    """The executable of `sources`, whose top module is `accelerator`; kept in `out_dir`, built when not there.

    GatewareError when a tool is missing or the build fails.
    """
    return _build(sources, TOP, "harness.cpp", out_dir, flags)


def build_spi_simulator(sources: Sequence[Path], out_dir: Path, *, flags: Sequence[str] = ()) -> Path:
    """Likewise of `sources` whose top module is `spi_accelerator`, for `SpiDevice`."""
    return _build(sources, SPI_TOP, "spi_harness.cpp", out_dir, flags)


def build_accelerator(out_dir: Path) -> Path:
    """The simulator of the accelerator itself, its Verilog written anew."""
    with _gateware() as folder:
        from ascnode_gateware.rtl.accelerator import write_verilog  # PyRTL is an extra

        return build_simulator(write_verilog(folder), out_dir, flags=_PYRTL_FLAGS)


def build_spi_accelerator(out_dir: Path) -> Path:
    """The simulator of the accelerator behind its SPI port, for `SpiDevice`."""
    with _gateware() as folder:
        from ascnode_gateware.rtl.accelerator import write_verilog
        from ascnode_gateware.synth.wrap import spi_accelerator_verilog

        [accelerator] = write_verilog(folder)
        port = folder / "spi.v"
        port.write_text(spi_accelerator_verilog(accelerator.read_text()))
        return build_spi_simulator([accelerator, port], out_dir, flags=_PYRTL_FLAGS)


def _build(sources: Sequence[Path], top: str, main: str, out_dir: Path, flags: Sequence[str]) -> Path:
    return build_executable(
        sources, top, _FOLDER / main, out_dir, headers=HEADERS, flags=flags, prefix="Vtop"
    )


@contextmanager
def _gateware() -> Iterator[Path]:
    """A folder for Verilog; what PyRTL needs and is not there is a GatewareError."""
    try:
        with tempfile.TemporaryDirectory(prefix="ascnode-verilog-") as folder:
            yield Path(folder)
    except ModuleNotFoundError as error:
        raise GatewareError(
            f"the Python package `{error.name}` is missing: install ascnode[gateware]"
        ) from None
