"""Single layers whose shapes reach the limits of a job's fields, and the sentences for those past them."""

from collections.abc import Callable

import pytest
import tflite

from ascnode_gateware.compiler import UP5K, Options, Target, compile_model
from ascnode_gateware.model.layers import ModelError
from ascnode_gateware.model.tflite_model import read_model
from gateware.compiler.checking import check, noise
from gateware.networks import Network

VALID, SAME = tflite.Padding.VALID, tflite.Padding.SAME

Layer = Callable[[Network, int], int]


def one(layer: Layer, *shape: int) -> bytes:
    net = Network(9)
    source = net.input(*shape)
    return net.build(source, layer(net, source))


def pooled(op: str, kernel: int, stride: int, padding: int) -> Layer:
    return lambda n, s: n.pool(s, op, (kernel, kernel), (stride, stride), padding=padding)


SHAPES: dict[str, tuple[Layer, tuple[int, ...]]] = {
    "more rows than coordinates count": (lambda n, s: n.conv(s, 5, (3, 3)), (1, 900, 5, 3)),
    "more columns than coordinates count": (lambda n, s: n.conv(s, 5, (3, 3)), (1, 5, 900, 3)),
    "depthwise, many rows": (lambda n, s: n.depthwise(s, (3, 3), (2, 2)), (1, 900, 5, 8)),
    "depthwise, many columns": (lambda n, s: n.depthwise(s, (3, 5)), (1, 5, 700, 8)),
    "a wide input and few outputs": (lambda n, s: n.conv(s, 5, (3, 5), (1, 3)), (1, 4, 700, 3)),
    "eight words an output": (lambda n, s: n.depthwise(s, (3, 5), (1, 8)), (1, 3, 1500, 4)),
    "stride 9 without padding": (lambda n, s: n.conv(s, 5, (3, 3), (9, 9), padding=VALID), (1, 60, 60, 3)),
    "stride 9 with padding": (lambda n, s: n.conv(s, 5, (11, 11), (9, 9)), (1, 60, 60, 3)),
    "depthwise, stride 9 with padding": (lambda n, s: n.depthwise(s, (11, 11), (9, 9)), (1, 60, 60, 3)),
    "dilation 9": (lambda n, s: n.conv(s, 5, (3, 3), dilation=(9, 9)), (1, 20, 20, 3)),
    "depthwise, dilation 9": (lambda n, s: n.depthwise(s, (3, 3), dilation=(9, 9)), (1, 20, 20, 3)),
    "sound, upright": (lambda n, s: n.conv(s, 8, (10, 1), (4, 1)), (1, 4000, 1, 1)),
    "sound, lying": (lambda n, s: n.conv(s, 8, (1, 10), (1, 4)), (1, 1, 4000, 1)),
    "depthwise, upright": (lambda n, s: n.depthwise(s, (9, 1)), (1, 700, 1, 8)),
    "4096 inputs": (lambda n, s: n.dense(s, 8), (1, 4096)),
    "flattened, odd channels": (
        lambda n, s: n.dense(n.reshape(n.conv(s, 5, (1, 1)), 1, 45), 7),
        (1, 3, 3, 5),
    ),
    "2044 channels": (lambda n, s: n.conv(s, 2044, (1, 1)), (1, 2, 2, 4)),
    "a reshape of the input": (lambda n, s: n.conv(n.reshape(s, 1, 4, 4, 3), 5, (3, 3)), (1, 48)),
    "a reshape to the output": (lambda n, s: n.reshape(n.conv(s, 3, (1, 1)), 1, 48), (1, 4, 4, 3)),
    "a mean of 2500": (pooled("AVERAGE_POOL_2D", 50, 50, VALID), (1, 50, 50, 4)),
    "means at the border": (pooled("AVERAGE_POOL_2D", 3, 1, SAME), (1, 20, 20, 8)),
    "a large maximum": (pooled("MAX_POOL_2D", 3, 2, SAME), (1, 90, 90, 4)),
    "padding past the input": (
        lambda n, s: n.pad(s, (0, 0), (20, 2), (2, 20), (0, 0)),
        (1, 28, 300, 1),
    ),
    "padding of channels": (lambda n, s: n.pad(s, (0, 0), (0, 0), (1, 0), (3, 6)), (1, 8, 8, 5)),
    "padding of three dimensions": (lambda n, s: n.pad(s, (0, 0), (2, 1), (0, 0)), (1, 8, 5)),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_at_a_limit_runs(name: str) -> None:
    layer, shape = SHAPES[name]
    model = read_model(one(layer, *shape))
    for options in (Options(), Options(fuse=False, repack=False, fold_constants=False)):
        assert check(compile_model(model, options=options), model, noise(model, 2, 1)) >= 2


REFUSALS: dict[str, tuple[Layer, tuple[int, ...], str]] = {
    "output larger than a bank": (
        lambda n, s: n.conv(s, 16, (3, 3)),
        (1, 128, 128, 3),
        r"layer 0 \(CONV_2D\) has an output of 128x128x16, 262144 bytes in memory; a bank holds 65536: use",
    ),
    "channels": (
        lambda n, s: n.conv(s, 2048, (1, 1)),
        (1, 2, 2, 4),
        r"layer 0 \(CONV_2D\) has 4 input and 2048 output channels; at most 2048 and 2044 can run",
    ),
    "reshape that moves bytes": (
        lambda n, s: n.conv(n.reshape(n.conv(s, 3, (1, 1)), 1, 2, 4, 6), 5, (1, 1)),
        (1, 4, 4, 3),
        r"layer 1 \(RESHAPE\) makes 6 channels of 3, .* keep the number of channels or make both multiples of 4",
    ),
    "mean of too many": (
        pooled("AVERAGE_POOL_2D", 100, 100, VALID),
        (1, 100, 100, 4),
        r"layer 0 \(AVERAGE_POOL_2D\) averages 10000 values; no multiplier divides so many exactly",
    ),
    "nothing to do": (lambda n, s: n.reshape(s, 1, 8, 5), (1, 40), "the model computes nothing"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_cannot_run_is_refused_in_one_sentence(name: str) -> None:
    layer, shape, complaint = REFUSALS[name]
    with pytest.raises(ModelError, match=complaint):
        compile_model(read_model(one(layer, *shape)))


def test_activations_that_do_not_fit_are_refused_with_the_step_that_needs_them() -> None:
    model = read_model(one(lambda n, s: n.conv(n.conv(s, 16, (3, 3)), 4, (3, 3)), 1, 16, 16, 3))
    small = Target("small", bank_words=1152)
    with pytest.raises(ModelError, match=r"layer 0 \(CONV_2D\) needs 5120 bytes of activations .* of 2304"):
        compile_model(model, target=Target("small", bank_words=576))
    check(compile_model(model, target=small), model, noise(model, 2, 1))


def test_weights_that_do_not_fit_stream_or_are_refused() -> None:
    model = read_model(one(lambda n, s: n.dense(n.dense(s, 128), 256), 1, 512))
    small = Target("small", bank_words=6016)
    program = compile_model(model, target=small)
    assert 25_728 - 2 * 6016 < program.stream_blocks * 64 < 25_728 - 6016
    assert program.ring_base % 64 == 0
    assert program.ring_base + 64 * program.ring_blocks in (6016, 0x4000 + 6016)
    check(program, model, noise(model, 3, 2))
    with pytest.raises(
        ModelError, match=r"need 1030\d\d bytes, 67072 of them for layer 0 \(FULLY_CONNECTED\).*stream them"
    ):
        compile_model(model, target=small, options=Options(stream="never"))


def test_another_source_of_the_stream_changes_no_result() -> None:
    model = read_model(one(lambda n, s: n.dense(n.dense(s, 128), 256), 1, 512))
    slow = Target("slow", bank_words=6016, stream_cycles_per_word=64)
    check(compile_model(model, target=slow), model, noise(model, 3, 2))
    assert UP5K.stream_cycles_per_word == pytest.approx(8.125)


def test_an_unknown_way_to_stream_is_refused() -> None:
    with pytest.raises(ValueError, match="'sometimes'"):
        Options(stream="sometimes")


def test_a_target_whose_ring_would_not_be_aligned_is_refused() -> None:
    with pytest.raises(ValueError, match="6000 words of a bank are no multiple of 64"):
        Target("odd", bank_words=6000)
