"""A step with everything but addresses: jobs, the words they read, and what they cost."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from ascnode_gateware.compiler import blocks
from ascnode_gateware.compiler.lower import Lowered
from ascnode_gateware.compiler.plan import Step, View
from ascnode_gateware.compiler.repack import Repacked
from ascnode_gateware.compiler.sweep import Sweep
from ascnode_gateware.compiler.tiles import Tile, cut
from ascnode_gateware.model.layers import Add
from ascnode_gateware.model.quantise import requantise
from ascnode_gateware.program.job import HEADER_WORDS, TABLE_WORDS
from ascnode_gateware.program.parameters import Channel
from ascnode_gateware.program.program import Words

_ADD_LEFT_SHIFT = 20  # tflite-micro add_common.cc, int8


@dataclass(frozen=True, eq=False)
class Part:
    """The jobs of one sweep over `source`, and the parameters and weights that each of them reads.

    With `adds` their outputs are added to what lies in the step's output already.
    """

    sweep: Sweep
    tiles: tuple[Tile, ...]
    constants: Words
    source: View
    adds: bool

    def cycles(self, output_bank: int, source_bank: int, constants_bank: int) -> int:
        """Roughly, with conflicts of accesses that meet in a bank."""
        rivals = (1 + self.adds) * (output_bank == source_bank)
        fetches = constants_bank == source_bank
        return sum(tile.cycles(self.adds, rivals, fetches) for tile in self.tiles)


@dataclass(frozen=True, eq=False)
class Work:
    """A step, or a share of its output groups, the first of which `opens` it and the last `closes` it.

    `tables` is what a LOAD before the first job reads; empty without an addition and after the first share.
    """

    step: Step
    parts: tuple[Part, ...]
    tables: Words
    repacked: Repacked | None
    opens: bool = True
    closes: bool = True

    @property
    def loads(self) -> bool:
        """Whether a LOAD comes first."""
        return len(self.tables) > 0

    @property
    def jobs(self) -> int:
        return sum(len(part.tiles) for part in self.parts) + self.loads

    @property
    def header_words(self) -> int:
        return self.jobs * HEADER_WORDS

    @property
    def constant_words(self) -> int:
        """Of all parts and tables, once; what several parts read alike is one array."""
        blobs = {id(part.constants): len(part.constants) for part in self.parts}
        return sum(blobs.values()) + len(self.tables)

    @property
    def stream_words(self) -> int:
        """What a stream carries: every job reads its part's constants anew."""
        return sum(len(part.constants) * len(part.tiles) for part in self.parts) + len(self.tables)

    def buffers(self) -> tuple[int, ...]:
        """Whose banks the cycles depend on."""
        return tuple({view.buffer: None for view in (self.step.out, *(part.source for part in self.parts))})

    def cycles(self, banks: Mapping[int, int], constants_bank: int | None = None) -> int:
        """Roughly, by the buffers' banks; None: each part's weights lie opposite its pixels."""
        output, cycles = banks[self.step.out.buffer], len(self.tables)
        for part in self.parts:
            source = banks[part.source.buffer]
            cycles += part.cycles(output, source, 1 - source if constants_bank is None else constants_bank)
        return cycles


def make_work(step: Step, lowered: Lowered) -> Work:
    """Cuts and packs a lowered step; ModelError names it when no cut fits."""
    parts = [_part(sweep, step) for sweep in lowered.sweeps]
    if lowered.copy is not None and step.skip is not None:
        parts.insert(0, replace(_part(lowered.copy, step), source=step.skip, adds=False))
    return Work(step, _sharing(parts), _tables(step), lowered.repacked)


def shares(works: Iterable[Work], words: int) -> list[Work]:
    """The works with those of more constants than `words` cut into shares of about as many."""
    return [share for work in works for share in _shares(work, words)]


def merged(works: Iterable[Work], places: Iterable[int | None]) -> list[tuple[Work, int | None]]:
    """Neighbouring shares of a step with the same place as one work again; each work with its place."""
    pairs = zip(works, places, strict=True)
    found = []
    for (_, place), run in groupby(pairs, key=lambda pair: (id(pair[0].step), pair[1])):
        found.append((_joined([work for work, _ in run]), place))
    return found


def _part(sweep: Sweep, step: Step) -> Part:
    constants = blocks.pack(sweep.blocks, sweep.channels)
    return Part(sweep, cut(sweep, step.name), constants, step.source, step.add is not None)


def _sharing(parts: Iterable[Part]) -> tuple[Part, ...]:
    """The parts; those whose constants are alike have them in one array."""
    blobs: dict[bytes, Words] = {}
    return tuple(
        replace(part, constants=blobs.setdefault(part.constants.tobytes(), part.constants)) for part in parts
    )


def _shares(work: Work, words: int) -> Iterator[Work]:
    """A step of several sweeps stays whole."""
    sweep = work.parts[0].sweep
    each = max(1, words * sweep.output_groups // sweep.constant_words)
    if len(work.parts) > 1 or each >= sweep.output_groups:
        yield work
        return
    for first in range(0, sweep.output_groups, each):
        part = _part(sweep.share(first, each), work.step)
        opens, closes = first == 0, first + each >= sweep.output_groups
        tables = work.tables if opens else work.tables[:0]
        yield Work(work.step, (part,), tables, work.repacked, opens, closes)


def _joined(works: list[Work]) -> Work:
    if len(works) == 1:
        return works[0]
    sweeps = [work.parts[0].sweep for work in works]
    sweep = replace(
        sweeps[0],
        blocks=np.concatenate([sweep.blocks for sweep in sweeps]),
        channels=tuple(channel for sweep in sweeps for channel in sweep.channels),
    )
    return replace(works[0], parts=(_part(sweep, works[0].step),), closes=works[-1].closes)


def _tables(step: Step) -> Words:
    """Tables of the computed operand and of the skip tensor, then how their sum is rescaled (TFLite Micro's ADD)."""
    add = step.add
    if add is None:
        return np.zeros(0, np.uint32)
    made = step.source.tensor.id if step.layer is add else step.layer.output.id
    computed = 0 if made == add.input.id else 1
    first, second = _table(add, computed), _table(add, 1 - computed)
    total = Channel(0, add.multipliers[2], add.shifts[2], add.output.zero_point, add.low, add.high)
    words = np.concatenate([first, second, np.array(total.pack()[1:], np.uint32)])
    assert len(words) == TABLE_WORDS
    return words


def _table(add: Add, operand: int) -> Words:
    """uint32 [256]: the operand's rescaled value for each byte, the byte taken as unsigned."""
    values = np.arange(256, dtype=np.uint8).view(np.int8).astype(np.int64)
    point = (add.input, add.other)[operand].zero_point
    multiplier, shift = np.int64(add.multipliers[operand]), np.int64(add.shifts[operand])
    scaled = requantise((values - point) << _ADD_LEFT_SHIFT, multiplier, shift)  # type: ignore[arg-type]
    return scaled.astype(np.int32).view(np.uint32)
