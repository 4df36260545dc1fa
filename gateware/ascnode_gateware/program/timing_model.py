"""The figures of the cycle predictor: what calibration against the RTL may change, all in cycles."""

from dataclasses import dataclass

from ascnode_gateware.program.job import RING_BLOCK_WORDS


@dataclass(frozen=True)
class Timing:
    """Of the engine. A pass is *taken* in the cycle before its first word goes past the array.

    Without conflicts a job's first pass is taken 12 + 12 + 4 - 1 cycles after its header's first word.
    """

    start_to_header: int = 2  # from START to the first header word
    pass_to_pass: int = 1  # from a pass's last word to the next one's being taken, when its block is there
    pixel_to_drain: int = 6  # from an output group's last word to the drain's beginning, when it is free
    drain_to_header: int = 2  # from the beginning of a job's last drain to the next header's first word
    drain_byte: int = 2
    drain_added_byte: int = 4
    drain_latency: int = 6  # from a drain's beginning to its last write, beyond its bytes
    drain_added_latency: int = 10
    drain_to_free: int = 1  # from the last write to a free set of accumulators, or to the next drain
    header_to_table: int = 2  # LOAD: from the header's last word to the table's first, when all is drained
    table_to_header: int = 2  # LOAD: from the table's last word to the next header's first
    end_to_idle: int = 2  # END: from its word to idle, when all is drained


@dataclass(frozen=True)
class StreamSource:
    """Who fills the ring: a word each `cycles_per_word`, `extra_words` (its CRC) behind each block of 64.

    `start` cycles pass before the first word is on its way, `latency` from a block's last word to its first read.
    """

    cycles_per_word: float
    extra_words: int = 0
    start: int = 0
    latency: int = 0

    @property
    def block(self) -> float:
        """Cycles of a block."""
        return (RING_BLOCK_WORDS + self.extra_words) * self.cycles_per_word


# Quad reads, 4 bits a cycle; three commands precede the data (rtl/flash_phase.py).
QUAD_FLASH = StreamSource(cycles_per_word=8, extra_words=1, start=541, latency=8)
