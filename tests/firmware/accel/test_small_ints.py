"""No intermediate of either kernel leaves (-2^30, 2^30), whatever the model and its inputs."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest

from ascnode_fw.accel import layout
from ascnode_gateware.model.tflite_model import load_model, read_model
from firmware.accel import cases, checks
from firmware.accel.audited import AUDITED, Audited
from models.golden import DIGITS
from models.oracle import vectors
from models.random_layers import KINDS, random_images, random_layer
from models.tflite_builder import OpSpec, TensorSpec, build


def audit(check: str, kernel: str, blocks: list[bytes]) -> tuple[int, int, int]:
    """Cases, wrong results and 0; OverflowError as soon as an intermediate is too large."""
    file = io.BytesIO(b"".join(struct.pack("<I", len(block)) + block for block in blocks))
    found: tuple[int, int, int] = getattr(checks, f"check_{check}")(AUDITED[kernel], file)
    return found


def test_the_audit_itself_notices() -> None:
    assert Audited(2**29) + (2**29 - 1) == 2**30 - 1
    with pytest.raises(OverflowError):
        Audited(2**29) + 2**29
    with pytest.raises(OverflowError):
        5 << Audited(28)
    with pytest.raises(OverflowError):
        -(Audited(3) * -(2**28)) * 2


@pytest.mark.parametrize("kernel", AUDITED)
def test_rescaling(kernel: str) -> None:
    table = vectors(seed=8, each=5_000)
    assert audit("rescale", kernel, cases.rescale_blocks(table)) == (len(table), 0, 0)
    some = np.random.default_rng(9).permutation(table)[:3_000]
    assert audit("requantise", kernel, cases.requantise_blocks(some, seed=9)) == (6_000, 0, 0)


@pytest.mark.parametrize("kernel", AUDITED)
@pytest.mark.parametrize("kind", KINDS)
def test_random_layers(kind: str, kernel: str) -> None:
    for seed in range(12):
        model = read_model(random_layer(kind, seed))
        blocks = cases.image_blocks(model, random_images(model.input.shape, 3, seed))
        assert audit("images", kernel, blocks) == (3, 0, 0)


@pytest.mark.parametrize("kernel", AUDITED)
def test_project_model(kernel: str) -> None:
    model = load_model(DIGITS)
    blocks = cases.image_blocks(model, random_images(model.input.shape, 4, 2))
    assert audit("images", kernel, blocks) == (4, 0, 0)


@pytest.mark.parametrize(("weight", "answers"), [(-128, [0, -128, -64]), (127, [0, 127, 63])])
@pytest.mark.parametrize("op", ["CONV_2D", "DEPTHWISE_CONV_2D"])
def test_the_longest_sums_of_the_largest_products(
    op: str, weight: int, answers: list[int], tmp_path: Path
) -> None:
    """MAX_TAPS products of inputs at the near, the far and either end; answers are sums / 2^22, by hand."""
    side = 128
    assert side * side == layout.MAX_TAPS
    source = TensorSpec((1, side, side, 1), scales=[1.0], zero_points=[-128])
    target = TensorSpec((1, 1, 1, 1), scales=[2.0**22], zero_points=[0])
    weights = TensorSpec(data=np.full((1, side, side, 1), weight, np.int8), scales=[1.0], axis=0)
    fields = {"Padding": 1, "StrideH": 1, "StrideW": 1, "DilationHFactor": 1, "DilationWFactor": 1}
    options = {"CONV_2D": "Conv2DOptions", "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions"}[op]
    model = read_model(build([source, target, weights], [OpSpec(op, [0, 2], [1], options, fields)], [0], [1]))
    blocks = cases.image_blocks(model, random_images(model.input.shape, 3, 1))
    assert list(blocks[2]) == [answer % 256 for answer in answers]
    for audited in AUDITED:
        assert audit("images", audited, blocks) == (3, 0, 0)
    path = cases.write(tmp_path / "long", blocks)
    for kernel in cases.KERNELS:
        assert cases.run("images", kernel, path)["wrong"] == 0
