"""The chip's top module: the accelerator, its SPI port, and the board's pins around them."""

from string import Template

from ascnode_gateware.rtl.mac_array import with_mac_array
from ascnode_gateware.rtl.spi_port import reset_release_verilog, spi_port_verilog
from ascnode_gateware.synth.boards import Board
from ascnode_gateware.synth.process import GatewareError
from ascnode_gateware.synth.shell import SHELLS
from ascnode_gateware.synth.verilog import ModulePort, instance, module_ports, wire_declarations
from ascnode_gateware.synth.yosys import Design

# What the chip gives the accelerator, and takes from it; other outputs are left open.
_INPUTS = frozenset(
    [
        "clk",
        "reset",
        "bus_valid",
        "bus_write",
        "bus_addr",
        "bus_wdata",
        "crc_error",
        "frame_error",
        "flash_grant",
        "flash_i",
    ]
)
_OUTPUTS = frozenset(
    [
        "bus_ready",
        "bus_rdata",
        "irq",
        "flash_request",
        "flash_driven",
        "flash_cs_n",
        "flash_sck_en",
        "flash_o",
        "flash_oe",
    ]
)


def engine_design(core: str, family: str) -> Design:
    """The accelerator with its multipliers and no pins: module `accelerator`, as a simulator wants it.

    `core` is the PyRTL module's Verilog; family is "behavioural", "ice40" or "ecp5".
    """
    return Design("accelerator", {"accelerator.v": with_mac_array(core, family)})


def board_design(core: str, board: Board) -> Design:
    """The whole chip: module `chip`."""
    accelerator = with_mac_array(core, board.family)
    sources = {
        "accelerator.v": accelerator,
        "spi_port.v": spi_port_verilog() + reset_release_verilog(),
        "chip.v": chip_verilog(module_ports(accelerator, "accelerator"), board),
    }
    return Design("chip", sources)


def chip_verilog(accelerator: list[ModulePort], board: Board) -> str:
    """Verilog of module `chip`, whose ports are the board's pins."""
    _check(accelerator)
    cells = SHELLS[board.family](board)
    return _CHIP.substitute(
        ports=",\n".join([_COMMON_PORTS, *(f"  output {name}" for name in board.low)]),
        low="\n".join(f"  assign {name} = 1'b0;" for name in board.low),
        wires=wire_declarations(p for p in accelerator if p.name not in _DECLARED),
        clocks=cells.clocks,
        accelerator=instance("accelerator", "core", accelerator, {**_PINS, "flash_grant": "grant"}),
        cells=cells.pins,
    )


def _check(accelerator: list[ModulePort]) -> None:
    names = {way: {p.name for p in accelerator if p.direction == way} for way in ("input", "output")}
    if names["input"] != _INPUTS:
        raise GatewareError(f"chip and accelerator differ in inputs: {sorted(names['input'] ^ _INPUTS)}")
    if not names["output"] >= _OUTPUTS:
        raise GatewareError(f"the accelerator lacks the outputs {sorted(_OUTPUTS - names['output'])}")


# Ports of the accelerator that have the names of pins.
_PINS = {"irq": "irq", "flash_cs_n": "cs_n"}
_DECLARED = frozenset(["clk", "reset", "crc_error", "frame_error", "flash_grant", *_PINS])

_COMMON_PORTS = """  input clock,
  input reset_n,
  output irq,
  output request,
  input grant,
  input spi_sck,
  input spi_cs_n,
  input spi_mosi,
  output spi_miso,
  output flash_sck,
  output flash_cs_n,
  inout flash_io0,
  inout flash_io1,
  inout flash_io2,
  inout flash_io3"""

# The other master of the flash lets go of its pins before it grants, and takes them back after `request` fell.
_CHIP = Template("""`default_nettype none
module chip(
$ports
);
  wire clk, sck, reset, rst, miso, crc_error, frame_error, cs_n;
$wires
$low
$clocks
  reset_release release_reset(.clk(clk), .rst(rst), .reset(reset));
  spi_port port(
    .clk(clk), .reset(reset), .sck(sck), .cs_n(spi_cs_n), .mosi(spi_mosi), .miso(miso),
    .valid(bus_valid), .write(bus_write), .address(bus_addr), .wdata(bus_wdata),
    .ready(bus_ready), .rdata(bus_rdata), .crc_error(crc_error), .frame_error(frame_error)
  );
$accelerator
  assign request = flash_request;
  wire drive = flash_driven & grant;
$cells
endmodule
`default_nettype wire
""")
