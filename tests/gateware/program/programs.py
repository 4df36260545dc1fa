"""Small programs laid out by hand: headers at PROGRAM, each job's words where its header says."""

from collections.abc import Sequence

import numpy as np

from ascnode_gateware.program.job import Job, Opcode
from ascnode_gateware.program.parameters import Channel
from gateware.program.random_space import Words

PROGRAM = 0x2000
WEIGHTS = 0x3000
INPUT = 0x4100
OUTPUT = 0x5200
COPY = Channel(bias=0, multiplier=2**30, shift=1, zero_point=0, low=-128, high=127)  # x * 2 * 1/2
IDENTITY_BLOCK = (0x00000001, 0x00000100, 0x00010000, 0x01000000)  # row r weighs lane r with 1


def memory_with(jobs: Sequence[Job], segments: dict[int, Sequence[int]], end: bool = True) -> Words:
    """uint32 [32768]: the jobs and END at PROGRAM, `segments` at their addresses, else 0."""
    memory = np.zeros(32768, np.uint32)
    headers = [word for job in [*jobs, *([Job(Opcode.END)] if end else [])] for word in job.pack()]
    for address, words in {PROGRAM: headers, **segments}.items():
        memory[address : address + len(words)] = [word & 0xFFFFFFFF for word in words]
    return memory


def group_words(*blocks: Sequence[int], channels: Sequence[Channel] = (COPY,) * 4) -> list[int]:
    """Parameters and weights of an output group."""
    return [word for channel in channels for word in channel.pack()] + [w for block in blocks for w in block]


def copy_job(**fields: int) -> Job:
    """Streams 8 words in a row from INPUT to OUTPUT, one pass for one output group, unless `fields` say otherwise."""
    usual = {"input": INPUT, "weights": WEIGHTS, "output": OUTPUT, "width": 8, "cols_less_1": 7, "d_col": 1}
    return Job(**{**usual, **fields})


def word_of(*lanes: int) -> int:
    """Four int8 as a word, the first lowest."""
    return sum((lane & 0xFF) << 8 * place for place, lane in enumerate(lanes))
