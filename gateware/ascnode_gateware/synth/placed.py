"""The placed chip as Verilog for a simulator: every cell that nextpnr packed and placed, and the nets between them.

Not read back: the routing (which wires carry a net) and the bitstream.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from ascnode_gateware.synth.boards import Board, pin_constraints
from ascnode_gateware.synth.cells import cell_models
from ascnode_gateware.synth.guards import CHECKS
from ascnode_gateware.synth.netlist import design_key, made_once
from ascnode_gateware.synth.place import PLACED_TOP, place
from ascnode_gateware.synth.placed_cells import PAD_MODEL, library_cells
from ascnode_gateware.synth.process import GatewareError
from ascnode_gateware.synth.yosys import Design, map_to_cells, package_version, run_yosys


def place_once(design: Design, board: Board, seed: int, cache: Path) -> Path:
    """What nextpnr wrote of a design placed on an iCE40; kept in `cache`, by the sources' content.

    GatewareError as for synth.flow.synthesise.
    """

    def make(folder: Path) -> None:
        CHECKS[board.family](map_to_cells(design, board.family, folder))
        place(board, design.top, seed, folder)

    name = f"{design.top}-{board.name}-{_key(design, board)}-seed{seed}"
    return made_once(cache, name, make) / f"{design.top}_seed{seed}.placed.json"


def _key(design: Design, board: Board) -> str:
    version = package_version(f"yowasp-nextpnr-{board.family}")
    text = f"{design_key(design, board.family)} {version} {pin_constraints(board)}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def placed_verilog(placed_json: Path, top: str, out_dir: Path) -> list[Path]:
    """Verilog files of what `place` wrote, and of its cells' models, in `out_dir`; the top module is called `top`.

    GatewareError when the file is not nextpnr's, or has a cell that there is no model of.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    netlist = {"creator": "nextpnr", "modules": {top: library_cells(_read(placed_json))}}
    name = f"{top}_placed"
    (out_dir / f"{name}.json").write_text(json.dumps(netlist))
    run_yosys([f"read_json {name}.json", f"rename -hide; write_verilog -noattr {name}.v"], out_dir, name)
    pads = out_dir / "ice40_pads.v"
    pads.write_text(PAD_MODEL)
    return [out_dir / f"{name}.v", pads, *cell_models("ice40", out_dir)]


def placed_accelerator(placed_json: Path, out_dir: Path) -> list[Path]:
    """Verilog files of a placed chip as module `spi_accelerator`, with the ports of wrap.spi_accelerator_verilog.

    Its flash comes through the pads' registers: what the harness calls flash_i is a cycle earlier than the core's.
    """
    pins = out_dir / "chip_pins.v"
    files = placed_verilog(placed_json, "chip", out_dir)
    pins.write_text(_AT_THE_PINS)
    return [*files, pins]


def _read(path: Path) -> dict[str, Any]:
    try:
        module: dict[str, Any] = json.loads(path.read_text())["modules"][PLACED_TOP]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise GatewareError(f"{path} is not a placed design of nextpnr: {error!r}") from None
    return module


# The pins as the simulator's harness has them behind the SPI port: flash_sck_en is high while SCK is, in a cycle's
# second half.
_AT_THE_PINS = """module spi_accelerator(
  input clk, input rst, input sck, input cs_n, input mosi, output miso, output irq,
  output flash_request, input flash_grant, output flash_driven, output flash_cs_n, output flash_sck_en,
  output [3:0] flash_o, output [3:0] flash_oe, input [3:0] flash_i
);
  wire sck_out, sck_enable, miso_out, miso_enable;
  chip chip(
    .clock_in(clk), .reset_n_in(~rst), .spi_sck_in(sck), .spi_cs_n_in(cs_n), .spi_mosi_in(mosi),
    .spi_miso_out(miso_out), .spi_miso_enable(miso_enable), .irq_out(irq),
    .request_out(flash_request), .grant_in(flash_grant),
    .flash_cs_n_out(flash_cs_n), .flash_cs_n_enable(flash_driven),
    .flash_sck_out(sck_out), .flash_sck_enable(sck_enable),
    .flash_io0_in(flash_i[0]), .flash_io0_out(flash_o[0]), .flash_io0_enable(flash_oe[0]),
    .flash_io1_in(flash_i[1]), .flash_io1_out(flash_o[1]), .flash_io1_enable(flash_oe[1]),
    .flash_io2_in(flash_i[2]), .flash_io2_out(flash_o[2]), .flash_io2_enable(flash_oe[2]),
    .flash_io3_in(flash_i[3]), .flash_io3_out(flash_o[3]), .flash_io3_enable(flash_oe[3])
  );
  assign miso = miso_out & miso_enable;
  assign flash_sck_en = sck_out & sck_enable;
endmodule
"""
