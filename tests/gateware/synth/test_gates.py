"""The gates that synthesis made, run beside the RTL: hard blocks, block RAM, multipliers and all."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from ascnode_gateware.sim.verilator import build_executable
from ascnode_gateware.synth import yosys
from ascnode_gateware.synth.chip import engine_design
from ascnode_gateware.synth.netlist import GATE_FLAGS, gate_level
from ascnode_gateware.synth.process import GatewareError
from gateware.synth.stand_in import RESULT, WORDS, build_stand_in

MAIN = Path(__file__).parent / "bus_main.cpp"
IDLE, WRITE, READ = range(3)
START = 0x8000


def build(sources, config, *flags):
    return build_executable(sources, "accelerator", MAIN, Path(config.cache.mkdir("verilator")), flags=flags)


def read_words(executable, commands):
    stimulus = np.array(commands, "<u4").tobytes()
    done = subprocess.run([executable], input=stimulus, capture_output=True, timeout=120, check=True)
    return np.frombuffer(done.stdout, "<u4").tolist()


def run_of(seed):
    """Commands: both banks filled with random words, two runs, and some words read back."""
    words = np.random.default_rng(seed).integers(0, 1 << 32, (2, WORDS), dtype=np.uint64)
    fill = [(WRITE, 0x4000 * bank + i, int(words[bank, i])) for bank in range(2) for i in range(WORDS)]
    start = [(WRITE, START, 1), (IDLE, 0, WORDS + 20), (READ, RESULT, 0)]
    back = [(READ, 0x4000 * bank + i, 0) for bank in range(2) for i in range(0, WORDS, 61)]
    written = [int(words[bank, i]) for bank in range(2) for i in range(0, WORDS, 61)]
    return [*fill, *start, (WRITE, 3, 0xDEADBEEF), *start, *back], written


def test_gates_compute_what_the_rtl_computes(request, tmp_path):
    core = build_stand_in()
    gates = gate_level(engine_design(core, "ice40"), "ice40", Path(request.config.cache.mkdir("gates")))
    rtl = build(engine_design(core, "behavioural").write(tmp_path), request.config, "-Wno-fatal")
    made = build(gates, request.config, *GATE_FLAGS)
    results = set()
    for seed in range(5):
        commands, written = run_of(seed)
        expected = read_words(rtl, commands)
        assert read_words(made, commands) == expected
        assert expected[2:] == written
        results.update(expected[:2])
    assert len(results) == 10  # the result depends on what was written


def test_gates_are_made_once_for_each_design(tmp_path, monkeypatch):
    design = engine_design(build_stand_in(), "ice40")
    first = gate_level(design, "ice40", tmp_path)
    monkeypatch.setattr(yosys, "run_tool", lambda *a, **k: pytest.fail("synthesised again"))
    assert gate_level(design, "ice40", tmp_path) == first


def test_a_synthesis_that_rewrites_the_multipliers_is_refused(tmp_path, monkeypatch):
    """Yosys's -dsp turns MODE_8x8 off in cells that are there already, and says nothing."""
    script = yosys.SYNTHESIS["ice40"] + " -dsp"
    monkeypatch.setattr(yosys, "SYNTHESIS", {"ice40": script})
    with pytest.raises(GatewareError, match=r"synthesis changed \w+ of .*mac\d"):
        gate_level(engine_design(build_stand_in(), "ice40"), "ice40", tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_undriven_wire_is_refused(tmp_path):
    broken = build_stand_in().replace("assign bus_ready =", "wire spare; assign bus_ready = spare &")
    with pytest.raises(GatewareError, match=r"(?s)Yosys on accelerator failed.*problems"):
        gate_level(engine_design(broken, "ice40"), "ice40", tmp_path)


def test_a_core_without_the_multipliers_ports_is_refused():
    with pytest.raises(GatewareError, match="lacks the port mac_b, mac_load"):
        engine_design(build_stand_in().replace("mac_b", "x").replace("mac_load", "y"), "ice40")
