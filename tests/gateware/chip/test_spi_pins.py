"""Whole models at the chip's SPI pins: loaded, run and read by frames, at several clocks, with and without noise."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from ascnode_gateware.model.reference import Reference
from ascnode_gateware.model.tflite_model import load_model
from ascnode_gateware.program.program import place_input
from ascnode_gateware.registers.table import IDENTITY, REGISTERS
from ascnode_gateware.sim.addresses import address, mask
from ascnode_gateware.sim.check import check_layers
from ascnode_gateware.sim.flash import Flash
from ascnode_gateware.sim.process import Process, SimulationError
from ascnode_gateware.sim.simulator import Simulator
from ascnode_gateware.sim.spi_device import SpiClock, SpiDevice
from gateware.chip.conftest import Case
from models.golden import DIGITS

Cases = Callable[..., Case]
KWS, AD = "kws_ref_model.tflite", "ad01_int8.tflite"
FASTEST = 1.3  # the highest ratio of SCK to the core's clock that docs/accelerator-spi.md allows
ALL_FLAGS = mask("irq_done") | mask("irq_error") | mask("irq_paused")


def opened(
    executable: Path,
    ratio: float = FASTEST,
    phase: float = 0.3,
    error_rate: float = 0.0,
    flash: Flash | None = None,
    seed: int = 1,
) -> Simulator:
    connect = partial(SpiDevice, clock=SpiClock(ratio, phase), error_rate=error_rate, seed=seed)
    return Simulator(executable, seed=seed, flash=flash, noise=False, connect=connect)


def device(simulator: Simulator) -> SpiDevice:
    assert isinstance(simulator.device, SpiDevice)
    return simulator.device


def check_program(simulator: Simulator, case: Case) -> None:
    for at, words in case.program.segments.items():
        np.testing.assert_array_equal(simulator.device.read(at, len(words)), words)


def check_links(simulator: Simulator) -> None:
    assert simulator.errors() == {"crc_errors": 0, "frame_errors": 0, "flash_errors": 0}
    assert device(simulator).resent == 0


@pytest.mark.parametrize("phase", [0.0, 0.25, 0.4999, 0.75])
@pytest.mark.parametrize("ratio", [0.1, 0.97, 1.0, FASTEST])
def test_digits_are_loaded_read_back_and_run(
    spi_executable: Path, case: Cases, ratio: float, phase: float
) -> None:
    digits = case("digits")
    with opened(spi_executable, ratio, phase) as simulator:
        simulator.load(digits.program)
        check_program(simulator, digits)
        outputs, _ = simulator.run(digits.images)
        np.testing.assert_array_equal(outputs, digits.golden)
        check_links(simulator)


@pytest.mark.parametrize(("name", "from_flash"), [(KWS, False), (AD, True), (AD, False)])
def test_mlperf_tiny_is_equal_to_the_reference(
    spi_executable: Path, case: Cases, name: str, from_flash: bool
) -> None:
    """AD's stream comes from the flash, and over SPI into the ring."""
    model = case(name)
    with opened(spi_executable, flash=Flash(address=0x1000) if from_flash else None) as simulator:
        simulator.load(model.program)
        check_program(simulator, model)
        outputs, report = simulator.run(model.images)
        np.testing.assert_array_equal(outputs.reshape(model.golden.shape), model.golden)
        assert report.stream_bytes == 4 * len(model.program.stream)
        check_links(simulator)


def test_cycles_do_not_depend_on_the_port(executable: Path, spi_executable: Path, case: Cases) -> None:
    """The harness on the bus counts the cycle in which it sees the engine idle too."""
    digits = case("digits")
    cycles = []
    for simulator in (Simulator(executable), opened(spi_executable)):
        with simulator:
            simulator.load(digits.program)
            simulator.run(digits.images)
            cycles.append(simulator.counters())
    assert cycles[0] == cycles[1]


