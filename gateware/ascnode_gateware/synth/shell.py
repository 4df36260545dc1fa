"""The FPGA families' own cells between the design and the pins: clocks, the flash's pins, MISO.

They join the wires of chip.py: clk and sck (global clocks), rst (asks for a reset, any clock), drive (the flash's
pins are ours), cs_n, flash_sck_en, flash_o, flash_oe, flash_i, miso.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ascnode_gateware.synth.boards import Board

# SB_IO's PIN_TYPE: output kind in bits 5..2, input kind in bits 1..0 (SiliconBlue iCE technology library).
_INPUT = "6'b0000_01"
_TRISTATE = "6'b1010_01"  # output and enable as they are, not registered; input likewise
_TRISTATE_SAMPLED = "6'b1010_00"  # input registered in the pin's cell, hence accelerator.SAMPLE_DELAY
_DDR_TRISTATE = "6'b1000_01"  # output in both halves of the clock


@dataclass(frozen=True)
class Cells:
    """Verilog of the clock cells and of the other pins' cells."""

    clocks: str
    pins: str


def ice40_cells(board: Board) -> Cells:
    """The flash's SCK is high in the second half of a cycle with flash_sck_en, so its IO has half a cycle of setup."""
    clocks = [
        _pll(board) if board.pll is not None else _clock_pin("clock", "clk"),
        _clock_pin("spi_sck", "sck"),
    ]
    sck = _io("flash_sck", _DDR_TRISTATE, "drive", "1'b0", ".D_OUT_1(flash_sck_en), .OUTPUT_CLK(clk)")
    pins = [
        _io("spi_miso", _TRISTATE, "~spi_cs_n", "miso"),
        _io("flash_cs_n", _TRISTATE, "drive", "cs_n"),
        sck,
        *(_flash_io(i) for i in range(4)),
    ]
    return Cells("\n".join(clocks), "\n".join(pins))


def _clock_pin(pin: str, net: str) -> str:
    return (
        f"  SB_GB_IO #(.PIN_TYPE({_INPUT})) {pin}_pin(.PACKAGE_PIN({pin}), .GLOBAL_BUFFER_OUTPUT({net}));"
        + ("\n  assign rst = ~reset_n;" if net == "clk" else "")
    )


def _pll(board: Board) -> str:
    assert board.pll is not None
    widths = {"DIVR": 4, "DIVF": 7, "DIVQ": 3, "FILTER_RANGE": 3}
    dividers = ", ".join(f".{name}({widths[name]}'d{value})" for name, value in board.pll.items())
    return f"""  wire locked;
  SB_PLL40_PAD #(.FEEDBACK_PATH("SIMPLE"), {dividers})
  pll(.PACKAGEPIN(clock), .PLLOUTGLOBAL(clk), .LOCK(locked), .RESETB(1'b1), .BYPASS(1'b0));
  assign rst = ~(reset_n & locked);"""


def _flash_io(i: int) -> str:
    enable = f"drive & flash_oe[{i}]"
    sample = f".D_IN_0(flash_i[{i}]), .INPUT_CLK(clk)"
    return _io(f"flash_io{i}", _TRISTATE_SAMPLED, enable, f"flash_o[{i}]", sample)


def _io(pin: str, kind: str, enable: str, value: str, more: str = "") -> str:
    words = [f".PACKAGE_PIN({pin})", f".OUTPUT_ENABLE({enable})", f".D_OUT_0({value})", more]
    return f"  SB_IO #(.PIN_TYPE({kind})) {pin}_pin({', '.join(word for word in words if word)});"


def ecp5_cells(board: Board) -> Cells:
    """Plain Verilog. The flash's SCK is a gated clock: its enable only changes while the clock is high."""
    clocks = "  assign clk = clock;\n  assign sck = spi_sck;\n  assign rst = ~reset_n;"
    pins = [
        "  assign spi_miso = spi_cs_n ? 1'bz : miso;",
        "  assign flash_cs_n = drive ? cs_n : 1'bz;",
        "  assign flash_sck = drive ? flash_sck_en & ~clk : 1'bz;",
        *(f"  assign flash_io{i} = drive & flash_oe[{i}] ? flash_o[{i}] : 1'bz;" for i in range(4)),
        "  reg [3:0] sampled;",
        "  always @(posedge clk) sampled <= {flash_io3, flash_io2, flash_io1, flash_io0};",
        "  assign flash_i = sampled;",
    ]
    return Cells(clocks, "\n".join(pins))


SHELLS: Mapping[str, Callable[[Board], Cells]] = MappingProxyType({"ice40": ice40_cells, "ecp5": ecp5_cells})
