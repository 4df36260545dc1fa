"""Verilator's strictest lint finds nothing in what is generated that no waiver, with its reason, covers."""

from pathlib import Path

import pytest

from ascnode_gateware.rtl.accelerator import core_verilog
from ascnode_gateware.rtl.spi_port import reset_release_verilog, spi_port_verilog
from ascnode_gateware.rtl.wishbone import wishbone_verilog
from ascnode_gateware.synth.chip import engine_design
from ascnode_gateware.synth.lint import lint_design
from ascnode_gateware.synth.process import GatewareError
from ascnode_gateware.synth.yosys import Design


def test_the_accelerator_is_clean(tmp_path: Path) -> None:
    lint_design(engine_design(core_verilog(), "behavioural"), tmp_path)


@pytest.mark.parametrize(
    ("top", "text"),
    [
        ("spi_port", spi_port_verilog),
        ("reset_release", reset_release_verilog),
        ("wishbone", wishbone_verilog),
    ],
)
def test_a_port_is_clean(top: str, text: object, tmp_path: Path) -> None:
    assert callable(text)
    lint_design(Design(top, {f"{top}.v": text()}), tmp_path)


def test_a_truncated_bus_is_found(tmp_path: Path) -> None:
    source = "module top(input [3:0] a, output [1:0] b);\n  assign b = a;\nendmodule\n"
    with pytest.raises(GatewareError, match="WIDTHTRUNC"):
        lint_design(Design("top", {"top.v": source}), tmp_path)
