"""The stream ring's contents as the engine takes them: words that are readable, and blocks that are free."""

from hashlib import blake2b

import numpy as np

from ascnode_gateware.program.executor_arithmetic import ExecutionError
from ascnode_gateware.program.job import RING_BLOCK_WORDS
from ascnode_gateware.program.program import Words

_FREE_MODULUS = 512  # of STATUS.ring_free


class StreamBuffer:
    """`progress` words have gone to the engine; `taken` of them belong to jobs that have ended."""

    def __init__(self, words: Words) -> None:
        self.words = words
        self.taken = 0
        self.progress = 0

    @property
    def key(self) -> bytes:
        """The same for the same words."""
        return blake2b(self.words.tobytes(), digest_size=16).digest()

    @property
    def available(self) -> int:
        """Words since the beginning, those taken included."""
        return len(self.words)

    def append(self, words: Words) -> None:
        self.words = np.concatenate([self.words, words])

    def take(self, count: int) -> Words:
        """A job's words; ExecutionError when they are not all there."""
        if self.taken + count > self.available:
            raise ExecutionError(f"{count} words wanted, {self.available - self.taken} there")
        self.taken += count
        return self.words[self.taken - count : self.taken]

    def free_blocks(self, ring_blocks: int, arrived_blocks: int) -> int:
        """Of a ring in which so many blocks have arrived."""
        readable = arrived_blocks - self.progress // RING_BLOCK_WORDS
        return (ring_blocks - readable) % _FREE_MODULUS
