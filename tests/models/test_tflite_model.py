"""Reading .tflite files: what is found in good ones, and one ModelError for every bad one."""

import random
from dataclasses import replace

import numpy as np
import pytest
import tflite

from ascnode.models.image import compile_image
from ascnode_fw.accel import kernel_portable, layout
from ascnode_fw.accel.software import SoftwareAccelerator
from ascnode_gateware.model.layers import Convolution, ModelError
from ascnode_gateware.model.reference import Reference
from ascnode_gateware.model.tflite_model import load_model, read_model
from ascnode_gateware.model.tflite_operator import MAX_WINDOW
from models.golden import DIGITS, mlperf_tiny
from models.random_layers import KINDS, random_layer
from models.tflite_builder import OpSpec, TensorSpec, build

POOL = {"StrideH": 1, "StrideW": 1, "FilterHeight": 1, "FilterWidth": 1, "Padding": tflite.Padding.VALID}
INT8 = TensorSpec((1, 4, 4, 3), scales=[0.5], zero_points=[-7])


def identity_pool(**changes: int) -> OpSpec:
    return OpSpec("MAX_POOL_2D", [0], [1], "Pool2DOptions", {**POOL, **changes})


def one_op(op: OpSpec, *tensors: TensorSpec) -> bytes:
    return build(tensors, [op], [0], [1])


@pytest.mark.parametrize(
    ("name", "macs", "layers"),
    [("kws_ref_model.tflite", 2_656_768, 12), ("ad01_int8.tflite", 264_192, 10)],  # MLPerf Tiny's own counts
)
def test_macs_of_published_models(name: str, macs: int, layers: int) -> None:
    model = load_model(mlperf_tiny(name), drop_final_softmax=True)
    assert (model.macs, len(model.layers)) == (macs, layers)


def test_project_model_is_a_small_chain_with_logits_out() -> None:
    model = load_model(DIGITS)
    assert [layer.op for layer in model.layers][-1] == "FULLY_CONNECTED"
    assert (model.macs, model.input.shape, model.output.shape) == (23_680, (1, 8, 8, 1), (1, 10))


def test_same_padding_puts_the_smaller_half_first() -> None:
    weights = TensorSpec(data=np.ones((1, 4, 2, 1), np.int8), scales=[0.5])
    fields = {"StrideH": 1, "StrideW": 1, "DilationHFactor": 1, "DilationWFactor": 1}
    source = TensorSpec((1, 6, 5, 1), scales=[0.5], zero_points=[0])
    op = OpSpec("CONV_2D", [0, 2], [1], "Conv2DOptions", {**fields, "Padding": tflite.Padding.SAME})
    layer = read_model(one_op(op, source, source, weights)).layers[0]
    assert isinstance(layer, Convolution)
    assert (layer.window.pad_top, layer.window.pad_left) == (1, 0)  # of 3 and of 1
    assert layer.bias.tolist() == [0]


def test_a_tensor_without_a_name_goes_by_its_number() -> None:
    model = read_model(build([INT8, replace(INT8)], [identity_pool()], [0], [1], named=False))
    assert (model.input.name, model.output.name) == ("0", "1")


def test_a_final_softmax_is_refused_by_name_or_dropped_on_demand() -> None:
    tensors = [INT8, replace(INT8), replace(INT8, scales=[1 / 256], zero_points=[-128])]
    ops = [identity_pool(), OpSpec("SOFTMAX", [1], [2], "SoftmaxOptions")]
    data = build(tensors, ops, [0], [2])
    with pytest.raises(ModelError, match=r"layer 1 \(SOFTMAX\) cannot run"):
        read_model(data)
    assert read_model(data, drop_final_softmax=True).output.id == 1


