"""Models whose stream comes from the flash at the accelerator's pins, and all that can be wrong about a flash.

Whatever happens, a run ends with the reference's output or with an error of the stream.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ascnode_gateware.program.flash_blocks import BLOCK_BYTES, pack_stream
from ascnode_gateware.program.timing import predict_program
from ascnode_gateware.registers.table import ErrorCode
from ascnode_gateware.sim.addresses import address, mask, value
from ascnode_gateware.sim.device import Device, Ending
from ascnode_gateware.sim.flash import SAMPLE_DELAY_CYCLES, Flash, Socket
from ascnode_gateware.sim.process import SimulationError
from ascnode_gateware.sim.simulator import WATCHDOG_UNITS, Simulator
from gateware.chip.conftest import Case

Cases = Callable[..., Case]
AD = "ad01_int8.tflite"
SATURATED = value("flash_errors", mask("flash_errors"))
GOAL_CYCLES = 600_000  # 25 ms at 24 MHz
DEADLINE_CYCLES = (1 << 19) + WATCHDOG_UNITS * 256  # of a request for the pins, then the watchdog's


@pytest.fixture
def digits(executable: Path, case: Cases) -> Iterator[tuple[Simulator, Case]]:
    """A small model with all its weights in flash: 13 blocks."""
    model = case("digits", "always", 3)
    with Simulator(executable, flash=Flash(), limit_cycles=2 * DEADLINE_CYCLES) as simulator:
        simulator.load(model.program)
        yield simulator, model


def outcome(simulator: Simulator, model: Case) -> ErrorCode:
    """The code with which the run stopped; NONE only after the reference's output."""
    try:
        outputs, _ = simulator.run(model.images[:1])
    except SimulationError as error:
        code = stopped_with(simulator)
        assert f"stopped with error {code.name}" in str(error)  # not at the limit
        return code
    np.testing.assert_array_equal(outputs.reshape(model.golden[:1].shape), model.golden[:1])
    return ErrorCode.NONE


def stopped_with(simulator: Simulator) -> ErrorCode:
    status = int(simulator.device.read(address("STATUS"), 1)[0])
    return ErrorCode(value("error", status))


def clear_errors(simulator: Simulator) -> None:
    simulator.device.write(address("ERRORS"), [0])


def check_recovers(simulator: Simulator, model: Case) -> None:
    """Without a reset."""
    simulator.plug(Flash())
    assert outcome(simulator, model) == ErrorCode.NONE


@pytest.mark.parametrize("stream", ["auto", "always"])
def test_ad_is_equal_to_the_reference_within_its_goal_and_as_predicted(
    executable: Path, case: Cases, stream: str
) -> None:
    model = case(AD, stream)
    with Simulator(executable, flash=Flash(address=0x1000)) as simulator:
        simulator.load(model.program)
        outputs, report = simulator.run(model.images)
        np.testing.assert_array_equal(outputs.reshape(model.golden.shape), model.golden)
        assert report.cycles <= GOAL_CYCLES
        assert report.cycles == pytest.approx(predict_program(model.program).cycles, rel=0.002)
        assert simulator.errors()["flash_errors"] == 0
        assert simulator.device.flash_counts().reads == 1


def test_a_start_right_after_the_end_reads_the_stream_from_its_beginning(
    digits: tuple[Simulator, Case],
) -> None:
    simulator, model = digits
    outputs, report = simulator.run(model.images)
    np.testing.assert_array_equal(outputs, model.golden)
    assert report.cycles == pytest.approx(predict_program(model.program).cycles, abs=5)
    assert simulator.device.flash_counts().reads == len(model.images)


@pytest.mark.parametrize("at", [0x4, 0xFC, 0x1000, 0x3FFF00])
def test_the_stream_may_lie_anywhere_in_flash(digits: tuple[Simulator, Case], at: int) -> None:
    simulator, model = digits
    simulator.plug(Flash(address=at))
    assert outcome(simulator, model) == ErrorCode.NONE


def test_flash_and_host_take_turns(digits: tuple[Simulator, Case]) -> None:
    simulator, model = digits
    for flash in (None, Flash(), None, Flash()):
        simulator.plug(flash)
        assert outcome(simulator, model) == ErrorCode.NONE


def test_the_hosts_stream_of_another_program_is_not_fed_beside_the_flash(
    digits: tuple[Simulator, Case], case: Cases
) -> None:
    simulator, _ = digits
    simulator.plug(None)
    simulator.plug(Flash())
    autoencoder = case(AD, "always")
    simulator.load(autoencoder.program)
    assert outcome(simulator, autoencoder) == ErrorCode.NONE


@pytest.mark.parametrize("error_rate", [1e-6, 1e-5, 3e-5])
def test_each_block_with_wrong_bits_is_read_again_and_counted(
    executable: Path, case: Cases, error_rate: float
) -> None:
    model = case(AD, "always")
    with Simulator(executable, flash=Flash(error_rate=error_rate, seed=5)) as simulator:
        simulator.load(model.program)
        code = outcome(simulator, model)
        counted, counts = simulator.errors()["flash_errors"], simulator.device.flash_counts()
    blocks, wrong = model.program.stream_blocks, counts.reads - 1
    expected = blocks / (1 - error_rate) ** (8 * BLOCK_BYTES) - blocks
    assert code == ErrorCode.NONE
    assert counted == min(wrong, SATURATED)
    assert abs(wrong - expected) <= 5 * expected**0.5 + 2
    assert counts.wrong_bits >= wrong


