"""Section RUN of an .acc file: what a driver needs of a program, in binary, so that it need not read JSON."""

import struct
from math import prod

from ascnode_gateware.program.program import Foretold, Program

NEVER = 0xFFFF  # in place of a layer: not before END
RUN = struct.Struct("<14I2i4I")


def pack_run(program: Program, foretold: Foretold) -> bytes:
    """RUN's words, in the order of docs/accelerator.md."""
    source, output = program.input, program.output
    free_after = NEVER if foretold.input_free_after is None else foretold.input_free_after
    return RUN.pack(
        *(program.program_address, program.ring_base, program.ring_blocks, program.stream_blocks),
        *(foretold.cycles, free_after, foretold.output_kept_until),
        *(prod(source.shape), source.address, source.rows, source.row_bytes),
        *(source.columns, source.groups, source.step, source.start, source.pad),
        *(prod(output.shape), output.address, output.pixels, output.channels),
    )
