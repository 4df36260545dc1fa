"""Both kernels, on both interpreters, against the NumPy reference; and that a run allocates nothing."""

from pathlib import Path

import numpy as np
import pytest

from ascnode.models.digits import load_digits
from ascnode_gateware.model.tflite_model import load_model, read_model
from firmware.accel import cases
from models.golden import DIGITS, Golden, mlperf_tiny
from models.oracle import vectors
from models.random_layers import KINDS, random_images, random_layer

LAYERS_A_KIND = 40
SLOW = "portable"  # about 4 ms a project-model inference; viper 0.2 ms


@pytest.fixture(scope="module")
def layers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random layers of every kind, 4 images each."""
    blocks = []
    for kind in KINDS:
        for seed in range(LAYERS_A_KIND):
            model = read_model(random_layer(kind, seed))
            blocks += cases.image_blocks(model, random_images(model.input.shape, 4, seed))
    return cases.write(tmp_path_factory.mktemp("accel") / "layers", blocks)


@pytest.mark.parametrize("kernel", cases.KERNELS)
def test_random_layers_give_the_references_bytes(kernel: str, layers: Path) -> None:
    expected = {"cases": LAYERS_A_KIND * len(KINDS) * 4, "wrong": 0, "allocated": 0}
    assert cases.run("images", kernel, layers) == expected


@pytest.mark.parametrize("kernel", cases.KERNELS)
def test_project_model_gives_tflite_micros_bytes(kernel: str, tmp_path: Path) -> None:
    """The whole test part with viper, every third image of it with the portable kernel; and the extremes."""
    model, golden = load_model(DIGITS), Golden(DIGITS.read_bytes())
    test = load_digits().test_images[:: 3 if SLOW in kernel else 1]
    images = np.concatenate([random_images(model.input.shape, 5, 1), test])
    image, inputs, _ = cases.image_blocks(model, images)
    expected = b"".join(golden.run(one[np.newaxis]).tobytes() for one in images)
    path = cases.write(tmp_path / "digits", [image, inputs, expected])
    assert cases.run("images", kernel, path) == {"cases": len(images), "wrong": 0, "allocated": 0}


@pytest.mark.parametrize("kernel", cases.KERNELS)
@pytest.mark.parametrize("name", ["kws_ref_model.tflite", "ad01_int8.tflite"])
def test_mlperf_tiny_models_give_the_references_bytes(kernel: str, name: str, tmp_path: Path) -> None:
    model = load_model(mlperf_tiny(name), drop_final_softmax=True)
    images = np.random.default_rng(5).integers(-128, 128, (1, *model.input.shape[1:])).astype(np.int8)
    path = cases.write(tmp_path / "model", cases.image_blocks(model, images))
    assert cases.run("images", kernel, path) == {"cases": 1, "wrong": 0, "allocated": 0}


@pytest.mark.parametrize("kernel", cases.KERNELS)
def test_rescaling_is_tflite_micros_over_all_shifts_ties_and_extremes(kernel: str, tmp_path: Path) -> None:
    table = vectors()
    path = cases.write(tmp_path / "rescale", cases.rescale_blocks(table))
    assert len(table) > 100_000
    assert cases.run("rescale", kernel, path) == {"cases": len(table), "wrong": 0, "allocated": 0}


@pytest.mark.parametrize("kernel", cases.KERNELS)
def test_any_int32_sum_is_requantised_however_it_is_split(kernel: str, tmp_path: Path) -> None:
    table = np.random.default_rng(3).permutation(vectors(seed=4, each=5_000))[:20_000]
    path = cases.write(tmp_path / "requantise", cases.requantise_blocks(table, seed=5))
    assert cases.run("requantise", kernel, path) == {"cases": 40_000, "wrong": 0, "allocated": 0}
