"""A step with everything but addresses: jobs, the words they read, and what they cost."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from ascnode_gateware.compiler import blocks
from ascnode_gateware.compiler.lower import Lowered
from ascnode_gateware.compiler.plan import Step
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
    """The jobs of one sweep, and the parameters and weights that each of them reads."""

    sweep: Sweep
    tiles: tuple[Tile, ...]
    constants: Words


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
    def adds(self) -> bool:
        return self.step.add is not None

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
        """Of all parts and tables, once."""
        return sum(len(part.constants) for part in self.parts) + len(self.tables)

    @property
    def stream_words(self) -> int:
        """What a stream carries: every job reads its part's constants anew."""
        return sum(len(part.constants) * len(part.tiles) for part in self.parts) + len(self.tables)

    def rivals(self, banks: Mapping[int, int]) -> int:
        """Accesses for each output word that go to the input's bank, by the buffers' banks."""
        step = self.step
        views = [step.out] if step.skip is None else [step.out, step.skip]
        return sum(banks[view.buffer] == banks[step.source.buffer] for view in views)

    def cycles(self, rivals: int = 0, fetches: bool = False) -> int:
        """Roughly; with `fetches` weights come from the input's bank."""
        tiles = [tile for part in self.parts for tile in part.tiles]
        return sum(tile.cycles(self.adds, rivals, fetches) for tile in tiles) + len(self.tables)


def make_work(step: Step, lowered: Lowered) -> Work:
    """Cuts and packs a lowered step; ModelError names it when no cut fits."""
    parts = tuple(_part(sweep, step) for sweep in lowered.sweeps)
    return Work(step, parts, _tables(step), lowered.repacked)


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
    return Part(sweep, cut(sweep, step.name), blocks.pack(sweep.blocks, sweep.channels))


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
    computed = 1 if step.layer.output.id == add.other.id else 0
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
