"""The whole flow on the stand-in, and what boards and reports say."""

from dataclasses import replace

import pytest

from ascnode_gateware.synth import yosys
from ascnode_gateware.synth.boards import BOARDS, ICEBREAKER, PICO_ICE, board_named, pin_constraints
from ascnode_gateware.synth.chip import board_design, chip_verilog
from ascnode_gateware.synth.flow import Chip, synthesise
from ascnode_gateware.synth.place import Clock, Placed, place
from ascnode_gateware.synth.process import GatewareError
from ascnode_gateware.synth.verilog import module_ports
from gateware.synth.stand_in import build_stand_in

SYNC = bytes.fromhex("7eaa997e")  # begins an iCE40 bitstream's commands (Project IceStorm)


@pytest.mark.deep
@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_a_chip_is_built_for_each_board(board, tmp_path):
    chip = synthesise(board_design(build_stand_in(), board), board, [1], tmp_path)
    assert chip.best.slack >= 1
    assert chip.bitstream is not None and chip.bitstream.stat().st_size > 50_000
    if board.family == "ice40":
        assert chip.best.used["ICESTORM_DSP"] == 8
        assert chip.best.used["ICESTORM_SPRAM"] == 4
        assert sum(chip.units.values()) == pytest.approx(chip.best.used["ICESTORM_LC"])
        assert chip.units["spi"] > chip.units["pins"]
        assert {round(clock.wanted_mhz, 2) for clock in chip.best.clocks.values()} == {24.0, 31.25}
        assert SYNC in chip.bitstream.read_bytes()[:200]
    assert f"seed 1: {'clk' if board.family == 'ice40' else ''}" in chip.report()


def test_a_chip_that_is_late_has_no_bitstream_and_says_so(tmp_path):
    report = tmp_path / "report.json"
    report.write_text(
        '{"critical_paths": [{"from": "posedge clk", "to": "posedge clk", "path": ['
        '{"type": "clk-to-q", "delay": 1.5}, {"type": "routing", "delay": 40.25, "net": "drain_sum[3]"}]}]}'
    )
    clocks = {"clk": Clock(23.9, 24.0), "sck": Clock(60.0, 31.25)}
    late = Placed(3, {"ICESTORM_LC": 5000}, clocks, tmp_path, tmp_path, report)
    assert late.slack == pytest.approx(23.9 / 24.0)
    text = Chip(PICO_ICE, [late], late, {"drain": 12.5}, None).report()
    assert "NO SEED IS IN TIME" in text
    assert "seed 3: clk 23.9 / 24 MHz, sck 60.0 / 31.25 MHz" in text
    assert "  41.75 drain_sum[3]" in text


def test_boards_give_each_port_a_pin_of_its_own():
    for board in (PICO_ICE, ICEBREAKER):
        assert len(set(board.pins.values())) == len(board.pins)
        chip = board_design(build_stand_in(), board).sources["chip.v"]
        assert {port.name for port in module_ports(chip, "chip")} == set(board.pins)
    # The boards' schematics: the flash is on the pins that configure the FPGA.
    assert [PICO_ICE.pins[f"flash_{name}"] for name in ("io0", "io1", "sck", "cs_n")] == [
        "14",
        "17",
        "15",
        "16",
    ]
    assert "set_io spi_sck 20\n" in pin_constraints(PICO_ICE)
    assert "set_io -pullup yes reset_n 2\n" in pin_constraints(ICEBREAKER)


def test_the_pll_makes_the_cores_clock():
    pll = ICEBREAKER.pll
    vco = ICEBREAKER.input_mhz / (pll["DIVR"] + 1) * (pll["DIVF"] + 1)
    assert 533 <= vco <= 1066  # iCE40 sysCLOCK PLL guide
    assert vco / 2 ** pll["DIVQ"] == ICEBREAKER.core_mhz


def test_a_pin_that_holds_others_in_check_is_driven_low():
    assert "assign psram_select = 1'b0;" in board_design(build_stand_in(), PICO_ICE).sources["chip.v"]


def test_an_accelerator_with_other_ports_is_refused():
    ports = module_ports(board_design(build_stand_in(), PICO_ICE).sources["accelerator.v"], "accelerator")
    with pytest.raises(GatewareError, match=r"lacks the outputs \['flash_driven'\]"):
        chip_verilog([port for port in ports if port.name != "flash_driven"], PICO_ICE)
    with pytest.raises(GatewareError, match=r"differ in inputs: \['secret'\]"):
        chip_verilog([*ports, replace(ports[0], direction="input", name="secret")], PICO_ICE)


def test_unknown_boards_families_and_no_seeds_are_refused(tmp_path):
    design = board_design(build_stand_in(), PICO_ICE)
    with pytest.raises(GatewareError, match="no board 'de10'; there are pico-ice, icebreaker"):
        board_named("de10")
    with pytest.raises(GatewareError, match="family 'xc7'"):
        yosys.map_to_cells(design, "xc7", tmp_path)
    with pytest.raises(GatewareError, match="at least one seed"):
        synthesise(design, PICO_ICE, [], tmp_path)


def test_a_clock_that_the_constraints_miss_is_an_error(tmp_path):
    verilog = "module chip(input clock, output reg irq); always @(posedge clock) irq <= ~irq; endmodule"
    yosys.map_to_cells(yosys.Design("chip", {"chip.v": verilog}), "ice40", tmp_path)
    board = replace(PICO_ICE, pins={"clock": "35", "irq": "27"})
    with pytest.raises(GatewareError, match=r"a clock that pico-ice\.pins names is not in the design"):
        place(board, "chip", 1, tmp_path)
