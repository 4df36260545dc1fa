"""The real accelerator in the simulator: whole models, layer by layer, against the reference."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from ascnode_gateware.compiler import Options, compile_file
from ascnode_gateware.model.reference import Reference
from ascnode_gateware.model.tflite_model import load_model
from ascnode_gateware.sim.check import MismatchError, check_layers
from ascnode_gateware.sim.simulator import Simulator
from gateware.simulators import built
from models.golden import DIGITS, mlperf_tiny


@pytest.fixture(scope="module")
def executable(request: pytest.FixtureRequest) -> Path:
    return built(request, "build_accelerator")


def images(shape: tuple[int, ...], count: int) -> npt.NDArray[np.int8]:
    return np.random.default_rng(3).integers(-128, 128, (count, *shape[1:]), dtype=np.int8)


@pytest.mark.parametrize("stream", ["auto", "always"])
def test_digits_are_equal_to_the_reference_in_every_layer(executable: Path, stream: str) -> None:
    model, program = load_model(DIGITS), compile_file(DIGITS, options=Options(stream=stream))
    batch = images(model.input.shape, 4)
    golden = Reference(model).run_all(batch)
    with Simulator(executable) as simulator:
        simulator.load(program)
        outputs, report = simulator.run(batch)
        assert np.array_equal(outputs, golden[model.output.id])
        first = {key: tensor[:1] for key, tensor in golden.items()}
        checked = check_layers(simulator, program, batch[0], first)
    assert set(checked.compared) | set(checked.unseen) == {layer.index for layer in model.layers}
    assert report.stream_bytes == 4 * len(program.stream)
    assert sum(layer.cycles for layer in report.layers) <= report.cycles


@pytest.mark.parametrize(
    ("name", "limit_cycles"), [("kws_ref_model.tflite", 250_000), ("ad01_int8.tflite", 600_000)]
)
def test_mlperf_tiny_is_equal_to_the_reference_within_its_cycles(
    executable: Path, name: str, limit_cycles: int
) -> None:
    """Cycles as the project has set itself: 10.4 ms and 25 ms at 24 MHz."""
    path = mlperf_tiny(name)
    model = load_model(path, drop_final_softmax=True)
    batch = images(model.input.shape, 1)
    with Simulator(executable) as simulator:
        simulator.load(compile_file(path))
        outputs, report = simulator.run(batch)
    assert np.array_equal(outputs, Reference(model).run(batch))
    assert report.cycles <= limit_cycles


def test_a_damaged_weight_is_found_and_named(executable: Path) -> None:
    model, program = load_model(DIGITS), compile_file(DIGITS)
    batch = images(model.input.shape, 1)
    with Simulator(executable) as simulator:
        simulator.load(program)
        last = program.layers[-1].weights_address
        assert last is not None
        simulator.device.write(last, [int(simulator.device.read(last, 1)[0]) ^ 0x4000])
        with pytest.raises(MismatchError, match=r"layer 5 \(FULLY_CONNECTED\): element \(0, 0\) is"):
            check_layers(simulator, program, batch[0], Reference(model).run_all(batch))
