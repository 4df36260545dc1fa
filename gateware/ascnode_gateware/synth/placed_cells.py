"""nextpnr's cells of an iCE40, put back into the library's, whose models Yosys has.

A logic cell becomes its LUT, carry and flip-flop, a memory or DSP the primitive that it was. A pin `p` becomes three
ports: p_in, p_out and p_enable, which is high while the chip drives it.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from ascnode_gateware.synth.process import GatewareError

Cell = Mapping[str, Any]
Bits = list[int | str]
PAD = "PLACED_PAD"


def library_cells(placed: Mapping[str, Any]) -> dict[str, Any]:
    """The placed module (as its JSON has it) with the library's cells in place of nextpnr's."""
    netlist = _Netlist(itertools.count(1 + _highest_bit(placed)))
    pads = {cell["connections"]["PACKAGE_PIN"][0]: name for name, cell in _of_type(placed, "SB_IO")}
    for name, cell in placed["cells"].items():
        if cell["type"] not in _TRANSLATIONS:
            raise GatewareError(f"there is no model of {cell['type']}, the type of cell {name}")
        _TRANSLATIONS[cell["type"]](netlist, name, cell)
    _connect_clock_pins(netlist, placed)
    ports: dict[str, Any] = {}
    for port, found in placed["ports"].items():
        ports |= _pin_ports(port, netlist.cells[pads[found["bits"][0]]]["connections"])
    return {"attributes": {"top": "1"}, "ports": ports, "cells": netlist.cells, "netnames": {}}


def _pin_ports(pin: str, pad: Mapping[str, Bits]) -> dict[str, Any]:
    return {
        f"{pin}_in": {"direction": "input", "bits": pad["PAD_IN"]},
        f"{pin}_out": {"direction": "output", "bits": pad["PAD_OUT"]},
        f"{pin}_enable": {"direction": "output", "bits": pad["PAD_ENABLE"]},
    }


@dataclass
class _Netlist:
    new_bit: Iterator[int]
    cells: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(
        self, name: str, kind: str, inputs: Mapping[str, Bits], outputs: Mapping[str, Bits], **parameters: str
    ) -> None:
        self.cells[name] = {
            "type": kind,
            "parameters": parameters,
            "port_directions": dict.fromkeys(inputs, "input") | dict.fromkeys(outputs, "output"),
            "connections": {**inputs, **outputs},
        }


def _of_type(placed: Mapping[str, Any], kind: str) -> Iterator[tuple[str, Cell]]:
    return ((name, cell) for name, cell in placed["cells"].items() if cell["type"] == kind)


def _highest_bit(placed: Mapping[str, Any]) -> int:
    nets = (bits for cell in placed["cells"].values() for bits in cell["connections"].values())
    return max((bit for bits in nets for bit in bits if isinstance(bit, int)), default=1)


# An input that is not connected reads 0, a clock enable 1 (Yosys's cells_sim.v: ICESTORM_LC, SB_RAM40_4K).
_ENABLES = frozenset(["CEN", "CE", "RCLKE", "WCLKE", "CLOCK_ENABLE"])


def _input(cell: Cell, port: str) -> Bits:
    return cell["connections"].get(port) or ["1" if port in _ENABLES else "0"]


def _logic_cell(netlist: _Netlist, name: str, cell: Cell) -> None:
    """LUT, carry and flip-flop, as many of them as are used."""
    parameters, connections = cell["parameters"], cell["connections"]
    if connections.get("LO"):
        raise GatewareError(f"there is no model of the LUT cascade that {name} has")
    registered = parameters["DFF_ENABLE"] == "1"
    looked_up: Bits = [next(netlist.new_bit)] if registered else connections["O"]
    if looked_up:
        inputs = {port: _input(cell, port) for port in ("I0", "I1", "I2", "I3")}
        netlist.add(f"{name}/lut", "SB_LUT4", inputs, {"O": looked_up}, LUT_INIT=parameters["LUT_INIT"])
    if parameters["CARRY_ENABLE"] == "1" and connections["COUT"]:
        carry: Bits = [parameters["CIN_SET"]] if parameters["CIN_CONST"] == "1" else _input(cell, "CIN")
        inputs = {"I0": _input(cell, "I1"), "I1": _input(cell, "I2"), "CI": carry}
        netlist.add(f"{name}/carry", "SB_CARRY", inputs, {"CO": connections["COUT"]})
    if registered:
        _flip_flop(netlist, f"{name}/dff", cell, looked_up)


def _flip_flop(netlist: _Netlist, name: str, cell: Cell, data: Bits) -> None:
    """One of the library's twenty; a synchronous reset waits for the enable in both."""
    parameters, inputs = cell["parameters"], {"C": _input(cell, "CLK"), "D": data}
    kind = "SB_DFF" + ("N" if parameters["NEG_CLK"] == "1" else "")
    if cell["connections"]["CEN"]:
        kind, inputs["E"] = f"{kind}E", _input(cell, "CEN")
    if cell["connections"]["SR"]:
        letter = "S" if parameters["SET_NORESET"] == "1" else "R"
        kind += letter if parameters["ASYNC_SR"] == "1" else f"S{letter}"
        inputs[letter] = _input(cell, "SR")
    netlist.add(name, kind, inputs, {"Q": cell["connections"]["O"]})


