"""Decides where constants lie: resident in which bank, or streamed through the ring; and foretells the time.

Streamed words arrive at a steady rate from the start of the inference, up to a ring's worth ahead. Which layers to
stream is found by trying: all are streamed at first, then the layer that saves most becomes resident, and so on.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ascnode_gateware.compiler.buffers import Activations
from ascnode_gateware.compiler.target import Target
from ascnode_gateware.compiler.work import Work, merged, shares
from ascnode_gateware.model.layers import ModelError
from ascnode_gateware.program.job import RING_BLOCK_WORDS
from ascnode_gateware.program.program import LANES

_MIN_RING_BLOCKS = 16
_CHUNKS = 8  # a work's streamed words are taken in so many equal parts
_SHARE_WORDS = 1024  # constants of a share, where a layer is cut to be resident in part
_WAITING_SHARE = (
    8  # a cycle of the engine, even one that a slow stream hides, counts for an eighth of a cycle more
)
_PRICELESS = float("inf")  # what is hoped for of a work not tried yet
_TRUSTED = 8  # works made resident before all are tried anew
_LEAST = 1e-6  # cycles hoped for of one that saves words of the stream alone
HEADERS = -1  # the key under which the jobs' headers are placed


@dataclass(frozen=True)
class Constants:
    """Bank of each resident work's constants, by its number, and of the headers; the ring takes what is left.

    `cycles` with, `busy` without waiting for the stream.
    """

    banks: Mapping[int, int]
    ring_bank: int
    ring_blocks: int
    cycles: int
    busy: int
    stream_words: int

    @property
    def rank(self) -> tuple[float, int]:
        """A faster source may come: then what is hidden by the stream counts."""
        return self.cycles + self.busy / _WAITING_SHARE, self.stream_words

    def bank_of(self, number: int) -> int:
        """Where a work's constants are read from."""
        return self.banks.get(number, self.ring_bank)


@dataclass(frozen=True)
class _Item:
    key: int
    words: int
    preferred: int
    loss: int  # cycles, in the other bank


_ORDERS: tuple[Callable[[_Item], tuple[float, int]], ...] = (
    lambda item: (-item.loss / item.words, item.key),
    lambda item: (-item.words, item.key),
)


def decide(works: Sequence[Work], activations: Activations, target: Target, stream: str) -> Constants:
    """`stream` as Options has it; ModelError when the constants do not fit so."""
    chooser = _Chooser(works, activations, target)
    everything = frozenset(range(len(works)))
    found = chooser.constants(everything) if stream != "always" else None
    if found is None and stream == "never":
        raise chooser.refusal()
    found = found or chooser.streamed(stream == "auto")
    if found is None:
        raise chooser.refusal()
    return found


def decide_shares(
    works: Sequence[Work], activations: Activations, target: Target
) -> tuple[list[Work], Constants] | None:
    """Works cut so that a layer may be resident in part, and where they lie; None when that does not fit."""
    cut = shares(works, _SHARE_WORDS)
    found = _Chooser(cut, activations, target).streamed(True)
    if found is None:
        return None
    pairs = merged(cut, [found.banks.get(number) for number in range(len(cut))])
    banks = {number: bank for number, (_, bank) in enumerate(pairs) if bank is not None}
    banks[HEADERS] = found.banks[HEADERS]
    return [work for work, _ in pairs], replace(found, banks=banks)


