"""Boards with an accelerator, of any kind: the firmware's one driver on what the kind has at its SPI."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ascnode.boards.accelerators import AcceleratorKind
from ascnode.scenario.scenario import Scenario
from ascnode.scenario.tables.work import Payload
from ascnode_hil.devices import make_device
from ascnode_hil.loop import LoopThread
from ascnode_hil.node import HilNode
from ascnode_hil.rig import Setup
from ascnode_hil.sky import HilSky
from ascnode_hil.target import parse_target
from firmware.driver.rig import Case, case, model_file

AT_ONCE = 8
_OPEN_S = 120.0


def scenario(model: str, inputs: Sequence[bytes], folder: Path) -> Scenario:
    """One whose payload are these inputs of that model."""
    if model == "digits":
        return Scenario()
    shape = case(model).model.input.shape[1:]
    np.save(folder / "images.npy", np.frombuffer(b"".join(inputs), np.int8).reshape(len(inputs), *shape))
    return Scenario(payload=Payload(images="images.npy", model=str(model_file(model))), folder=folder)


@contextmanager
def board(
    target: str, accelerator: AcceleratorKind, model: str, inputs: Sequence[bytes], folder: Path
) -> Iterator[HilNode]:
    """A board of a target (as --ascnode-board names it), in the sun and in contact."""
    loop = LoopThread()
    setup = Setup(scenario(model, inputs, folder), 1, "board", folder, accelerator)
    device = make_device(parse_target(target), setup, 0, None)
    loop.slower = device.slower
    try:
        loop.run(device.open(), _OPEN_S, f"board {device.name}")
        loop.run(device.begin(), _OPEN_S, f"board {device.name}")
        node = HilNode(device, loop, setup.seed)
        sky = HilSky(node)
        sky.sun()
        sky.contact()
        node.step(3)
        yield node
    finally:
        loop.run(device.close(), _OPEN_S, f"end of board {device.name}")
        loop.close()


def ask(node: HilNode, inputs: Sequence[bytes]) -> list[bytes]:
    """The answers' bytes, in order; the ground takes over each."""
    outputs: list[bytes] = []
    for at in range(0, len(inputs), AT_ONCE):
        jobs = [node.query(data)[0] for data in inputs[at : at + AT_ONCE]]
        found = node.answers_to(jobs, 3000)
        node.take_over(*(answer.count for answer in found))
        outputs += [answer.output for answer in found]
    return outputs


def engines(node: HilNode) -> list[int]:
    """What computed the answer to each job so far, by the dictionary's numbers; an answer may be sent again."""
    return list(
        {one.fields["job"]: one.fields["engine"] for one in node.heard if one.name == "result"}.values()
    )


def expected(of: Case, inputs: Sequence[bytes]) -> list[bytes]:
    return [of.answer(data) for data in inputs]