@pytest.mark.parametrize("error_rate", [3e-4, 1e-3, 1e-2])
def test_more_wrong_bits_end_in_the_right_answer_or_an_error(
    digits: tuple[Simulator, Case], error_rate: float
) -> None:
    simulator, model = digits
    found = []
    for seed in range(25):
        clear_errors(simulator)
        simulator.plug(Flash(error_rate=error_rate, seed=seed))
        found.append(outcome(simulator, model))
        wrong = simulator.errors()["flash_errors"]
        assert found[-1] != ErrorCode.STREAM_CRC or wrong >= 4
    assert set(found) <= {ErrorCode.NONE, ErrorCode.STREAM_CRC, ErrorCode.FLASH}
    assert ErrorCode.STREAM_CRC in found if error_rate >= 1e-3 else ErrorCode.NONE in found
    check_recovers(simulator, model)


def test_a_block_that_is_wrong_in_flash_is_read_four_times(digits: tuple[Simulator, Case]) -> None:
    simulator, model = digits
    image = bytearray(pack_stream(model.program.stream))
    image[2 * BLOCK_BYTES + 77] ^= 0x10
    simulator.device.plug(Flash(), bytes(image))
    assert outcome(simulator, model) == ErrorCode.STREAM_CRC
    assert simulator.errors()["flash_errors"] == 4
    assert simulator.device.flash_counts().reads == 4
    check_recovers(simulator, model)


@pytest.mark.parametrize("socket", [Socket.PULLED_UP, Socket.PULLED_DOWN, Socket.NOISE])
def test_an_empty_socket_is_an_error_at_once(digits: tuple[Simulator, Case], socket: Socket) -> None:
    simulator, model = digits
    for seed in range(8):
        simulator.plug(Flash(socket=socket, seed=seed))
        code = outcome(simulator, model)
        assert code == ErrorCode.FLASH or (socket is Socket.NOISE and code == ErrorCode.STREAM_CRC)
        assert simulator.counters()["CYCLES"] < 3000
    check_recovers(simulator, model)


def test_a_flash_whose_quad_mode_is_off_is_an_error(digits: tuple[Simulator, Case]) -> None:
    simulator, model = digits
    simulator.plug(Flash(quad=False))
    assert outcome(simulator, model) == ErrorCode.FLASH
    assert simulator.device.flash_counts().reads == 0
    check_recovers(simulator, model)


@pytest.mark.parametrize("delay", [0, 2, 3])
def test_data_earlier_or_later_than_the_board_promises_is_an_error(
    digits: tuple[Simulator, Case], delay: int
) -> None:
    assert delay != SAMPLE_DELAY_CYCLES
    simulator, model = digits
    simulator.plug(Flash(delay_cycles=delay))
    assert outcome(simulator, model) in (ErrorCode.FLASH, ErrorCode.STREAM_CRC)
    check_recovers(simulator, model)


@pytest.mark.parametrize("hold", [400, 3000, 20_000])
def test_a_host_that_takes_the_pins_costs_time_only(digits: tuple[Simulator, Case], hold: float) -> None:
    simulator, model = digits
    undisturbed = predict_program(model.program).cycles
    taken = 0
    for seed in range(10):
        simulator.plug(Flash(hold_cycles=hold, grant_cycles=40, seed=seed))
        code = outcome(simulator, model)
        counts = simulator.device.flash_counts()
        taken += counts.taken
        assert code == ErrorCode.NONE or (code == ErrorCode.WATCHDOG and hold < 1100)
        assert not counts.taken or simulator.counters()["CYCLES"] > undisturbed
    assert taken
    assert simulator.errors()["flash_errors"] == 0
    check_recovers(simulator, model)


def test_pins_that_nobody_grants_are_an_error_at_the_deadline(digits: tuple[Simulator, Case]) -> None:
    simulator, model = digits
    simulator.plug(Flash(grant_cycles=-1))
    assert outcome(simulator, model) == ErrorCode.FLASH
    assert simulator.counters()["CYCLES"] == pytest.approx(1 << 19, abs=20)
    check_recovers(simulator, model)


def test_an_abort_at_any_time_leaves_nothing_behind(digits: tuple[Simulator, Case]) -> None:
    simulator, model = digits
    chance = np.random.default_rng(9)
    for seed in range(60):
        simulator.plug(Flash(seed=seed, hold_cycles=5000, grant_cycles=20))
        cycles = int(chance.integers(1, 8000))
        assert isinstance(simulator.device, Device)
        watch = simulator.device.run(address("CONTROL"), mask("start"), cycles)
        if watch.ending is Ending.LIMIT:
            simulator.device.write(address("CONTROL"), [mask("abort")])
            assert stopped_with(simulator) == ErrorCode.ABORTED
        assert outcome(simulator, model) == ErrorCode.NONE


def test_everything_at_once(digits: tuple[Simulator, Case]) -> None:
    simulator, model = digits
    found = []
    for seed in range(100):
        chance = np.random.default_rng(seed)
        flash = Flash(error_rate=float(chance.choice([0, 2e-5, 3e-4])), seed=seed)
        if chance.random() < 0.5:
            flash = replace(flash, hold_cycles=float(chance.integers(2000, 9000)), grant_cycles=100)
        simulator.plug(flash)
        found.append(outcome(simulator, model))
    assert set(found) <= {ErrorCode.NONE, ErrorCode.STREAM_CRC, ErrorCode.FLASH}
    assert found.count(ErrorCode.NONE) > 50