class _Chooser:
    def __init__(self, works: Sequence[Work], activations: Activations, target: Target) -> None:
        self._works, self._activations, self._target = works, activations, target
        self._free = [target.bank_words - peak for peak in activations.peaks]
        banks = activations.banks
        self._cycles = [
            (work.cycles(banks, 0), work.cycles(banks, 1)) for work in works
        ]  # by constants' bank
        self._words = [work.stream_words for work in works]
        self._header_words = sum(work.header_words for work in works) + 1

    def constants(self, resident: frozenset[int]) -> Constants | None:
        """With `resident` works in memory, the rest streamed; None when they do not fit."""
        items = [*self._items(resident), self._headers()]
        whole = len(resident) == len(self._works)
        found = [
            self._constants(resident, items, banks, ring_bank)
            for banks in self._packings(items)
            for ring_bank in ((0,) if whole else (0, 1))
        ]
        reserve = 0 if whole else _MIN_RING_BLOCKS
        return min((c for c in found if c.ring_blocks >= reserve), key=_rank, default=None)

    def streamed(self, keep: bool) -> Constants | None:
        """Everything streamed; with `keep`, what saves most is made resident while there is room."""
        resident: frozenset[int] = frozenset()
        best = self.constants(resident)
        hopes: dict[int, float] = {}
        while keep and best is not None:
            fresh = not hopes
            found = self._step(best, resident, hopes)
            if found is not None:
                best, resident = found[1], resident | {found[0]}
            elif fresh:
                break
            if found is None or len(resident) % _TRUSTED == 0:
                hopes = {}  # all are tried again, also before giving up
        return best

    def _step(
        self, best: Constants, resident: frozenset[int], hopes: dict[int, float]
    ) -> tuple[int, Constants] | None:
        """The next work to make resident, and what comes of it; None when none helps.

        `hopes` are cycles that works would save when they were last tried: mostly they save less later, so that only
        the most hopeful need a trial.
        """
        tried: dict[int, Constants] = {}
        others = self._others(resident)
        while True:
            first = max(others, key=lambda n: (hopes.get(n, _PRICELESS), -n), default=None)
            if first is None or hopes.get(first, _PRICELESS) <= 0:
                return None
            if first in tried:
                return first, tried[first]
            found = self.constants(resident | {first})
            hopes[first] = 0.0
            if found is not None and _rank(found) < _rank(best):
                hopes[first] = max(best.rank[0] - found.rank[0], _LEAST)
                tried[first] = found

    def refusal(self) -> ModelError:
        """Names the layer with the most constants."""
        largest = max(self._works, key=lambda work: work.constant_words)
        needed = sum(work.constant_words + work.header_words for work in self._works)
        return ModelError(
            f"the weights and jobs need {needed * LANES} bytes, {largest.constant_words * LANES} of them for "
            f"{largest.step.name}, and {sum(self._free) * LANES} are left in two banks beside the activations; "
            "stream them, or make the model smaller"
        )

    def _others(self, resident: frozenset[int]) -> list[int]:
        """Works that may become resident next: of a step's shares the first that is not."""
        streamed = [n for n in range(len(self._works)) if n not in resident]
        return [n for n in streamed if self._works[n].opens or n - 1 in resident]

    def _items(self, resident: frozenset[int]) -> list[_Item]:
        return [self._item(n) for n in sorted(resident)]

    def _item(self, number: int) -> _Item:
        first, second = self._cycles[number]
        work = self._works[number]
        opposite = 1 - self._activations.banks[work.step.source.buffer]
        preferred = opposite if first == second else int(second < first)
        return _Item(number, work.constant_words, preferred, abs(second - first))

    def _headers(self) -> _Item:
        return _Item(HEADERS, self._header_words, 0, 0)

    def _constants(
        self, resident: frozenset[int], items: list[_Item], banks: dict[int, int], ring_bank: int
    ) -> Constants:
        rest = self._free[ring_bank] - sum(item.words for item in items if banks[item.key] == ring_bank)
        streamed = [words for number, words in enumerate(self._words) if number not in resident]
        blocks = rest // RING_BLOCK_WORDS if streamed else 0
        cycles = [both[banks.get(number, ring_bank)] for number, both in enumerate(self._cycles)]
        if streamed and banks[HEADERS] == ring_bank:
            cycles[-1] += self._header_words  # roughly what the ring's filling may delay
        waited = self._time(resident, cycles, blocks * RING_BLOCK_WORDS)
        return Constants(banks, ring_bank, blocks, waited, sum(cycles), sum(streamed))

    def _packings(self, items: list[_Item]) -> list[dict[int, int]]:
        """Ways to fill the banks: what loses most or is largest first; where it loses nothing, or one bank first."""
        found: list[dict[int, int]] = []
        for order in _ORDERS:
            for first in (None, 0, 1):
                banks = self._greedy(sorted(items, key=order), first)
                if banks is not None and banks not in found:
                    found.append(banks)
        return found

    def _greedy(self, items: list[_Item], first: int | None) -> dict[int, int] | None:
        """Each item in its preferred bank (or in bank `first`), else in the other; None when one fits in neither."""
        free, banks = list(self._free), {}
        for item in items:
            wanted = item.preferred if first is None else first
            bank = wanted if free[wanted] >= item.words else 1 - wanted
            if free[bank] < item.words:
                return None
            banks[item.key] = bank
            free[bank] -= item.words
        return banks

    def _time(self, resident: frozenset[int], works_cycles: list[int], ring: int) -> int:
        """Cycles with stalls for streamed words; the stream starts with the inference and never gets a ring ahead."""
        rate = 1 / self._target.stream_cycles_per_word
        now = ready = 0.0  # cycles; words beyond those taken
        for number, cycles in enumerate(works_cycles):
            now += cycles
            if number in resident:
                ready = min(float(ring), ready + cycles * rate)
                continue
            taken, arriving = self._words[number] / _CHUNKS, cycles / _CHUNKS * rate
            for _ in range(_CHUNKS):
                if taken > ready:
                    now += (taken - ready) / rate
                    ready = taken
                ready = min(float(ring), ready - taken + arriving)
        return round(now)


def _rank(constants: Constants) -> tuple[float, int]:
    return constants.rank
