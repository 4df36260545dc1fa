"""Every kind of board and of accelerator gives the reference model's bytes, and says what computed them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ascnode.boards.accelerators import AcceleratorKind
from ascnode.boards.emulated_image import ENVIRONMENT_VARIABLE
from ascnode.boards.interpreter import find_interpreter
from ascnode_fw.wire import dictionary as d
from ascnode_gateware.device.fault import Fault, FaultKind
from ascnode_hil.node import HilNode
from conformance.boards import ask, board, engines, expected
from firmware.driver.rig import KWS, case, model_file

# (kind of board, its accelerator): a new kind of board is a row here.
PLACES: list[tuple[str, AcceleratorKind]] = [
    ("virtual", "golden"),
    ("virtual", "rtl"),
    ("emulated", "golden"),
]
# how many inferences of which model
WHOLE = {("golden", "digits"): 200, ("golden", KWS): 200, ("rtl", "digits"): 5, ("rtl", KWS): 3}
SAMPLE = {("golden", "digits"): 200, ("golden", KWS): 8, ("rtl", "digits"): 5, ("rtl", KWS): 3}
EMULATED = {"digits": 1, KWS: 0}


def _count(target: str, accelerator: str, model: str, table: dict[tuple[str, str], int]) -> int:
    return EMULATED[model] if target == "emulated" else table[accelerator, model]


def _check(target: str, accelerator: AcceleratorKind, model: str, count: int, folder: Path) -> None:
    _require(target, model)
    inputs = case(model).inputs(count, seed=count)
    with board(target, accelerator, model, inputs, folder) as node:
        assert ask(node, inputs) == expected(case(model), inputs)
        assert engines(node) == [d.ENGINE_ACCELERATOR] * count
        assert not [one for one in node.heard if one.event.startswith("accelerator")]


def _require(target: str, model: str) -> None:
    if model_file(model) is None:
        pytest.skip("the MLPerf Tiny models are not at hand")
    if target == "virtual" and find_interpreter() is None:
        pytest.skip("no MicroPython interpreter on this machine")
    if target == "emulated" and not os.environ.get(ENVIRONMENT_VARIABLE):
        pytest.skip(f"{ENVIRONMENT_VARIABLE} names no official MicroPython image")


@pytest.mark.parametrize("model", ["digits", KWS])
@pytest.mark.parametrize(("target", "accelerator"), PLACES)
def test_answers_are_the_reference_models_bytes(
    target: str, accelerator: AcceleratorKind, model: str, tmp_path: Path
) -> None:
    count = _count(target, accelerator, model, SAMPLE)
    if not count:
        pytest.skip("too long for an emulated board")
    _check(target, accelerator, model, count, tmp_path)


@pytest.mark.deep
@pytest.mark.parametrize("model", [KWS])
def test_two_hundred_answers_of_keyword_spotting_are_the_reference_models_bytes(
    model: str, tmp_path: Path
) -> None:
    _check("virtual", "golden", model, WHOLE["golden", model], tmp_path)


# --- faults between a board and its accelerator, and in it


@pytest.fixture
def node(tmp_path: Path) -> Iterator[HilNode]:
    _require("virtual", "digits")
    with board("virtual", "golden", "digits", (), tmp_path) as node:
        yield node


FAULTS = {
    "hung": [Fault(FaultKind.HANG, frame) for frame in (5, 60)],
    "reset within a run": [Fault(FaultKind.RESET, frame, after_us=30) for frame in (5, 40, 75)],
    "corrupted weights": [
        Fault(FaultKind.FLIP, frame, address=0x4000 + frame * 7, bit=3) for frame in range(0, 90, 9)
    ],
    "noise": [Fault(kind, 0, frames=0, rate=1e-4) for kind in (FaultKind.MOSI, FaultKind.MISO)],
    "dead for a while": [Fault(FaultKind.STUCK_1, 10, frames=40)],
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_changes_no_answer_and_is_mended_or_announced(node: HilNode, name: str) -> None:
    inputs = case().inputs(24, seed=5)
    assert ask(node, inputs[:8]) == expected(case(), inputs[:8])
    node.device.spoil_accelerator(FAULTS[name])
    assert ask(node, inputs[8:]) == expected(case(), inputs[8:])
    told = {one.event for one in node.heard if one.event.startswith("accelerator")}
    fell_back = d.ENGINE_FALL_BACK in engines(node)
    assert ("accelerator lost: the CPU goes on" in told) == fell_back
    assert told if name != "noise" else not fell_back  # noise costs frames, and nothing that is to be told


def test_a_board_that_restarts_in_mid_inference_finds_its_accelerator_again(node: HilNode) -> None:
    inputs = case().inputs(8, seed=6)
    assert ask(node, inputs) == expected(case(), inputs)
    node.cut_power()
    node.contact()
    node.step(3)
    assert ask(node, inputs) == expected(case(), inputs)
    assert engines(node) == [d.ENGINE_ACCELERATOR] * 16
