"""Whole networks, compiled and executed: every tensor in memory equals the reference, and the output TFLite Micro's."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from ascnode_gateware.compiler import Options, Target, compile_model, residency
from ascnode_gateware.model.layers import Model, ModelError
from ascnode_gateware.model.tflite_model import read_model
from ascnode_gateware.program.program import Program
from gateware.compiler.checking import check, noise, run
from gateware.compiler.random_networks import random_network
from gateware.networks import mobilenet_v1, resnet8, wake_word
from models.golden import DIGITS, Golden, mlperf_tiny
from models.random_layers import GRAPH_KINDS, KINDS, random_layer

PLAIN = Options()
ONE_BY_ONE = Options(fuse=False, fold_constants=False, repack=False)
STREAMED = Options(stream="always")
OPTIONS = [PLAIN, ONE_BY_ONE, STREAMED]
NAMES = ["plain", "one by one", "streamed"]
LAYERS_A_KIND = 20
NETWORKS = 20

FILES: dict[str, Callable[[], bytes]] = {
    "keyword spotting": lambda: mlperf_tiny("kws_ref_model.tflite").read_bytes(),
    "anomaly detection": lambda: mlperf_tiny("ad01_int8.tflite").read_bytes(),
    "digits": DIGITS.read_bytes,
    "visual wake words": mobilenet_v1,
    "image classification": resnet8,
    "wake word": wake_word,
}


@cache
def model_of(name: str) -> Model:
    return read_model(FILES[name](), drop_final_softmax=True)


@pytest.mark.parametrize("options", OPTIONS, ids=NAMES)
@pytest.mark.parametrize("name", FILES)
def test_every_tensor_of_a_network_is_the_references(name: str, options: Options) -> None:
    model = model_of(name)
    program = compile_model(model, options=options)
    compared = check(program, model, noise(model, 2, 5))
    in_memory = sum(layer.tensor is not None for layer in program.layers)
    # A reshape of the input is complete before the first job, so that no end of a layer shows it.
    assert compared == 2 * sum(layer.tensor is not None and layer.done != 0 for layer in program.layers)
    if not options.fuse:
        assert in_memory == len(program.layers)


@pytest.mark.parametrize("name", ["visual wake words", "image classification", "wake word"])
def test_a_networks_output_is_tflite_micros(name: str) -> None:
    model, golden = model_of(name), Golden(FILES[name]())
    program = compile_model(model)
    for image in noise(model, 4, 6):
        golden.run(image[np.newaxis])
        np.testing.assert_array_equal(run(program, image).ravel(), golden.tensor(model.output.id).ravel())


@pytest.mark.parametrize("kind", [*KINDS, *GRAPH_KINDS])
def test_random_layers(kind: str) -> None:
    for seed in range(LAYERS_A_KIND):
        model = read_model(random_layer(kind, seed))
        for options in OPTIONS:
            assert check(compile_model(model, options=options), model, noise(model, 4, seed)) >= 4


def test_random_networks() -> None:
    for seed in range(NETWORKS):
        model = read_model(random_network(seed))
        for options in OPTIONS:
            assert check(compile_model(model, options=options), model, noise(model, 3, seed)) >= 3


@pytest.mark.deep
@pytest.mark.parametrize("first", range(0, 600, 150))
def test_many_random_networks(first: int) -> None:
    for seed in range(first, first + 150):
        model = read_model(random_network(seed))
        for options in OPTIONS:
            check(compile_model(model, options=options), model, noise(model, 3, seed))


def test_a_changed_weight_changes_a_compared_tensor() -> None:
    """Of the checks above: they can fail."""
    model = model_of("digits")
    program = compile_model(model)
    address = next(layer.weights_address for layer in program.layers if layer.weights_address is not None)
    program.segments[address][12] ^= 0x40
    with pytest.raises(AssertionError, match="tensor"):
        check(program, model, noise(model, 2, 5))


def test_one_image_after_another_needs_no_reload() -> None:
    """What a driver does: only the input is written between two runs."""
    model = model_of("image classification")
    program = compile_model(model)
    first, second = noise(model, 5, 8)[3:]
    fresh = run(program, second)
    np.testing.assert_array_equal(run(program, second, after=first), fresh)


def test_random_networks_partly_resident_in_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Banks too small for all constants, so that layers stream, or are resident in part."""
    monkeypatch.setattr(residency, "_SHARE_WORDS", 48)
    monkeypatch.setattr(residency, "_MIN_RING_BLOCKS", 2)
    streamed = partly = 0
    for seed in range(2000, 2060):
        model = read_model(random_network(seed))
        program = _smallest(model)
        if program is not None and program.stream_blocks:
            check(program, model, noise(model, 2, seed))
            streamed += 1
            partly += any(layer.streamed and layer.weights_address is not None for layer in program.layers)
    assert streamed >= 20
    assert partly >= 5


def _smallest(model: Model) -> Program | None:
    """In the smallest banks of some sizes that are enough."""
    for words in (256, 384, 512, 768, 1024, 2048, 4096):
        try:
            return compile_model(model, target=Target("small", bank_words=words))
        except ModelError:
            continue
    return None
