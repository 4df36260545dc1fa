"""Every variant of the mac array against NumPy's integers; the ice40 one as Yosys's model of SB_MAC16."""

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from ascnode_gateware.rtl.mac_array import MAC16_PARAMETERS, mac_array_verilog
from ascnode_gateware.sim.verilator import build_executable
from ascnode_gateware.synth.cells import cell_models
from ascnode_gateware.synth.process import GatewareError

MAIN = Path(__file__).parent / "stream_main.cpp"
LATENCY = 2
RUN_DEADLINE_S = 60


@pytest.fixture(scope="module", params=["behavioural", "ice40", "ecp5"])
def simulator(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("mac")
    return build(request.config, folder, mac_array_verilog(request.param), gates=request.param == "ice40")


def build(config, folder, verilog, gates):
    source = folder / "mac_array.v"
    source.write_text(verilog)
    models = cell_models("ice40", folder) if gates else []
    return build_executable(
        [*models, source], "mac_array", MAIN, Path(config.cache.mkdir("verilator")), flags=["-Wno-fatal"]
    )


def run(simulator, a, b, load):
    """Sums [cycles, 8] as the array shows them in each cycle, for operands [cycles, 16] int8 and load [cycles]."""
    stimulus = np.concatenate([a.view(np.uint8), b.view(np.uint8), load.astype(np.uint8)[:, None]], axis=1)
    done = subprocess.run(
        [simulator], input=stimulus.tobytes(), capture_output=True, timeout=RUN_DEADLINE_S, check=True
    )
    return np.frombuffer(done.stdout, "<i2").reshape(len(a), 8)


def expected(a, b, load):
    """Sums [cycles - LATENCY, 8] of the operands of cycle 0 and up; weights count from the cycle after load."""
    taken = np.maximum.accumulate(np.where(load, np.arange(len(a)), -1))
    before = np.concatenate([[-1], taken[:-1]])
    weights = np.where(before[:, None] < 0, 0, b[before]).astype(np.int64)
    pairs = (a.astype(np.int64) * weights).reshape(len(a), 8, 2).sum(axis=2)
    return pairs[:-LATENCY].astype(np.uint16).astype(np.int16)


def check(simulator, a, b, load):
    np.testing.assert_array_equal(run(simulator, a, b, load)[LATENCY:], expected(a, b, load))


def test_every_pair_of_bytes_multiplies_exactly_in_every_lane(simulator):
    weight, operand = (grid.reshape(-1, 1) for grid in np.meshgrid(range(256), range(256), indexing="ij"))
    lanes = np.arange(16)
    a = ((operand + 17 * lanes) % 256).astype(np.uint8).view(np.int8)
    b = ((weight * 5 + 31 * lanes) % 256).astype(np.uint8).view(np.int8)
    # The weights of row n are loaded while the last operand of row n-1 goes in.
    check(simulator, a, np.roll(b, -1, axis=0), np.roll(operand[:, 0] == 0, -1))


def test_random_vectors_under_random_loads(simulator):
    generator = np.random.default_rng(20240611)
    a, b = generator.integers(-128, 128, (2, 100_000, 16), dtype=np.int8)
    check(simulator, a, b, generator.random(100_000) < 0.3)


def test_extreme_bytes_in_all_lanes(simulator):
    extremes = np.array([-128, -127, -1, 0, 1, 127], np.int8)
    generator = np.random.default_rng(3)
    a, b = generator.choice(extremes, (2, 20_000, 16))
    check(simulator, a, b, generator.random(20_000) < 0.5)


def test_two_products_of_minus_128_squared_wrap_to_0x8000(simulator):
    lowest = np.full((5, 16), -128, np.int8)
    sums = run(simulator, lowest, lowest, np.array([1, 0, 0, 0, 0]))
    assert sums[3:].view(np.uint16).tolist() == [[0x8000] * 8] * 2


def test_weights_stay_while_load_is_low_though_b_changes(simulator):
    a = np.full((8, 16), 3, np.int8)
    b = np.arange(8, dtype=np.int8)[:, None] * np.ones(16, np.int8)
    load = np.array([0, 1, 0, 0, 0, 1, 0, 0])
    assert run(simulator, a, b, load)[4:, 0].tolist() == [6, 6, 6, 6]
    a, b, load = (np.concatenate([x, x[-1:].repeat(3, axis=0)]) for x in (a, b, load))
    assert run(simulator, a, b, load)[7:, 0].tolist() == [6, 30, 30, 30]


# The bottom adder is not used, nor are D and the pipeline of the 16x16 mode: they cannot change a sum.
USED = (
    "MODE_8x8",
    "TOPADDSUB_UPPERINPUT",
    "TOP_8x8_MULT_REG",
    "BOT_8x8_MULT_REG",
    "B_REG",
    "A_SIGNED",
    "B_SIGNED",
)


def test_a_changed_parameter_of_a_dsp_cell_changes_its_sum(request, tmp_path):
    head, *cells = re.split(r"(?=  SB_MAC16 )", mac_array_verilog("ice40"))
    wrong = [flip(cell, name) for cell, name in zip(cells, USED, strict=False)] + cells[len(USED) :]
    simulator = build(request.config, tmp_path, head + "".join(wrong), gates=True)
    generator = np.random.default_rng(5)
    a, b = generator.integers(-128, 128, (2, 1000, 16), dtype=np.int8)
    load = generator.random(1000) < 0.3
    differs = (run(simulator, a, b, load)[LATENCY:] != expected(a, b, load)).any(axis=0)
    assert differs.tolist() == [True] * len(USED) + [False]


def flip(cell, name):
    width, value = MAC16_PARAMETERS[name]
    text, changed = re.subn(rf"\.{name}\({width}'d{value}\)", f".{name}({width}'d{1 - value})", cell)
    assert changed == 1
    return text


def test_an_unknown_variant_is_refused():
    with pytest.raises(GatewareError, match="no variant 'xilinx'"):
        mac_array_verilog("xilinx")
