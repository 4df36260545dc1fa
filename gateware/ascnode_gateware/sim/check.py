"""Comparison of the simulated accelerator with a golden model, tensor by tensor, in single steps."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ascnode_gateware.program.program import Int8, LayerInfo, Program
from ascnode_gateware.sim.process import SimulationError
from ascnode_gateware.sim.simulator import Simulator


class MismatchError(SimulationError):
    """The accelerator computed something else than the golden model."""


@dataclass(frozen=True)
class Checked:
    """Layers, by index, whose tensors were compared; and those whose tensors never lie in memory."""

    compared: tuple[int, ...]
    unseen: tuple[int, ...]


def check_layers(simulator: Simulator, program: Program, image: Int8, golden: Mapping[int, Int8]) -> Checked:
    """Runs `image` through the loaded `program`, pausing after each layer; `golden` has every tensor by its id.

    MismatchError names the first layer that differs, and the first element in it.
    """
    compared: list[int] = []
    for counter in simulator.layers(image):
        for layer in program.layers:
            if layer.tensor is not None and layer.done == counter:
                found = simulator.tensor(layer.tensor)
                compare(f"layer {layer.index} ({layer.op})", found, golden[layer.tensor_id])
                compared.append(layer.index)
    return Checked(tuple(compared), tuple(layer.index for layer in program.layers if not _seen(layer)))


def compare(name: str, found: Int8, golden: Int8) -> None:
    """MismatchError tells the first element of `name` that differs; shapes may differ in leading ones."""
    different = np.argwhere(found.reshape(golden.shape) != golden)
    if len(different):
        place = tuple(different[0].tolist())
        values = found.reshape(golden.shape)[place], golden[place]
        raise MismatchError(
            f"{name}: element {place} is {values[0]} on the accelerator and {values[1]} in the golden model; "
            f"{len(different)} of {golden.size} differ"
        )


def _seen(layer: LayerInfo) -> bool:
    return layer.tensor is not None and bool(layer.done)
