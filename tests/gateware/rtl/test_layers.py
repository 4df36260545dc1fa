"""Single layers and small networks through compiler and Verilog against the reference, and against TFLite Micro."""

import sys

import numpy as np
import numpy.typing as npt
import pytest

from ascnode_gateware.compiler import Options, compile_model
from ascnode_gateware.model.layers import Model
from ascnode_gateware.model.reference import Reference
from ascnode_gateware.model.tflite_model import read_model
from ascnode_gateware.program.program import Program
from ascnode_gateware.sim.check import MismatchError, check_layers, compare
from ascnode_gateware.sim.simulator import Simulator
from gateware.compiler.random_networks import random_network
from gateware.rtl.coverage import Coverage
from gateware.rtl.wide_layers import AIMS, Aim, wide_layer
from models.golden import Golden
from models.random_layers import GRAPH_KINDS, KINDS, random_images, random_layer

Int8 = npt.NDArray[np.int8]

SWEEPS = 36  # of all aims, 576 layers each
IMAGES = 4  # two of one extreme, one of both, one of noise
TO_TFLITE_MICRO = 4  # each so many-th layer goes to TFLite Micro as well
UNFOLDED = 10
PLAIN_SEEDS = 30  # layers of each kind of tests/models
NETWORKS = 40
ALTERNATIVES = (Options(), Options(stream="always"), Options(fuse=False, fold_constants=False, repack=False))


def options_of(aim: Aim, number: int) -> Options:
    return Options(
        fuse="unfused" not in aim.op,
        fold_constants=number % UNFOLDED != 0,
        stream="always" if aim.streamed else "auto",
    )


def check_output(simulator: Simulator, data: bytes, options: Options, name: str, seed: int) -> Program:
    """The program that was compared."""
    model = read_model(data)
    program = compile_model(model, options=options)
    images = random_images(model.input.shape, IMAGES, seed)
    simulator.load(program)
    outputs, _ = simulator.run(images)
    compare(name, outputs, Reference(model).run(images))
    return program


def check_tflite_micro(data: bytes, model: Model, name: str, seed: int) -> None:
    images = random_images(model.input.shape, IMAGES, seed)
    golden = Golden(data)
    expected = np.concatenate([golden.run(image[np.newaxis]) for image in images])
    np.testing.assert_array_equal(Reference(model).run(images), expected, err_msg=name)


@pytest.mark.parametrize("sweep", [0, *(pytest.param(n, marks=pytest.mark.deep) for n in range(1, SWEEPS))])
def test_a_layer_of_every_shape_gives_what_the_reference_gives(
    simulator: Simulator, sweep: int, capsys: pytest.CaptureFixture[str]
) -> None:
    coverage = Coverage()
    for number, aim in enumerate(AIMS):
        data, options, name = wide_layer(aim, sweep), options_of(aim, number + sweep), f"{aim}, seed {sweep}"
        program = check_output(simulator, data, options, name, sweep)
        if (number + sweep) % TO_TFLITE_MICRO == 0:
            check_tflite_micro(data, read_model(data), name, sweep)
        coverage.add(data, read_model(data), program, options)
    with capsys.disabled():  # by stderr, which pytest's workers share with it
        print(f"\nlayers through the Verilog, sweep {sweep}\n{coverage.table()}", file=sys.stderr)
    assert not coverage.missing_cells()
    assert sweep or not coverage.missing_points()  # a draw for each layer: not every sweep has them all


@pytest.mark.parametrize("kind", [*KINDS, *GRAPH_KINDS])
def test_plain_layers_give_what_the_reference_gives(simulator: Simulator, kind: str) -> None:
    for seed in range(PLAIN_SEEDS):
        options = ALTERNATIVES[seed % len(ALTERNATIVES)]
        check_output(simulator, random_layer(kind, seed), options, f"{kind} {seed}", seed)


def check_networks(simulator: Simulator, seeds: range) -> int:
    """Tensors that were compared."""
    compared = 0
    for seed in seeds:
        model = read_model(random_network(seed))
        program = compile_model(model, options=ALTERNATIVES[seed % len(ALTERNATIVES)])
        simulator.load(program)
        images = random_images(model.input.shape, IMAGES, seed)
        golden = Reference(model).run_all(images)
        try:
            compare("output", simulator.run(images)[0], golden[model.output.id])
            last = {key: tensor[-1:] for key, tensor in golden.items()}
            compared += len(check_layers(simulator, program, images[-1], last).compared)
        except MismatchError as error:
            raise AssertionError(f"network {seed}: {error}") from None
    return compared


def test_networks_give_what_the_reference_gives_in_every_layer(simulator: Simulator) -> None:
    assert check_networks(simulator, range(NETWORKS)) > 3 * NETWORKS


@pytest.mark.deep
@pytest.mark.parametrize("first", range(1000, 3000, 200))
def test_many_networks_give_what_the_reference_gives(simulator: Simulator, first: int) -> None:
    check_networks(simulator, range(first, first + 200))


def test_a_wrong_output_is_found(simulator: Simulator) -> None:
    """The comparison can fail: with each multiplier a bit larger, at least one byte is another."""
    model = read_model(random_layer("conv", 4))
    program = compile_model(model, options=Options(fold_constants=False))
    images = random_images(model.input.shape, IMAGES, 4)
    at = next(iter(program.segments))
    simulator.load(program)
    words = program.segments[at].copy()
    words[2:12:3] ^= 1  # shift amounts
    simulator.device.write(at, words)
    outputs, _ = simulator.run(images)
    with pytest.raises(MismatchError, match="in the golden model"):
        compare("damaged", outputs, Reference(model).run(images))
