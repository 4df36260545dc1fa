"""What the compiler is told about the engine that a program is for."""

from dataclasses import dataclass

from ascnode_gateware.program.job import BANK_WORDS, RING_BLOCK_WORDS


@dataclass(frozen=True)
class Target:
    """`bank_words` usable in each of the two banks; `stream_cycles_per_word` from the source of the stream.

    A quad flash clocked like the engine gives 4 bits a cycle, and a CRC word with each 64.
    """

    name: str
    bank_words: int = BANK_WORDS
    stream_cycles_per_word: float = 8 * 65 / 64

    def __post_init__(self) -> None:
        if self.bank_words % RING_BLOCK_WORDS or not 0 < self.bank_words <= BANK_WORDS:
            raise ValueError(f"{self.bank_words} words of a bank are no multiple of 64 up to {BANK_WORDS}")


UP5K = Target("up5k")


@dataclass(frozen=True)
class Options:
    """How to compile.

    `fuse=False` runs every layer for itself, for comparison layer by layer; `fold_constants=False` computes also the
    channels whose output is known; `repack=False` keeps the input's pixels one to a word; `stream` is "auto",
    "never" (refuse what is not wholly resident) or "always" (nothing is resident).
    """

    fuse: bool = True
    fold_constants: bool = True
    repack: bool = True
    stream: str = "auto"

    def __post_init__(self) -> None:
        if self.stream not in ("auto", "never", "always"):
            raise ValueError(f'stream is {self.stream!r}, not "auto", "never" or "always"')
