"""Two sets of 256 x 4 sums of 32 bits in block RAM: one fills while the other is read out."""

from dataclasses import dataclass

from pyrtl import MemBlock, Register, WireVector, select, signed_gt

from ascnode_gateware.rtl.array import ROWS, Tag
from ascnode_gateware.rtl.cells import block_ram, joined, keep, low, read, signed

SETS = 2


@dataclass(frozen=True)
class Accumulators:
    words: tuple[WireVector, WireVector]  # of each set, 4 rows (128), a cycle after its address
    last_pixel: Register  # 8: the pixel summed last


@dataclass(frozen=True)
class Target:
    """Where the sums of a pass go."""

    which: Register  # set
    starts: Register  # in place of what is there


def target(tag: Tag, clear: WireVector) -> Target:
    """Of the word that `tag` belongs to: sets take turns, and each output group starts afresh."""
    which, starts = Register(1, "accumulate_which"), Register(1, "accumulate_starts")
    keep(which, (clear, 0), (tag.group_end, ~which))
    keep(starts, (clear, 1), (tag.pass_end, tag.group_end))
    return Target(which, starts)


def accumulators(
    sums: list[WireVector],
    before: Tag,
    tag: Tag,
    target: Target,
    maximum: WireVector,
    drained: tuple[WireVector, WireVector],
    drain_pixel: WireVector,
    clear: WireVector,
) -> Accumulators:
    """Adds row sums (18 each) that belong to `tag` and go to `target`; `before` is the tag a cycle earlier, when the
    old sum is read.

    A pixel may come again after 4 cycles: read, add and write take 2. With `maximum`, a larger sum (-256..255) replaces
    what is there. A set that is
    `drained` (1 each) reads drain_pixel (8).
    """
    counted = Register(8, "accumulate_pixel")
    keep(counted, (clear | before.pass_end, 0), (before.output, low(counted + 1, 8)))
    pixel = Register(8, "accumulate_written")
    keep(pixel, (before.output, counted))
    rows = [
        _row(r, sums[r], tag.output, target, maximum, counted, pixel, drained, drain_pixel)
        for r in range(ROWS)
    ]
    words = tuple(joined([row[which] for row in rows]) for which in range(SETS))
    return Accumulators((words[0], words[1]), pixel)


def _row(
    r: int,
    sum_: WireVector,
    output: WireVector,
    target: Target,
    maximum: WireVector,
    counted: WireVector,
    pixel: WireVector,
    drained: tuple[WireVector, WireVector],
    drain_pixel: WireVector,
) -> list[Register]:
    memories: list[MemBlock] = [block_ram(f"accumulator_{which}_{r}", 32, 8) for which in range(SETS)]
    old = []
    for which, memory in enumerate(memories):
        address = select(drained[which], drain_pixel, counted)
        old.append(read(memory, address, f"accumulate_old_{which}_{r}"))
    kept = select(target.starts | maximum, 0, select(target.which, old[1], old[0]))
    total = low(kept + signed(sum_, 32), 32)
    larger = signed_gt(sum_[:9], select(target.which, old[1], old[0])[:9])
    write = output & (~maximum | target.starts | larger)
    for which, memory in enumerate(memories):
        memory[pixel] <<= MemBlock.EnabledWrite(total, write & (target.which == which))
    return old
