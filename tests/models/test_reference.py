"""The NumPy reference against TFLite Micro, the golden inference."""

import numpy as np
import pytest

from ascnode.models.digits import load_digits
from ascnode_gateware.model.reference import Reference
from ascnode_gateware.model.tflite_model import load_model, read_model
from models.golden import DIGITS, Golden, mlperf_tiny
from models.random_layers import GRAPH_KINDS, KINDS, random_images, random_layer

LAYERS_A_KIND = 200


@pytest.mark.parametrize("kind", [*KINDS, *GRAPH_KINDS])
def test_random_layers_give_what_tflite_micro_gives(kind: str) -> None:
    for seed in range(LAYERS_A_KIND):
        data = random_layer(kind, seed)
        model = read_model(data)
        golden = Golden(data)
        images = random_images(model.input.shape, 6, seed)
        expected = np.concatenate([golden.run(image[np.newaxis]) for image in images])
        np.testing.assert_array_equal(Reference(model).run(images), expected, err_msg=f"{kind} {seed}")


def test_project_model_gives_what_tflite_micro_gives_on_every_test_image() -> None:
    model, golden = load_model(DIGITS), Golden(DIGITS.read_bytes())
    images = np.concatenate([load_digits().test_images, random_images(model.input.shape, 20, 7)])
    expected = np.concatenate([golden.run(image[np.newaxis]) for image in images])
    np.testing.assert_array_equal(Reference(model).run(images), expected)


@pytest.mark.parametrize("name", ["kws_ref_model.tflite", "ad01_int8.tflite"])
def test_every_activation_of_an_mlperf_tiny_model_is_tflite_micros(name: str) -> None:
    path = mlperf_tiny(name)
    model, golden = load_model(path, drop_final_softmax=True), Golden(path.read_bytes())
    for image in random_images(model.input.shape, 6, 11):
        golden.run(image[np.newaxis])
        for tensor_id, activation in Reference(model).run_all(image[np.newaxis]).items():
            np.testing.assert_array_equal(activation.ravel(), golden.tensor(tensor_id).ravel())


def test_a_batch_gives_what_its_images_give_one_by_one() -> None:
    reference = Reference(load_model(DIGITS))
    images = random_images((1, 8, 8, 1), 5, 3)
    single = [reference.run(image[np.newaxis])[0] for image in images]
    np.testing.assert_array_equal(reference.run(images), np.stack(single))


def test_images_of_another_shape_or_type_are_refused() -> None:
    reference = Reference(load_model(DIGITS))
    with pytest.raises(ValueError, match=r"\(1, 8, 7, 1\).*\(8, 8, 1\)"):
        reference.run(np.zeros((1, 8, 7, 1), np.int8))
    with pytest.raises(ValueError, match="uint8"):
        reference.run(np.zeros((1, 8, 8, 1), np.uint8))  # type: ignore[arg-type]