def test_every_layer_is_equal_at_its_pause(spi_executable: Path, case: Cases) -> None:
    digits = case("digits", "always")
    golden = Reference(load_model(DIGITS, drop_final_softmax=True)).run_all(digits.images)
    with opened(spi_executable, flash=Flash()) as simulator:
        simulator.load(digits.program)
        checked = check_layers(simulator, digits.program, digits.images[0], golden)
    assert len(checked.compared) >= 4


def test_the_irq_pin_rises_with_the_end_and_falls_when_cleared(spi_executable: Path, case: Cases) -> None:
    digits = case("digits")
    with opened(spi_executable) as simulator:
        simulator.load(digits.program)
        pins = device(simulator)
        assert not pins.await_irq(100)[0]
        simulator.run(digits.images)
        assert pins.await_irq(0)[0]
        pins.write(address("IRQ"), [ALL_FLAGS])
        assert not pins.await_irq(100)[0]


@pytest.mark.parametrize("ratio", [0.9, FASTEST])
def test_registers_answer_in_time_in_every_cycle(spi_executable: Path, ratio: float) -> None:
    with Process(spi_executable) as process:
        pins = SpiDevice(process, SpiClock(ratio))
        pins.reset()
        for register in REGISTERS:
            for cycles in range(1, 10):
                pins.idle(cycles)
                pins.read(register.address, 1)
        assert pins.resent == 0
        assert pins.read(address("ERRORS"), 1).tolist() == [0]


def test_reading_memory_while_the_engine_runs_disturbs_nothing(spi_executable: Path, case: Cases) -> None:
    model = case(KWS)
    with opened(spi_executable) as simulator:
        simulator.load(model.program)
        pins = device(simulator)
        pins.write(model.program.input.address, place_input(model.program, model.images[0]))
        pins.write(address("CONTROL"), [mask("start") | mask("stream_host") | mask("irq_enable")])
        at, words = max(model.program.segments.items(), key=lambda item: len(item[1]))
        reads = 0
        while not pins.await_irq(0)[0]:
            first = 255 * reads % (len(words) - 255)
            np.testing.assert_array_equal(pins.read(at + first, 255), words[first : first + 255])
            reads += 1
        assert 10 < reads < 100
        found = simulator.tensor(model.program.output)
        np.testing.assert_array_equal(found.reshape(model.golden.shape), model.golden)


@pytest.mark.parametrize("ratio", [0.97, FASTEST])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_wrong_bits_on_the_wires_cost_frames_and_nothing_else(
    spi_executable: Path, case: Cases, ratio: float, seed: int
) -> None:
    digits = case("digits", "always", 3)
    with opened(spi_executable, ratio, error_rate=1e-4, seed=seed) as simulator:
        simulator.load(digits.program)
        outputs, _ = simulator.run(digits.images)
        np.testing.assert_array_equal(outputs, digits.golden)
        assert device(simulator).resent > 3
        errors = simulator.errors()
        assert 0 < errors["crc_errors"] + errors["frame_errors"] <= device(simulator).resent


def test_wires_that_carry_nothing_are_one_sentence(spi_executable: Path, case: Cases) -> None:
    with (
        opened(spi_executable, error_rate=0.05) as simulator,
        pytest.raises(SimulationError, match="8 attempts at frame"),
    ):
        simulator.load(case("digits").program)


@pytest.mark.parametrize("ratio", [1.4, 2.0, 4.0])
def test_an_sck_too_fast_is_an_error_and_the_next_clock_works(spi_executable: Path, ratio: float) -> None:
    with Process(spi_executable) as process:
        with pytest.raises(SimulationError, match="8 attempts at frame"):
            SpiDevice(process, SpiClock(ratio)).reset()
        pins = SpiDevice(process, SpiClock(1.0))
        pins.write(address("IRQ"), [0])
        assert pins.read(address("ID"), 1).tolist() == [IDENTITY]
