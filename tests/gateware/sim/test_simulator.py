"""`Simulator` on a stand-in that copies words: programs in, outputs and figures out, and what goes wrong."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from ascnode_gateware.sim.process import SimulationError
from ascnode_gateware.sim.simulator import Simulator
from gateware.sim import stand_in
from gateware.sim.stand_in import MASK, program


@pytest.fixture(scope="module")
def executable(request: pytest.FixtureRequest) -> Path:
    cache = request.config.cache
    assert cache
    return stand_in.build(cache.mkdir("simulators"))


@pytest.fixture
def simulator(executable: Path) -> Iterator[Simulator]:
    with Simulator(executable) as simulator:
        yield simulator


def images(count: int, words: int) -> npt.NDArray[np.int8]:
    return np.random.default_rng(count).integers(-128, 128, (count, words * 4), dtype=np.int8)


def copied(image: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    return image ^ np.int8(0xA5 - 256)


def test_a_batch_comes_back_in_order(simulator: Simulator) -> None:
    simulator.load(program(32))
    batch = images(5, 32)
    seen: list[int] = []
    outputs, report = simulator.run(batch, seen.append)
    assert np.array_equal(outputs, copied(batch))
    assert seen == [1, 2, 3, 4, 5]
    assert report.inferences == 5


def test_cycles_belong_to_layers_and_macs_to_the_limit_of_16_a_cycle(simulator: Simulator) -> None:
    simulator.load(program(96, layers=3))
    _, report = simulator.run(images(1, 96))
    # Each layer copies 32 words in 64 cycles; the first reads the program's 4 words as well.
    assert [layer.cycles for layer in report.layers] == [68, 64, 64]
    assert report.cycles == 196 + 1
    assert report.layers[1].utilisation == pytest.approx(32 * 16 / (16 * 64))
    assert report.utilisation == pytest.approx(96 * 16 / (16 * 197))
    assert report.milliseconds(24) == pytest.approx(197 / 24e3)


def test_the_report_names_bytes_and_counters(simulator: Simulator) -> None:
    stream = np.arange(128, dtype=np.uint32)
    simulator.load(program(128, stream=stream))
    outputs, report = simulator.run(images(1, 128))
    assert np.array_equal(outputs[0].view("<u4"), stream ^ MASK)
    values = report.json(24.0)
    assert (values["stream_bytes"], values["input_bytes"], values["output_bytes"]) == (512, 512, 512)
    assert values["clock_mhz"] == 24.0
    assert values["layers"][0]["op"] == "COPY"


def test_another_program_takes_the_place_of_the_last(simulator: Simulator) -> None:
    simulator.load(program(64, stream=np.zeros(64, np.uint32)))
    simulator.run(images(1, 64))
    simulator.load(program(16))
    batch = images(2, 16)
    outputs, report = simulator.run(batch)
    assert np.array_equal(outputs, copied(batch))
    assert report.stream_bytes == 0


def test_each_layers_tensor_can_be_read_at_its_pause(simulator: Simulator) -> None:
    loaded, image = program(96, layers=3), images(1, 96)[0]
    simulator.load(loaded)
    seen = []
    for counter in simulator.layers(image):
        tensor = loaded.layers[counter - 1].tensor
        assert tensor
        seen.append(simulator.tensor(tensor))
    assert np.array_equal(np.concatenate(seen, axis=1)[0], copied(image))


def test_an_error_of_the_engine_is_told_with_its_name(simulator: Simulator) -> None:
    simulator.load(program(32, error=2))
    with pytest.raises(SimulationError, match="stopped with error WATCHDOG; layers done: 1"):
        simulator.run(images(1, 32))


def test_a_program_that_does_not_end_is_told_with_its_cycles(executable: Path) -> None:
    with Simulator(executable, limit_cycles=500) as simulator:
        simulator.load(program(32, never_ends=True))
        with pytest.raises(SimulationError, match="had not ended after 500 cycles; layers done: 0"):
            simulator.run(images(1, 32))


def test_an_input_of_another_shape_or_type_is_refused(simulator: Simulator) -> None:
    simulator.load(program(32))
    with pytest.raises(ValueError, match="the model takes int8"):
        simulator.run(images(1, 31))
    with pytest.raises(ValueError, match="the model takes int8"):
        simulator.run(images(1, 32).astype(np.int16))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no input"):
        simulator.run(images(0, 32))


def test_running_before_loading_is_refused(simulator: Simulator) -> None:
    with pytest.raises(SimulationError, match="no program is loaded"):
        simulator.run(images(1, 32))
