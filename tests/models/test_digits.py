"""The committed digits and the model trained on them."""

import io

import numpy as np
import pytest

from ascnode.models.digits import INPUT_SCALE, INPUT_ZERO_POINT, load_digits, to_model_input
from ascnode.models.export_digits import npz_bytes
from ascnode_gateware.model.reference import Reference
from ascnode_gateware.model.tflite_model import load_model
from models.golden import DIGITS

# optdigits.names of the UCI repository: examples of each class in the set that scikit-learn carries.
UCI_CLASS_COUNTS = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_every_uci_digit_is_in_one_part() -> None:
    digits = load_digits()
    labels = np.concatenate([digits.train_labels, digits.test_labels])
    assert np.bincount(labels).tolist() == UCI_CLASS_COUNTS
    assert (len(digits.train_images), len(digits.test_images)) == (1_297, 500)
    assert min(np.bincount(digits.test_labels)) >= 40


def test_the_first_uci_digit_is_a_zero_with_these_pixels() -> None:
    """First lines of optdigits.tes: 0,0,5,13,9,1,0,0 / 0,0,13,15,10,15,5,0 / ... ,0."""
    digits = load_digits()
    rows = np.array([[0, 0, 5, 13, 9, 1, 0, 0], [0, 0, 13, 15, 10, 15, 5, 0]], np.uint8)
    top = to_model_input(rows[np.newaxis])
    images = np.concatenate([digits.train_images, digits.test_images])
    labels = np.concatenate([digits.train_labels, digits.test_labels])
    matches = (images[:, :2] == top).all(axis=(1, 2, 3))
    assert labels[matches].tolist() == [0]


def test_pixels_become_the_int8_that_the_models_input_scale_asks_for() -> None:
    pixels = np.arange(17, dtype=np.uint8).reshape(1, 1, 17)
    found = to_model_input(pixels).ravel().tolist()
    assert found == [-128, -112, -96, -80, -64, -48, -32, -16, 0, 15, 31, 47, 63, 79, 95, 111, 127]
    source = load_model(DIGITS).input
    assert source.zero_point == INPUT_ZERO_POINT
    assert source.scale == pytest.approx(INPUT_SCALE, rel=1e-6)


def test_a_pixel_past_16_is_refused() -> None:
    with pytest.raises(ValueError, match="17"):
        to_model_input(np.full((1, 8, 8), 17, np.uint8))


def test_the_model_is_right_on_97_of_100_test_digits() -> None:
    digits = load_digits()
    answers = Reference(load_model(DIGITS)).run(digits.test_images).argmax(axis=1)
    assert np.mean(answers == digits.test_labels) >= 0.97


def test_the_export_writes_no_clock_into_the_file() -> None:
    written = npz_bytes({"labels": np.array([3, 1, 4], np.uint8)})
    assert written[10:14] == bytes([0, 0, 0x21, 0])  # midnight of 1980-01-01 in a zip's local header
    assert np.load(io.BytesIO(written))["labels"].tolist() == [3, 1, 4]
