"""Which unit takes which part of the logic cells.

A cell with a flip-flop belongs to the unit of its register: PyRTL registers are named unit_something. A cell
without one is shared by what its output feeds, in equal parts for each pin, through as many cells as it takes to
reach registers, memories, multipliers or pins. The parts add up to all logic cells there are.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from ascnode_gateware.synth.process import GatewareError
from ascnode_gateware.synth.yosys import Design, Netlist

Shares = dict[str, float]

LOGIC_CELL = "ICESTORM_LC"
_FIXED_UNITS = {"ICESTORM_DSP": "array", "SB_IO": "pins"}
_DECLARATION = re.compile(r"^\s*(?:output\s+)?reg\s*(?:\[[^\]]*\]\s*)?(\w+)", re.MULTILINE)


def declared_registers(design: Design) -> frozenset[str]:
    """Names of the registers and memories in the sources, one declaration a line as PyRTL writes them."""
    return frozenset(name for text in design.sources.values() for name in _DECLARATION.findall(text))


def cells_by_unit(placed: Netlist, written: Netlist, registers: Iterable[str]) -> Shares:
    """Logic cells of each unit of an iCE40 design: as nextpnr placed it, and as it was written (map_to_cells).

    `registers` are the names that say where a flip-flop belongs. The unit of what has none is "other".
    """
    namer = _Namer(written, frozenset(registers))
    shares = _Fanout(placed, namer)
    total: Shares = defaultdict(float)
    for name, _ in placed.of_type(LOGIC_CELL):
        for unit, part in shares.of_cell(name).items():
            total[unit] += part
    return dict(total)


class _Namer:
    """From a net's name to the unit, by whichever of its names is a register's."""

    def __init__(self, written: Netlist, registers: frozenset[str]) -> None:
        self._registers = registers
        self._bits = {name: entry["bits"] for name, entry in written.netnames.items()}
        self._names: dict[int, list[str]] = defaultdict(list)
        for name, bits in self._bits.items():
            for bit in bits:
                self._names[bit].append(name)

    def of_net(self, name: str) -> str:
        """Yosys calls what has lost its name after a neighbour: neighbour_SB_DFF_Q and the like."""
        base, _, index = name.split("_SB_")[0].rstrip("]").partition("[")
        bits = self._bits.get(base, [])
        place = int(index or 0)
        aliases = self._names[bits[place]] if place < len(bits) else []
        return self._of_names([*aliases, base])

    def of_cell(self, name: str) -> str:
        """Of a memory block, which is called path.memory.number.number."""
        parts = name.split(".")
        return self._of_names(".".join(parts[: end + 1]) for end in range(len(parts)))

    def _of_names(self, names: Iterable[str]) -> str:
        listed = list(names)
        units = sorted({_unit(name) for name in listed if name.split(".")[-1] in self._registers})
        inside_spi = ["spi"] if any(name.startswith("port.") for name in listed) else []
        return next(iter([*units, *inside_spi, "other"]))


def _unit(name: str) -> str:
    """The SPI port is an instance of its own, called port; its registers have no common prefix."""
    path = name.split(".")
    return "spi" if path[0] == "port" else path[-1].split("_")[0].rstrip("0123456789")


class _Fanout:
    """Shares of nets, from what they feed, and of cells, from their outputs."""

    def __init__(self, placed: Netlist, namer: _Namer) -> None:
        self._cells, self._namer = placed.cells, namer
        self._sinks: dict[int, list[tuple[str, str]]] = defaultdict(list)  # (cell, port)
        for name, cell in placed.cells.items():
            for port, bit in _pins(cell, "input"):
                self._sinks[bit].append((name, port))
        self._net = {bit: name for name, entry in placed.netnames.items() for bit in entry["bits"]}
        self._of_net: dict[int, Shares] = {}
        for bit in self._last_nets_first():
            self._of_net[bit] = _mean([part for sink in self._sinks[bit] for part in self._of_sink(*sink)])

    def _last_nets_first(self) -> list[int]:
        graph = {
            bit: [
                after for sink in self._sinks[bit] for after in self._nets(sink[0], self._reached(*sink)[1])
            ]
            for bit in self._net
        }
        try:
            return list(TopologicalSorter(graph).static_order())
        except CycleError as error:
            names = ", ".join(self._net[bit] for bit in error.args[1])
            raise GatewareError(f"the design has a combinational loop: {names}") from error

    def of_cell(self, name: str) -> Shares:
        return self._owner(name, "O") or _mean(self._net_shares(name, ("O", "COUT")))

    def _owner(self, name: str, output: str) -> Shares | None:
        """The one unit of a cell that is none of the shared ones; a carry out of a register's cell is shared."""
        cell = self._cells[name]
        kind = cell["type"]
        if kind == LOGIC_CELL:
            if output == "O" and int(cell["parameters"]["DFF_ENABLE"], 2):
                return {self._namer.of_net(self._net[cell["connections"]["O"][0]]): 1.0}
            return None
        if kind == "SB_GB":
            return None
        return {_FIXED_UNITS.get(kind) or self._namer.of_cell(name): 1.0}

    def _of_sink(self, name: str, port: str) -> list[Shares]:
        owner, outputs = self._reached(name, port)
        shares = self._net_shares(name, outputs) + ([owner] if owner else [])
        return [_mean(shares)] if shares else []

    def _reached(self, name: str, port: str) -> tuple[Shares | None, tuple[str, ...]]:
        """(who owns what is behind an input, outputs that depend on it)."""
        outputs = _outputs_of(self._cells[name], port)
        if not outputs:
            return None, ()
        owner = self._owner(name, outputs[0])
        return owner, outputs[1:] if owner else outputs

    def _nets(self, name: str, outputs: Iterable[str]) -> list[int]:
        connections = self._cells[name]["connections"]
        return [bit for output in outputs for bit in connections.get(output, [])]

    def _net_shares(self, name: str, outputs: Iterable[str]) -> list[Shares]:
        return [self._of_net[bit] for bit in self._nets(name, outputs)]


def _mean(parts: list[Shares]) -> Shares:
    total: Shares = defaultdict(float)
    for part in parts:
        for unit, share in part.items():
            total[unit] += share / len(parts)
    return dict(total) or {"other": 1.0}


def _outputs_of(cell: Mapping[str, Any], port: str) -> tuple[str, ...]:
    """Outputs that depend on an input: a look-up table shares its cell, and its inputs, with a carry."""
    if cell["type"] != LOGIC_CELL:
        return _BUFFER_OUTPUTS
    carried = port in ("I1", "I2", "CIN") and int(cell["parameters"]["CARRY_ENABLE"], 2)
    looked_up = port not in _LUT_INPUTS or _depends(int(cell["parameters"]["LUT_INIT"], 2), _LUT_INPUTS[port])
    return (("O",) if looked_up and port != "CIN" else ()) + (("COUT",) if carried else ())


def _depends(table: int, place: int) -> bool:
    return any((table >> i ^ table >> (i | place)) & 1 for i in range(16))


_LUT_INPUTS = {"I0": 1, "I1": 2, "I2": 4, "I3": 8}  # what an input adds to the index into LUT_INIT
_BUFFER_OUTPUTS = ("GLOBAL_BUFFER_OUTPUT",)


def _pins(cell: Mapping[str, Any], way: str) -> list[tuple[str, int]]:
    directions = cell["port_directions"]
    return [
        (port, bit)
        for port, bits in cell["connections"].items()
        if directions[port] == way
        for bit in bits
        if isinstance(bit, int)
    ]
