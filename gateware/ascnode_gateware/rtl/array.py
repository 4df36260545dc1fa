"""The multiplier array's operands and row sums; the multipliers themselves are ports, for the chip's own blocks."""

from dataclasses import dataclass, fields

from pyrtl import Register, WireVector, concat, select

from ascnode_gateware.rtl.cells import bytes_of, delayed, joined, keep, low, signed
from ascnode_gateware.rtl.pixels import Word

ROWS = LANES = 4


@dataclass(frozen=True)
class Tag:
    """What goes along with a word through the pipeline; all 0 when there is no word."""

    output: WireVector  # completes a pixel
    pass_end: WireVector
    group_end: WireVector

    def later(self, stage: str, clear: WireVector) -> "Tag":
        """A cycle later, unless `clear`."""
        names = [f.name for f in fields(self)]
        return Tag(*[delayed(getattr(self, name) & ~clear, f"array_{name}_{stage}") for name in names])


@dataclass(frozen=True)
class Operands:
    """Ports of the multipliers: a, b 128 bits, row r and lane l at bits 8*(4r+l); `load` takes b over."""

    a: WireVector
    b: WireVector
    load: WireVector


def issue_tag(word: Word, issued: WireVector) -> Tag:
    """The tag of a word in the cycle of its issue."""
    return Tag(issued & word.output, issued & word.pass_end, issued & word.group_end)


def operands(
    word: WireVector,
    pad: WireVector,
    padding: WireVector,
    valid: WireVector,
    load: WireVector,
    dw: WireVector,
    block: WireVector,
) -> Operands:
    """word (32) a cycle after its issue, with its `padding`, `valid`, `load`; a is there a cycle later.

    Dense: every row holds the word. Depthwise: row r holds its byte of the last four words, the newest on lane 3.
    `block` (128) is the next block; multipliers take it while the pass's first word arrives.
    """
    # What pads is put in at the registers: there the look-up tables have an input left.
    inside = bytes_of(word & (~padding).sign_extended(32))
    fill = pad & padding.sign_extended(8)
    window = [[Register(8, f"array_a_{r}_{lane}") for lane in range(LANES)] for r in range(ROWS)]
    for r in range(ROWS):
        for lane in range(LANES):
            older = inside[r] | fill if lane == LANES - 1 else window[r][lane + 1]
            keep(window[r][lane], (valid, select(dw, older, inside[lane] | fill)))
    return Operands(joined([joined(row) for row in window]), block, valid & load)


def row_sums(pair_sums: WireVector) -> list[WireVector]:
    """Eight sums of two products modulo 2^16 (128) to four exact row sums (18), a cycle later.

    -128 * -128 twice is 2^15, which reads as -2^15; no other pair comes below -2 * 16256 = 0x8100, so 0x8000 to 0x80ff
    can only be positive.
    """
    pairs = [pair_sums[at : at + 16] for at in range(0, 128, 16)]
    exact = [concat(pair[15] & (pair[8:15] != 0), pair) for pair in pairs]
    sums = [low(signed(exact[2 * r], 18) + signed(exact[2 * r + 1], 18), 18) for r in range(ROWS)]
    return [delayed(sum_, f"array_sum_{r}") for r, sum_ in enumerate(sums)]


def block_register(words: WireVector, row: WireVector, arrives: WireVector) -> WireVector:
    """The next block (128), word by word: `row` (2) and `arrives` (1) with words (32)."""
    rows = [Register(32, f"array_block_{r}") for r in range(ROWS)]
    for r, register in enumerate(rows):
        keep(register, (arrives & (row == r), words))
    return joined(rows)
