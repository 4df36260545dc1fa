"""The stream ring: blocks of 64 words in a bank, filled ahead of the engine and released as they are read."""

from dataclasses import dataclass

from pyrtl import Register, WireVector, concat, select

from ascnode_gateware.rtl.cells import delayed, keep, low


@dataclass(frozen=True)
class Fill:
    """Words for the ring, from flash: `valid` and `data` (32) until granted; `commit` makes the last 64 readable,
    `restart` forgets the words since the last commit. `host_blocks` (8) with `host_commit` count blocks that the
    host wrote by itself."""

    valid: WireVector
    data: WireVector
    commit: WireVector
    restart: WireVector
    host_commit: WireVector
    host_blocks: WireVector


@dataclass(frozen=True)
class Ring:
    read_address: WireVector  # 15
    ready: WireVector  # 1: a word can be read
    fill_address: WireVector  # 15
    room: WireVector  # 1: a word can be written
    free_blocks: WireVector  # 9


def ring(
    base: WireVector,
    blocks: WireVector,
    fill: Fill,
    filled: WireVector,
    taken: WireVector,
    restart: WireVector,
) -> Ring:
    """base: 15, a multiple of 64; blocks: 9, at most 256, inside a bank. `filled`, `taken`: a word was written, read.

    `restart` (1) empties it. A block counts until its last word is taken. Nothing stops a host that commits more
    blocks than are free: RING_FREE tells it.
    """
    first = base[6:]
    end = low(first + blocks, 9)
    read_word, read_block = _pointer("ring_read", taken, first, end, restart, restart)
    fill_word, fill_block = _pointer("ring_fill", filled, first, end, restart | fill.restart, restart)
    readable = Register(9, "ring_readable")
    release = taken & (read_word == 63)
    added = select(fill.host_commit, fill.host_blocks, concat(fill.commit).zero_extended(8))
    keep(readable, (restart, 0), (restart == 0, low(readable + added - release, 9)))
    free = low(blocks - readable, 9)
    # A pointer that a host's blocks must not disturb: flash and host do not fill in one run.
    return Ring(
        concat(read_block, read_word),
        readable != 0,
        concat(fill_block, fill_word),
        delayed(free != 0, "ring_room"),
        free,
    )


def _pointer(
    name: str,
    step: WireVector,
    first: WireVector,
    end: WireVector,
    word_clear: WireVector,
    block_clear: WireVector,
) -> tuple[Register, Register]:
    """(word in block (6), block (9)); a restart of the word alone repeats the block."""
    word, block = Register(6, f"{name}_word"), Register(9, f"{name}_block")
    keep(word, (word_clear, 0), (step, low(word + 1, 6)))
    following = low(block + 1, 9)
    keep(block, (block_clear, first), (step & (word == 63), select(following == end, first, following)))
    return word, block
