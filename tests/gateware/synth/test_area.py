"""Logic cells by unit, on netlists small enough to count by hand."""

import pytest

from ascnode_gateware.synth.area import cells_by_unit, declared_registers
from ascnode_gateware.synth.process import GatewareError
from ascnode_gateware.synth.yosys import Design, Netlist

ALL_INPUTS = 0x6996  # depends on each of I0..I3
ONLY_I0_AND_I3 = 0xAA00


def cell(output, *, ff=False, lut=ALL_INPUTS, carry=None, **inputs):
    connections = {"O": [output] if output else [], "COUT": [carry] if carry else []}
    return {
        "type": "ICESTORM_LC",
        "parameters": {
            "DFF_ENABLE": str(int(ff)),
            "CARRY_ENABLE": str(int(carry is not None)),
            "LUT_INIT": f"{lut:016b}",
        },
        "port_directions": {**dict.fromkeys(inputs, "input"), "O": "output", "COUT": "output"},
        "connections": {**connections, **{port: [bit] for port, bit in inputs.items()}},
    }


def hard(kind, **inputs):
    ports = {port: [bit] for port, bit in inputs.items()}
    return {
        "type": kind,
        "parameters": {},
        "port_directions": dict.fromkeys(ports, "input"),
        "connections": ports,
    }


def units(cells, names):
    nets = Netlist(cells, {name: {"bits": [bit]} for name, bit in names.items()})
    registers = {name.split(".")[-1] for name in names if "_" in name}
    return cells_by_unit(nets, nets, registers)


def test_a_table_is_shared_by_the_registers_that_it_feeds():
    cells = {
        "table": cell(1, I0=9),
        "a": cell(2, ff=True, I0=1),
        "b": cell(3, ff=True, I0=1),
        "c": cell(4, ff=True, I0=1, I1=1),
    }
    found = units(cells, {"wire": 1, "core.fetch_a": 2, "core.drain_b": 3, "core.drain_c": 4})
    assert found == pytest.approx({"fetch": 1 + 1 / 4, "drain": 2 + 3 / 4})
    assert sum(found.values()) == pytest.approx(len(cells))


def test_sharing_goes_through_tables_and_hard_blocks_end_it():
    cells = {
        "first": cell(1, I0=9),
        "second": cell(2, I0=1),
        "dsp": hard("ICESTORM_DSP", A_0=2),
        "core.bank0.0.0": hard("ICESTORM_SPRAM", ADDRESS_0=1),
        "pin": hard("SB_IO", D_OUT_0=2),
    }
    found = units(cells, {"w": 1, "v": 2, "core.bank0": 7, "bank0_": 8})
    assert found.keys() == {"array", "pins", "other"}
    assert found["array"] == found["pins"] == pytest.approx(1 / 2 + 1 / 4)


def test_a_carry_goes_to_the_next_cell_and_a_table_beside_it_is_no_loop():
    cells = {
        # The table looks at I0 and I3 alone: its output may feed its own cell's carry.
        "low": cell(1, carry=2, lut=ONLY_I0_AND_I3, I0=9, I2=1, I3=8),
        "high": cell(3, ff=True, I3=2, CIN=2),
    }
    assert units(cells, {"w": 1, "carry": 2, "passes_x": 3}) == pytest.approx({"passes": 2.0})


def test_a_combinational_loop_is_named():
    cells = {"a": cell(1, I0=2), "b": cell(2, I0=1)}
    with pytest.raises(GatewareError, match=r"combinational loop: .*ping"):
        units(cells, {"ping": 1, "pong": 2})


def test_names_that_optimisation_made_up_lead_back_to_the_register():
    cells = {"a": cell(1, ff=True, I0=9), "b": cell(2, ff=True, I0=9)}
    names = {"core.config_x_SB_DFF_Q_3_D": 1, "port.bits.mangled": 2}
    nets = Netlist(cells, {name: {"bits": [bit]} for name, bit in names.items()})
    assert cells_by_unit(nets, nets, {"config_x"}) == {"config": 1.0, "spi": 1.0}


def test_registers_are_found_in_verilog():
    text = "    reg[7:0] fetch_count = 8'd0;\n  reg drain_busy;\n    reg[31:0] bank0[16383:0];\n  wire x;\n"
    assert declared_registers(Design("t", {"t.v": text})) == {"fetch_count", "drain_busy", "bank0"}
