"""Guards on a synthesised netlist."""

import pytest

from ascnode_gateware.rtl.mac_array import MAC16_PARAMETERS
from ascnode_gateware.synth.guards import check_ecp5, check_ice40
from ascnode_gateware.synth.process import GatewareError
from ascnode_gateware.synth.yosys import Netlist


def mac16(**changed):
    parameters = {name: f"{value:0{width}b}" for name, (width, value) in MAC16_PARAMETERS.items()}
    return {"type": "SB_MAC16", "parameters": {**parameters, **changed}}


def netlist(macs=8, sprams=4, rams=26, other=()):
    kinds = ["SB_SPRAM256KA"] * sprams + ["SB_RAM40_4K"] * rams + list(other)
    cells = {f"cell{i}": {"type": kind, "parameters": {}} for i, kind in enumerate(kinds)}
    return Netlist({**cells, **{f"mac{i}": mac16() for i in range(macs)}}, {})


def test_the_blocks_of_the_design_pass():
    check_ice40(netlist(rams=30, other=["SB_LUT4", "$scopeinfo"]))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (netlist(macs=7), "has 7 SB_MAC16 in place of 8"),
        (netlist(sprams=0, rams=30), "has 0 SB_SPRAM256KA in place of 4"),
        (netlist(rams=31), "31 block RAMs are needed; there are 30"),
        (netlist(other=["$_DLATCH_P_"]), r"left unmapped: \$_DLATCH_P_"),
    ],
)
def test_other_counts_are_refused(wrong, message):
    with pytest.raises(GatewareError, match=message):
        check_ice40(wrong)


@pytest.mark.parametrize("name", MAC16_PARAMETERS)
def test_each_parameter_of_each_multiplier_is_guarded(name):
    width, value = MAC16_PARAMETERS[name]
    changed = netlist()
    cells = {**changed.cells, "mac5": mac16(**{name: f"{value ^ 1:0{width}b}"})}
    with pytest.raises(GatewareError, match=f"changed {name} of mac5 from {value} to {value ^ 1}"):
        check_ice40(Netlist(cells, {}))
    del cells["mac5"]["parameters"][name]
    with pytest.raises(GatewareError, match=f"changed {name} of mac5 from {value} to None"):
        check_ice40(Netlist(cells, {}))


def test_an_ecp5_netlist_needs_16_multipliers():
    check_ecp5(Netlist({f"m{i}": {"type": "MULT18X18D"} for i in range(16)}, {}))
    with pytest.raises(GatewareError, match="has 15 MULT18X18D in place of 16"):
        check_ecp5(Netlist({f"m{i}": {"type": "MULT18X18D"} for i in range(15)}, {}))
