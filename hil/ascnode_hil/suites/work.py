"""Work for a node: real images, in any number."""

import random

import numpy as np
import numpy.typing as npt

from ascnode.models.digits import load_digits
from ascnode_hil.node import HilNode

_LONG_CYCLES_PER_MAC = (
    100_000  # the most there may be: a job of 18 s at the fastest clock of the default node
)
SLOTS = 16

_DIGITS = load_digits()


def lengthen(node: HilNode, cycles_per_mac: int = _LONG_CYCLES_PER_MAC) -> None:
    """Makes jobs take that long on the CPU, and as long on an accelerator."""
    engine, macs = node.twin.engine, node.twin.node.accelerator.macs
    node.configure(cycles_per_mac=cycles_per_mac)
    if engine is not None:
        node.configure(work_scale=macs * cycles_per_mac // engine.cycles)


def images(seed: int, count: int) -> list[npt.NDArray[np.int8]]:
    """Handwritten digits, chosen by the seed."""
    return [picture for picture, _ in labelled(seed, count)]


def labelled(seed: int, count: int) -> list[tuple[npt.NDArray[np.int8], int]]:
    """The same, each with what it shows."""
    chosen = random.Random(seed).sample(range(len(_DIGITS.test_images)), count)
    return [(_DIGITS.test_images[i], int(_DIGITS.test_labels[i])) for i in chosen]


def image() -> npt.NDArray[np.int8]:
    """Any one."""
    return images(0, 1)[0]


def busy(node: HilNode, seconds: float, jobs: int = 4, chunk_s: float = 10.0) -> None:
    """Lets time pass and keeps that many long jobs waiting, as far as the node takes them; the ground hears all."""
    end_s = node.now_s + seconds
    taken: set[int] = set()
    while node.now_s < end_s:
        for _ in range(jobs - node.twin.node.computer.tasks.held()):
            node.query(image(), deadline_s=100_000)
        counts = {answer.count for answer in node.answers()} - taken
        if counts:
            node.take_over(*counts)
            taken |= counts
        node.advance(min(chunk_s, end_s - node.now_s))


def hold(node: HilNode) -> None:
    """A power cap that leaves the accelerator nothing; release() ends it."""
    assert node.command("cap_power", node.parameter("bus_load") + node.parameter("radio_load")) == "ok"


def release(node: HilNode) -> None:
    """Ends hold()."""
    assert node.command("cap_power", 0) == "ok"
