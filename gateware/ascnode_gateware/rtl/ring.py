"""The stream ring: blocks of 64 words in a bank, filled ahead of the engine and released as they are read."""

from dataclasses import dataclass

from pyrtl import Const, Register, WireVector, concat, select

from ascnode_gateware.rtl.cells import delayed, keep, low
from ascnode_gateware.rtl.loaded_counter import loaded_counter


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
    read_word = _word("ring_read_word", taken, restart)
    release = taken & (read_word == 63)
    read_block = _block("ring_read_block", release, first, end, restart)
    # Whether a block was right is known after its last word: only then does the next one follow it.
    fill_word = _word("ring_fill_word", filled, restart | fill.restart)
    fill_block = _block("ring_fill_block", fill.commit, first, end, restart)
    readable = Register(9, "ring_readable")
    due = Register(1, "ring_release_due")
    keep(due, (restart, 0), (Const(1, 1), release | (due & fill.host_commit)))
    keep(readable, (restart, 0), (Const(1, 1), low(readable + _change(fill, due), 9)))
    free = low(blocks - readable, 9)
    return Ring(
        concat(read_block, read_word),
        _ready(readable, due),
        concat(fill_block, fill_word),
        delayed(free != 0, "ring_room"),
        free,
    )


def _ready(readable: Register, due: Register) -> WireVector:
    """From registers only. After a block's last word it takes two cycles to know whether there is another one."""
    return delayed(readable != 0, "ring_some") & ~due & ~delayed(due, "ring_was_due")


def _change(fill: Fill, down: WireVector) -> WireVector:
    """What becomes readable (9, two's complement): one sum, since a host's blocks put off what is `down`."""
    one = concat((down & ~fill.commit).sign_extended(8), down ^ fill.commit)
    return select(fill.host_commit, fill.host_blocks.zero_extended(9), one)


def _word(name: str, step: WireVector, clear: WireVector) -> Register:
    """Which word of its block (6)."""
    word = Register(6, name)
    keep(word, (clear, 0), (step, low(word + 1, 6)))
    return word


def _block(name: str, step: WireVector, first: WireVector, end: WireVector, restart: WireVector) -> Register:
    """The upper bits (9) of an address, from `first` round to `end`, which it holds for a cycle: nothing is read or
    written in the two after a `step`."""
    block = Register(9, name)
    loaded_counter(block, restart | (block == end), first, step)
    return block
