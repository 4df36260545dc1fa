"""Additions: always in place over the second operand, which is copied first if somebody needs it later."""

import numpy as np
import pytest

from ascnode_gateware.compiler import Options, compile_model
from ascnode_gateware.compiler.report import report
from ascnode_gateware.model.layers import Model
from ascnode_gateware.model.tflite_model import read_model
from ascnode_gateware.program.job import Job
from ascnode_gateware.program.program import Program
from gateware.compiler.checking import check, noise, run
from gateware.networks import Network
from models.golden import Golden

OPTIONS = [Options(), Options(fuse=False), Options(stream="always")]
COPY = "adds to a copy"


def both_operands_live() -> bytes:
    """a + b, then both again: b under the sum, and a under what comes of that."""
    net = Network(11)
    source = net.input(1, 6, 5, 8)
    a, b = net.conv(source, 8, (3, 3)), net.conv(source, 8, (1, 1))
    one = net.add(a, b)
    two = net.add(b, one, relu=False)
    return net.build(source, net.add(two, a))


def twice_itself(pixels: int = 7) -> bytes:
    """x + x, alone: 7x`pixels` outputs."""
    net = Network(12)
    source = net.input(1, 7, pixels, 6)
    x = net.conv(source, 6, (3, 3))
    return net.build(source, net.add(x, x, relu=False))


def convolved_and_kept() -> bytes:
    """conv(x) + x: the convolution reads around the place where the sum would lie."""
    net = Network(13)
    source = net.input(1, 5, 9, 4)
    x = net.conv(source, 4, (1, 1))
    return net.build(source, net.add(net.conv(x, 4, (3, 3), relu=False), x))


def chain() -> bytes:
    """The input is added again and again, to itself at last."""
    net = Network(14)
    source = net.input(1, 4, 4, 12)
    total = net.add(net.conv(source, 12, (3, 3), relu=False), source)
    for _ in range(3):
        total = net.add(total, source, relu=False)
    return net.build(source, net.add(total, total))


NETWORKS = {
    "both live": both_operands_live(),
    "x + x": twice_itself(),
    "x + x, several jobs": twice_itself(60),
    "conv(x) + x": convolved_and_kept(),
    "chain": chain(),
}


def sums(program: Program) -> list[Job]:
    return [job for job in program.jobs if job.add]


def notes(program: Program) -> list[str]:
    return [layer.note for layer in program.layers]


def compiled(data: bytes, options: Options | None = None) -> tuple[Program, Model]:
    model = read_model(data)
    return compile_model(model, options=options or Options()), model


@pytest.mark.parametrize("options", OPTIONS, ids=["plain", "one by one", "streamed"])
@pytest.mark.parametrize("name", NETWORKS)
def test_sums_are_in_place_and_right(name: str, options: Options) -> None:
    program, model = compiled(NETWORKS[name], options)
    assert sums(program)
    assert all(job.skip == job.output != job.input for job in sums(program))
    assert check(program, model, noise(model, 4, 3)) >= 4


@pytest.mark.parametrize("name", NETWORKS)
def test_sums_are_tflite_micros(name: str) -> None:
    program, model = compiled(NETWORKS[name])
    golden = Golden(NETWORKS[name])
    for image in noise(model, 3, 9):
        golden.run(image[np.newaxis])
        np.testing.assert_array_equal(run(program, image).ravel(), golden.tensor(model.output.id).ravel())


@pytest.mark.parametrize("name", ["x + x", "conv(x) + x"])
def test_an_operand_that_the_sum_still_reads_is_copied(name: str) -> None:
    program, _ = compiled(NETWORKS[name])
    assert sum(COPY in note for note in notes(program)) == 1
    assert COPY in report(program)
    copy, total = program.jobs[-3:-1]
    assert not copy.add and total.add
    assert copy.output == total.output != copy.input
    assert copy.barrier and not total.barrier  # drains run in order
    assert total.layer_end and not copy.layer_end


def test_only_operands_needed_later_are_copied() -> None:
    """Of three sums over two tensors only the first has no operand that dies; of the chain also x + x."""
    assert [COPY in note for note in notes(compiled(NETWORKS["both live"])[0])][2:] == [True, False, False]
    chained = [COPY in note for note in notes(compiled(NETWORKS["chain"])[0])]
    assert chained == [True, False, False, False, False, True]


def test_a_kept_operand_is_there_after_the_sum() -> None:
    """Of `both live`, by its place: neither operand of the first sum is overwritten by it."""
    program, _ = compiled(NETWORKS["both live"])
    a, b, total = (layer.tensor for layer in program.layers[:3])
    assert a is not None and b is not None and total is not None
    assert len({a.address, b.address, total.address}) == 3


def test_a_dead_first_operand_is_written_over_without_a_copy() -> None:
    """The operands change places, and their tables must too."""
    net = Network(15)
    source = net.input(1, 3, 3, 4)
    dies = net.conv(source, 4, (3, 3))
    kept = net.conv(dies, 4, (1, 1), relu=False)
    total = net.add(dies, kept)
    again = net.conv(kept, 4, (3, 3), relu=False)
    program, model = compiled(net.build(source, net.add(again, total)))
    assert not any(COPY in note for note in notes(program))
    assert program.jobs[0].output == sums(program)[0].output
    assert check(program, model, noise(model, 4, 2)) >= 4
