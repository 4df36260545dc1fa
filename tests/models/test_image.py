"""The image compiler: numbers by hand, and models that a node's CPU does not run."""

import struct
from binascii import crc32
from dataclasses import replace

import numpy as np
import pytest

from ascnode.models.image import compile_image
from ascnode_fw.accel import layout
from ascnode_gateware.model.layers import ModelError
from ascnode_gateware.model.tflite_model import load_model, read_model
from models.golden import DIGITS
from models.random_layers import random_layer
from models.tflite_builder import OpSpec, TensorSpec, build

SOURCE = TensorSpec((1, 2), scales=[0.5], zero_points=[-3])
TARGET = TensorSpec((1, 1), scales=[1.25], zero_points=[17])


def dense(weights: list[int], bias: int) -> bytes:
    """A fully connected layer of one channel with weight scale 0.25 and ReLU."""
    constants = (
        TensorSpec(data=np.array([weights], np.int8), scales=[0.25]),
        TensorSpec(data=np.array([bias], np.int32), scales=[0.125]),
    )
    source = replace(SOURCE, shape=(1, len(weights)))
    op = OpSpec("FULLY_CONNECTED", [0, 2, 3], [1], "FullyConnectedOptions", {"FusedActivationFunction": 1})
    return build([source, TARGET, *constants], [op], [0], [1])


def test_a_layer_of_one_output_by_hand() -> None:
    data = dense([3, -5], bias=0x12345)
    image = compile_image(read_model(data))
    magic, version, layers, length, model_id, macs = struct.unpack_from("<4sHHIII", image)
    assert (magic, version, layers, length, macs) == (b"ACNI", 1, 1, len(image), 2)
    assert model_id == crc32(data) & 0x3FFFFFFF
    words = struct.unpack_from("<22I", image, 20)
    # Kind, 1x1x2 to 1x1x1, 1x1 kernel, strides and dilation 1, no padding; then int8 + 128 of both zero points and
    # of the clamp, whose ReLU starts at the output's zero point.
    assert words[:19] == (0, 1, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 125, 145, 145, 255)
    assert words[19:] == (20 + 88 + 12, 20 + 88, 2)
    # 0.5 * 0.25 / 1.25 = 0.1 = 0.8 * 2^-3; 0.8 * 2^31 = 1717986918 = 1638 * 2^20 + 409 * 2^10 + 614
    # Bias 0x12345 - 125 * (3 - 5) - 2^29 = -536796065 = 0xE001243F
    assert struct.unpack_from("<6H", image, 108) == (0xE001, 0x243F, 1638, 409, 614, 28)
    assert image[120:122] == bytes([131, 123])
    assert struct.unpack_from("<I", image, 122)[0] == crc32(image[:-4])


def test_same_model_same_bytes() -> None:
    assert compile_image(load_model(DIGITS)) == compile_image(load_model(DIGITS))


@pytest.mark.parametrize(("kind", "name"), [("add", r"layer 1 \(ADD\)"), ("pad", r"layer 0 \(PAD\)")])
def test_add_and_pad_are_refused_by_layer(kind: str, name: str) -> None:
    with pytest.raises(ModelError, match=f"{name} cannot run on a node's CPU"):
        compile_image(read_model(random_layer(kind, 1)))


def test_more_products_than_a_sum_holds_are_refused() -> None:
    count = layout.MAX_TAPS + 1
    with pytest.raises(ModelError, match=f"sums {count} products; a node's CPU takes at most 16384"):
        compile_image(read_model(dense([1] * count, 0)))


def test_a_branching_model_is_refused() -> None:
    pool = {"StrideH": 1, "StrideW": 1, "FilterHeight": 1, "FilterWidth": 1, "Padding": 1}
    tensor = TensorSpec((1, 2, 2, 1), scales=[0.5], zero_points=[0])
    ops = [OpSpec("MAX_POOL_2D", [0], [n], "Pool2DOptions", pool) for n in (1, 2)]
    with pytest.raises(ModelError, match="not a chain"):
        compile_image(read_model(build([tensor] * 3, ops, [0], [2])))
