"""How long a program runs, and what its jobs leave alone meanwhile, so that transfers and runs may overlap."""

from collections.abc import Iterator

import numpy as np

from ascnode_gateware.program.access_log import AccessLog, Addresses
from ascnode_gateware.program.executor import Engine
from ascnode_gateware.program.executor_source import StreamReader, step_in_bank
from ascnode_gateware.program.job import HEADER_WORDS, Job, Opcode
from ascnode_gateware.program.program import Foretold, Program
from ascnode_gateware.program.timing import predict_program

_COUNTED_LAYERS = 0xFF  # STATUS.layer wraps behind


def foretell(program: Program) -> Foretold:
    """By running it once, on an input of zeros: which words a job touches does not depend on what is in them."""
    source, output = program.input, program.output
    inputs = range(source.address, source.address + source.words)
    outputs = range(output.address, output.address + output.words)
    layers, free_after, kept_until = 0, 0, None
    for job, read, written in _accesses(program):
        if kept_until is None and _touches(written, outputs):
            kept_until = layers
        if _touches(read, inputs) or _touches(written, inputs):
            free_after = layers + 1
        layers += job.layer_end
    overlaps = layers <= _COUNTED_LAYERS
    return Foretold(
        predict_program(program).cycles,
        free_after if overlaps and free_after <= layers - 1 else None,
        (kept_until or 0) if overlaps else 0,
    )


def _accesses(program: Program) -> Iterator[tuple[Job, Addresses, Addresses]]:
    """(job, addresses read, addresses written) of each job but END."""
    log = AccessLog()
    engine = Engine(program.memory, StreamReader(program.stream), log)
    address = program.program_address
    for job in program.jobs:
        if job.opcode == Opcode.END:
            return
        log.clear()
        engine.run(address, job)
        yield job, log.read, log.written
        address = step_in_bank(address, HEADER_WORDS)


def _touches(addresses: Addresses, words: range) -> bool:
    return bool(np.any((addresses >= words.start) & (addresses < words.stop)))
