"""Whole inferences through the Verilog, every layer compared with the reference, and that with TFLite Micro."""

from collections.abc import Callable

import numpy as np
import pytest

from ascnode_gateware.compiler import Options
from ascnode_gateware.model.reference import Reference
from ascnode_gateware.sim.check import check_layers, compare
from ascnode_gateware.sim.simulator import Simulator
from gateware.rtl.subjects import PLAIN, SEEDED, TRAINED, Int8, file_of, inputs, model_of, program_of
from models.golden import Golden

GOLDEN_INPUTS = 120
EXTREMES = 3  # of `inputs`: all -128, all 127, both in turn
ONE_BY_ONE = Options(fuse=False, fold_constants=False, repack=False)
STREAMED = Options(stream="always")


def check_inferences(simulator: Simulator, name: str, options: Options, images: Int8) -> None:
    """Outputs at full speed, then every layer in single steps; a fused layer lies nowhere and is not seen."""
    program = program_of(name, options)
    golden = Reference(model_of(name)).run_all(images)
    simulator.load(program)
    outputs, _ = simulator.run(images)
    compare(f"output of {name}", outputs, golden[model_of(name).output.id])
    for number, image in enumerate(images):
        own = {key: tensor[number : number + 1] for key, tensor in golden.items()}
        checked = check_layers(simulator, program, image, own)
        assert sorted(checked.compared + checked.unseen) == [layer.index for layer in program.layers]
        assert len(checked.compared) > len(program.layers) // 2


@pytest.mark.parametrize("name", TRAINED)
@pytest.mark.parametrize("kind", ["random", "extreme"])
def test_three_inferences_of_a_trained_model(simulator: Simulator, name: str, kind: str) -> None:
    images = inputs(name, 2 * EXTREMES, 21)
    chosen = images[:EXTREMES] if kind == "extreme" else images[EXTREMES:]
    check_inferences(simulator, name, PLAIN, chosen)


@pytest.mark.parametrize("options", [ONE_BY_ONE, STREAMED], ids=["one by one", "streamed"])
@pytest.mark.parametrize("name", ["keyword spotting", "digits", "image classification"])
def test_other_ways_to_compile_a_model_change_nothing(
    simulator: Simulator, name: str, options: Options
) -> None:
    check_inferences(simulator, name, options, inputs(name, EXTREMES + 1, 22)[EXTREMES:])


@pytest.mark.parametrize("name", SEEDED)
def test_a_seeded_network(simulator: Simulator, name: str) -> None:
    check_inferences(simulator, name, PLAIN, inputs(name, EXTREMES + 1, 23)[EXTREMES:])


@pytest.mark.parametrize("name", ["anomaly detection", "visual wake words"])
@pytest.mark.parametrize("cycles_per_word", [2.0, 33.0])
def test_the_rate_of_the_stream_and_a_throttle_change_no_output(
    simulators: Callable[..., Simulator], name: str, cycles_per_word: float
) -> None:
    simulator = simulators(cycles_per_word=cycles_per_word, throttle=40)
    images = inputs(name, EXTREMES + 1, 24)[EXTREMES:]
    simulator.load(program_of(name, PLAIN))
    compare(name, simulator.run(images)[0], Reference(model_of(name)).run(images))


@pytest.mark.parametrize("name", TRAINED)
def test_every_tensor_of_the_reference_is_tflite_micros(name: str) -> None:
    """On extremes and noise."""
    images, golden = inputs(name, EXTREMES + GOLDEN_INPUTS, 25), Golden(file_of(name))
    expected = Reference(model_of(name)).run_all(images)
    layers = [layer.output.id for layer in model_of(name).layers]
    for number, image in enumerate(images):
        golden.run(image[np.newaxis])
        for tensor_id in layers:
            found = expected[tensor_id][number].ravel()
            where = f"tensor {tensor_id}, input {number}"
            np.testing.assert_array_equal(found, golden.tensor(tensor_id).ravel(), err_msg=where)


@pytest.mark.parametrize("name", SEEDED)
def test_every_tensor_of_a_seeded_network_is_tflite_micros(name: str) -> None:
    images, golden = inputs(name, EXTREMES + 5, 26), Golden(file_of(name))
    expected = Reference(model_of(name)).run_all(images)
    for number, image in enumerate(images):
        golden.run(image[np.newaxis])
        for layer in model_of(name).layers:
            found = expected[layer.output.id][number].ravel()
            np.testing.assert_array_equal(found, golden.tensor(layer.output.id).ravel(), err_msg=layer.name)
