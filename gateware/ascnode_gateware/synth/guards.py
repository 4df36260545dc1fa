"""What must hold of a synthesised netlist: hard blocks lost or changed pass every simulation of the RTL."""

from collections.abc import Mapping
from typing import Any

from ascnode_gateware.rtl.mac_array import MAC16_PARAMETERS, PAIRS
from ascnode_gateware.synth.process import GatewareError
from ascnode_gateware.synth.yosys import Netlist

SPRAM_BLOCKS = 4
BLOCK_RAMS = 30
ECP5_MULTIPLIERS = 16


def check_ice40(netlist: Netlist) -> None:
    """GatewareError unless there are 8 SB_MAC16 as instantiated, 4 SPRAM, at most 30 block RAMs and no latch."""
    _need("SB_MAC16", netlist.counts["SB_MAC16"], PAIRS)
    _need("SB_SPRAM256KA", netlist.counts["SB_SPRAM256KA"], SPRAM_BLOCKS)
    if netlist.counts["SB_RAM40_4K"] > BLOCK_RAMS:
        raise GatewareError(f"{netlist.counts['SB_RAM40_4K']} block RAMs are needed; there are {BLOCK_RAMS}")
    for name, cell in netlist.of_type("SB_MAC16"):
        _check_mac16(name, cell["parameters"])
    _no_generic_cells(netlist)


def check_ecp5(netlist: Netlist) -> None:
    """GatewareError unless the 16 multiplications are multiplier blocks."""
    _need("MULT18X18D", netlist.counts["MULT18X18D"], ECP5_MULTIPLIERS)
    _no_generic_cells(netlist)


CHECKS = {"ice40": check_ice40, "ecp5": check_ecp5}


def _need(kind: str, found: int, wanted: int) -> None:
    if found != wanted:
        raise GatewareError(f"the netlist has {found} {kind} in place of {wanted}")


def _check_mac16(name: str, parameters: Mapping[str, Any]) -> None:
    found = {key: int(value, 2) for key, value in parameters.items() if key in MAC16_PARAMETERS}
    for key, (_, value) in MAC16_PARAMETERS.items():
        if found.get(key) != value:
            raise GatewareError(f"synthesis changed {key} of {name} from {value} to {found.get(key)}")


def _no_generic_cells(netlist: Netlist) -> None:
    generic = sorted(kind for kind in netlist.counts if kind.startswith("$") and kind not in _NOT_LOGIC)
    if generic:
        raise GatewareError(f"cells were left unmapped: {', '.join(generic)}")


# nextpnr-ecp5 makes tristate pins of $_TBUF_ itself.
_NOT_LOGIC = ("$scopeinfo", "$_TBUF_")
