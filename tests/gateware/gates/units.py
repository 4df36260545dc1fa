"""What a program makes the engine do: the units and modes that a set of programs has to touch."""

import numpy as np

from ascnode_gateware.program.job import (
    BANK_WORDS,
    BLOCK_WORDS,
    HEADER_WORDS,
    PARAMETER_WORDS,
    Job,
    Opcode,
    unpack,
)
from ascnode_gateware.program.program import Words

_LEFT, _AMOUNT = 0x20, 0x1F

MODES = frozenset(
    [
        "dense",
        "depthwise",
        "depthwise, every second column",
        "depthwise, kernel above 4",
        "maximum",
        "tables loaded",
        "sum with a second tensor",
        "padding",
        "barrier",
        "two output groups in a job",
        "streamed weights",
        "left shift",
        "right shift",
        "constant channel",
    ]
)


def modes(memory: Words, address: int, stream: Words) -> set[str]:
    """Those of MODES that the program at `address` of `memory` (uint32 [32768]) uses."""
    found: set[str] = set()
    taken = 0
    while (job := _header(memory, address)).opcode != Opcode.END:
        words = stream[taken:] if job.stream else memory[job.weights :]
        taken += _fetched(job) if job.stream else 0
        found |= {"tables loaded"} if job.opcode == Opcode.LOAD else _of_run(job) | _of_parameters(job, words)
        found |= {"streamed weights"} if job.stream else set()
        address += HEADER_WORDS
    return found


def _header(memory: Words, address: int) -> Job:
    assert address % BANK_WORDS + HEADER_WORDS <= BANK_WORDS, "a header that wraps"
    return unpack(memory[address : address + HEADER_WORDS].tolist())


def _fetched(job: Job) -> int:
    if job.opcode == Opcode.LOAD:
        return 514
    return (job.n_ocg_less_1 + 1) * (PARAMETER_WORDS + BLOCK_WORDS * job.passes)


def _of_run(job: Job) -> set[str]:
    found = {
        "dense": not job.dw,
        "depthwise": job.dw,
        "depthwise, every second column": job.dw and job.period == 1,
        "depthwise, kernel above 4": job.dw and job.n_kx_less_1,
        "maximum": job.max,
        "sum with a second tensor": job.add,
        "padding": _pads(job),
        "barrier": job.barrier,
        "two output groups in a job": job.n_ocg_less_1,
    }
    return {name for name, used in found.items() if used}


def _pads(job: Job) -> bool:
    last_x = job.ix0 + job.kx_inc * job.n_kx_less_1 + job.sx * job.cols_less_1
    last_y = job.iy0 + job.ky_inc * job.n_ky_less_1 + job.sy * job.rows_less_1
    return job.ix0 < 0 or job.iy0 < 0 or last_x >= job.width or last_y >= job.height


def _of_parameters(job: Job, words: Words) -> set[str]:
    step = PARAMETER_WORDS + BLOCK_WORDS * job.passes
    places = [group * step + 3 * channel + 2 for group in range(job.n_ocg_less_1 + 1) for channel in range(4)]
    scales = np.asarray(words)[places]
    found = {
        "left shift": (scales & _LEFT != 0) & (scales & _AMOUNT != 0),
        "right shift": (scales & _LEFT == 0) & (scales & _AMOUNT != 0),
        "constant channel": (scales >> 16 & 0xFF) == (scales >> 24),
    }
    return {name for name, used in found.items() if used.any()}
