"""The UCI handwritten digits that ground users send, as int8 inputs of the project's model."""

from dataclasses import dataclass
from importlib import resources
from typing import IO

import numpy as np
import numpy.typing as npt

PIXEL_MAX = 16  # UCI counts the set pixels of a 4x4 block of the scanned bitmap

# A pixel p means the real number p/16; the converter then finds scale 1/255 and zero point -128 for the input.
INPUT_SCALE = 1 / 255
INPUT_ZERO_POINT = -128


@dataclass(frozen=True, eq=False)
class Digits:
    """Images int8 [n, 8, 8, 1] as the model takes them, labels uint8 [n]; `test` is what ground users send."""

    train_images: npt.NDArray[np.int8]
    train_labels: npt.NDArray[np.uint8]
    test_images: npt.NDArray[np.int8]
    test_labels: npt.NDArray[np.uint8]


def load_digits() -> Digits:
    """The committed data file, split as it says."""
    with resources.files("ascnode.models").joinpath("data/digits.npz").open("rb") as file:
        return read_digits(file)


def read_digits(file: IO[bytes]) -> Digits:
    """Reads images uint8 [n, 8, 8], labels uint8 [n] and the flags `test` bool [n] from an npz file."""
    with np.load(file, allow_pickle=False) as data:
        images, labels, test = to_model_input(data["images"]), data["labels"], data["test"]
    return Digits(images[~test], labels[~test], images[test], labels[test])


def to_model_input(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.int8]:
    """Pixels 0..16 [n, 8, 8] to int8 [n, 8, 8, 1]: round(p/16 / INPUT_SCALE) + INPUT_ZERO_POINT, halves up."""
    if pixels.size and pixels.max() > PIXEL_MAX:
        raise ValueError(f"a digit's pixel is {pixels.max()}; they run from 0 to {PIXEL_MAX}")
    steps = (pixels[..., np.newaxis].astype(np.int32) * 255 + PIXEL_MAX // 2) // PIXEL_MAX
    return np.asarray(steps + INPUT_ZERO_POINT, dtype=np.int8)
