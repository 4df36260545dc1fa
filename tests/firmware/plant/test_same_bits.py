"""MicroPython, CPython and NumPy int64 give the same state, bit for bit, after every step."""

import ast
from array import array
from functools import cache
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest

from ascnode.scenario.hardware import Hardware, plant_words
from ascnode_fw.plant import layout as at
from ascnode_fw.plant.model import Plant
from firmware.plant.drive import PERIOD, drive, inputs
from firmware.plant.int64_plants import Int64Plants
from firmware.plant.nodes import image_of, scaled
from unix_port import run_micropython

HERE = Path(__file__).parent
STEPS = 100_000
SMALL = Hardware(battery_wh=40.0, initial_charge=0.3, array_loss_per_year=0.031, radiator_m2=0.31)
# A radiator that no warmth reaches, and one far too small.
COLD = Hardware(
    array_m2=0.011,
    radiator_m2=2.9,
    radiator_view_factor=0.0,
    radiator_absorptivity=0.0,
    bus_heat_w=1.7,
    leakage_w=0.3,
    radiator_j_per_k=2111.0,
    battery_wh=0.7,
    conductance_w_per_k=0.1,
)
HOT = Hardware(radiator_m2=0.03, radiator_j_per_k=877.0, accelerator_j_per_k=61.3)
# Hardware and step. Odd values throughout, so that every remainder is at work.
HARDWARE = {
    "demo": (Hardware(), 1000),
    "small": (SMALL, 1000),
    "20 kW": (scaled(SMALL, 51.7), 1000),
    "300 kW": (scaled(SMALL, 777.7), 730),
    "cold": (COLD, 2000),
    "hot": (HOT, 1000),
    "100 ms": (scaled(SMALL, 0.313), 100),
    "lossless": (SMALL.model_copy(update={"charge_efficiency": 1.0, "discharge_efficiency": 1.0}), 3000),
}


def all_words() -> "dict[str, array[int]]":
    nodes = {name: plant_words(hardware, step_ms) for name, (hardware, step_ms) in HARDWARE.items()}
    nodes["held"] = nodes["small"][:]
    nodes["held"][at.NET_MAX_PW] = 77_777
    return nodes


NODES = all_words()
SEEDS = {name: seed for seed, name in enumerate(NODES, start=1)}


@cache
def cpython(node: str) -> tuple[list[int], list[int]]:
    marks, plant = drive(NODES[node], STEPS, SEEDS[node])
    return marks, list(plant.state)


@pytest.mark.parametrize("node", NODES)
def test_micropython_and_cpython_agree_over_1e5_steps(node: str, tmp_path: Path) -> None:
    image = tmp_path / "plant.bin"
    image.write_bytes(image_of(NODES[node]))
    script = f"from drive import main; main({str(image)!r}, {STEPS}, {SEEDS[node]})"
    output = run_micropython(script, timeout_s=60, path=[HERE])
    marks, state = (ast.literal_eval(line) for line in output.splitlines())
    expected_marks, expected_state = cpython(node)
    assert dict(zip(at.STATE_NAMES, state, strict=True)) == dict(
        zip(at.STATE_NAMES, expected_state, strict=True)
    )
    assert marks == expected_marks


def test_numpy_int64_agrees_over_1e5_steps_with_all_nodes_at_once() -> None:
    words = list(NODES.values())
    plants = Int64Plants(words)
    crcs = [0] * len(words)
    marks: list[list[int]] = [[] for _ in words]
    for step in range(STEPS):
        if step % PERIOD == 0:
            due = [
                inputs(seed, step // PERIOD, node[at.ARRAY_FULL_PW])
                for seed, node in enumerate(words, start=1)
            ]
            plants.set_inputs(np.array(due, dtype=np.int64).T)
        plants.step()
        rows = np.ascontiguousarray(plants.s.T, dtype=np.int32)
        crcs = [crc32(row, crc) for row, crc in zip(rows, crcs, strict=True)]
        if (step + 1) % (STEPS // 10) == 0:
            for mark, crc in zip(marks, crcs, strict=True):
                mark.append(crc)
    for i, node in enumerate(NODES):
        expected_marks, expected_state = cpython(node)
        assert plants.s[:, i].tolist() == expected_state, node
        assert marks[i] == expected_marks, node


def test_the_schedule_meets_every_bound() -> None:
    # Else the comparison above would not have compared what happens there.
    events = 0
    for node in NODES:
        events |= cpython(node)[1][at.EVENTS]
    names = [name for bit, name in enumerate(at.EVENT_NAMES) if not events >> bit & 1]
    assert names == ["energy sum held at its largest", "input held within its range"]


def test_a_restored_state_goes_on_with_the_same_bits() -> None:
    words = NODES["small"]
    one = Plant(words)
    for word, value in enumerate(inputs(3, 5, words[at.ARRAY_FULL_PW])):
        one.set_input(word, value)
    for _ in range(777):
        one.step()
    other = Plant(words)
    other.state = array("i", bytes(one.state))
    for _ in range(777):
        one.step()
        other.step()
    assert one.state == other.state