@pytest.mark.parametrize(
    ("complaint", "data"),
    [
        ("TFL3", b"PK\x03\x04" + bytes(60)),
        ("TFL3", b""),
        (r"layer 0 \(HARD_SWISH\)", one_op(OpSpec("HARD_SWISH", [0], [1]), INT8, INT8)),
        ("t0 is not int8", one_op(identity_pool(), TensorSpec((1, 4, 4, 3), kind=0), INT8)),
        ("t1 has no single scale", one_op(identity_pool(), INT8, replace(INT8, scales=[]))),
        ("not a positive number", one_op(identity_pool(), INT8, replace(INT8, scales=[float("nan")]))),
        ("zero point 300", one_op(identity_pool(), INT8, replace(INT8, zero_points=[300]))),
        ("strides", one_op(identity_pool(StrideW=0), INT8, INT8)),
        ("a kernel", one_op(identity_pool(FilterHeight=1 << 30), INT8, INT8)),
        ("does not compute", one_op(identity_pool(StrideW=2), INT8, INT8)),
        ("activation 4", one_op(identity_pool(FusedActivationFunction=4), INT8, INT8)),
        ("has no Pool2DOptions", one_op(OpSpec("MAX_POOL_2D", [0], [1]), INT8, INT8)),
        ("changes scale", one_op(identity_pool(), INT8, replace(INT8, scales=[0.25]))),
        (
            "batch",
            one_op(identity_pool(), replace(INT8, shape=(2, 4, 4, 3)), replace(INT8, shape=(2, 4, 4, 3))),
        ),
        ("which cannot run", one_op(identity_pool(), replace(INT8, shape=(1, 4, -1, 3)), INT8)),
        ("2 inputs", build([INT8, INT8], [identity_pool()], [0, 1], [1])),
        (
            "no layer before it",
            build([INT8, INT8, INT8], [OpSpec("ADD", [0, 2], [1], "AddOptions")], [0], [1]),
        ),
        ("last layer", build([INT8, INT8, INT8], [identity_pool()], [0], [2])),
        ("second time", one_op(OpSpec("MAX_POOL_2D", [0], [0], "Pool2DOptions", POOL), INT8, INT8)),
        ("entry 9 of 2", build([INT8, INT8], [OpSpec("RESHAPE", [0], [9])], [0], [9])),
    ],
)
def test_what_cannot_run_is_refused_in_one_sentence(complaint: str, data: bytes) -> None:
    with pytest.raises(ModelError, match=complaint) as refusal:
        read_model(data)
    assert "\n" not in str(refusal.value)


def test_a_refused_file_is_named() -> None:
    with pytest.raises(ModelError, match=r"^test_tflite_model.py: "):
        load_model(DIGITS.parents[4] / "tests" / "models" / "test_tflite_model.py")


def test_corrupt_files_end_in_a_model_that_runs_or_in_model_error() -> None:
    """Flipped bytes, cuts and spliced words, 4,000 files made of one of each kind and of the project's model."""
    rng = random.Random(20260)
    originals = [random_layer(kind, 5) for kind in KINDS] + [DIGITS.read_bytes()]
    refused = 0
    for n in range(4_000):
        data = bytearray(originals[n % len(originals)])
        for _ in range(rng.choice((1, 1, 2, 8))):
            _spoil(data, rng)
        try:
            model = read_model(bytes(data))
            Reference(model).run(np.zeros((1, *model.input.shape[1:]), np.int8))
            SoftwareAccelerator(compile_image(model), kernel_portable)
        except ModelError:
            refused += 1
    assert refused > 1_000


def _spoil(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data) - 4)
    match rng.randrange(4):
        case 0:
            data[at] ^= 1 << rng.randrange(8)
        case 1:
            data[at : at + 4] = rng.choice(
                (b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", bytes(4), b"\x00\x00\x00\x80")
            )
        case 2:
            data[at : at + 4] = rng.randrange(2**32).to_bytes(4, "little")
        case 3 if len(data) > 64:
            del data[rng.randrange(32, len(data)) :]


def test_a_window_that_is_read_is_one_that_a_node_can_hold() -> None:
    assert MAX_WINDOW == layout.MAX_WINDOW