def _block(kind: str) -> Callable[[_Netlist, str, Cell], None]:
    """A hard block: nextpnr made ports of its buses' bits, A_0 of A[0]."""

    def translate(netlist: _Netlist, name: str, cell: Cell) -> None:
        buses: dict[str, dict[str, Bits]] = {"input": {}, "output": {}}
        for port in sorted(cell["port_directions"], key=_place_in_bus):
            way = cell["port_directions"][port]
            bits = _input(cell, port) if way == "input" else _output(netlist, cell, port)
            buses[way].setdefault(port.partition("_")[0], []).extend(bits)
        netlist.add(name, kind, buses["input"], buses["output"], **_block_parameters(name, cell))

    return translate


def _place_in_bus(port: str) -> int:
    return int(port.partition("_")[2] or 0)


def _output(netlist: _Netlist, cell: Cell, port: str) -> Bits:
    return cell["connections"].get(port) or [next(netlist.new_bit)]


def _block_parameters(name: str, cell: Cell) -> dict[str, str]:
    parameters: dict[str, str] = dict(cell["parameters"])
    if "1" in [parameters.pop("NEG_CLK_R", "0"), parameters.pop("NEG_CLK_W", "0")]:
        raise GatewareError(f"there is no model of a block RAM on a falling edge, as {name} is")
    return parameters


def _pad(netlist: _Netlist, name: str, cell: Cell) -> None:
    kind = int(cell["parameters"]["PIN_TYPE"], 2)
    if kind & _INPUT_LATCH or "1" in cell["parameters"].get("NEG_TRIGGER", "0"):
        raise GatewareError(f"there is no model of a pin as {name} is, latched or on a falling edge")
    inputs = {port: _input(cell, port) for port in _PAD_INPUTS}
    inputs["PAD_IN"] = cell["connections"]["PACKAGE_PIN"]
    outputs = {port: _output(netlist, cell, port) for port in _PAD_OUTPUTS}
    netlist.add(name, PAD, inputs, outputs, PIN_TYPE=f"{kind:06b}")


def _global_buffer(netlist: _Netlist, name: str, cell: Cell) -> None:
    source, driven = "USER_SIGNAL_TO_GLOBAL_BUFFER", "GLOBAL_BUFFER_OUTPUT"
    netlist.add(name, "SB_GB", {source: _input(cell, source)}, {driven: cell["connections"][driven]})


def _connect_clock_pins(netlist: _Netlist, placed: Mapping[str, Any]) -> None:
    """From a pin straight to a global buffer there is a wire that nextpnr leaves out: its buffer is named after it."""
    for name, cell in _of_type(placed, "SB_IO"):
        if "GLOBAL_BUFFER_OUTPUT" in cell["connections"]:
            buffer = netlist.cells.get(f"$gbuf_{name}_io")
            if buffer is None:
                raise GatewareError(f"the global buffer of {name} is not among the placed cells")
            buffer["connections"]["USER_SIGNAL_TO_GLOBAL_BUFFER"] = cell["connections"]["PACKAGE_PIN"]


_TRANSLATIONS: Mapping[str, Callable[[_Netlist, str, Cell], None]] = MappingProxyType(
    {
        "ICESTORM_LC": _logic_cell,
        "ICESTORM_RAM": _block("SB_RAM40_4K"),
        "ICESTORM_SPRAM": _block("SB_SPRAM256KA"),
        "ICESTORM_DSP": _block("SB_MAC16"),
        "SB_IO": _pad,
        "SB_GB": _global_buffer,
    }
)

_PAD_INPUTS = ("CLOCK_ENABLE", "INPUT_CLK", "OUTPUT_CLK", "OUTPUT_ENABLE", "D_OUT_0", "D_OUT_1")
_PAD_OUTPUTS = ("D_IN_0", "D_IN_1", "PAD_OUT", "PAD_ENABLE")
_INPUT_LATCH = 2

# SB_IO without its latch and without `z` (Lattice, iCE technology library: PIN_TYPE).
PAD_MODEL = f"""module {PAD}(
  input PAD_IN, output PAD_OUT, output PAD_ENABLE,
  input CLOCK_ENABLE, input INPUT_CLK, input OUTPUT_CLK, input OUTPUT_ENABLE, input D_OUT_0, input D_OUT_1,
  output D_IN_0, output D_IN_1
);
  parameter [5:0] PIN_TYPE = 0;
  reg in_0 = 0, in_1 = 0, out_0 = 0, out_1 = 0, enable = 0;
  always @(posedge INPUT_CLK) if (CLOCK_ENABLE) in_0 <= PAD_IN;
  always @(negedge INPUT_CLK) if (CLOCK_ENABLE) in_1 <= PAD_IN;
  always @(posedge OUTPUT_CLK) if (CLOCK_ENABLE) begin out_0 <= D_OUT_0; enable <= OUTPUT_ENABLE; end
  always @(negedge OUTPUT_CLK) if (CLOCK_ENABLE) out_1 <= D_OUT_1;
  assign D_IN_0 = PIN_TYPE[0] ? PAD_IN : in_0;
  assign D_IN_1 = in_1;
  wire twice = OUTPUT_CLK ? out_0 : out_1;
  assign PAD_OUT = PIN_TYPE[3] ? (PIN_TYPE[2] ? ~out_0 : D_OUT_0) : (PIN_TYPE[2] ? out_0 : twice);
  assign PAD_ENABLE = PIN_TYPE[5:4] == 1 | (PIN_TYPE[5:4] == 2 & OUTPUT_ENABLE) | (PIN_TYPE[5:4] == 3 & enable);
endmodule
"""
