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
HEADERS = -1  # the key under which the jobs' headers are placed


@dataclass(frozen=True)
class Constants:
    """Bank of each resident work's constants, by its number, and of the headers; the ring takes what is left."""

    banks: Mapping[int, int]
    ring_bank: int
    ring_blocks: int
    cycles: int
    stream_words: int


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
        rivals = [work.rivals(activations.banks) for work in works]
        # Of each work, with its weights in the bank opposite its input's, and in the same.
        self._cycles = [(w.cycles(n), w.cycles(n, True)) for w, n in zip(works, rivals, strict=True)]

    def constants(self, resident: frozenset[int]) -> Constants | None:
        """With `resident` works in memory, the rest streamed; None when they do not fit."""
        items = [*self._items(resident), self._headers()]
        found = [self._constants(resident, items, banks) for banks in self._packings(items)]
        reserve = 0 if len(resident) == len(self._works) else _MIN_RING_BLOCKS
        return min((c for c in found if c.ring_blocks >= reserve), key=_rank, default=None)

    def streamed(self, keep: bool) -> Constants | None:
        """Everything streamed; with `keep`, what saves most is made resident while there is room."""
        resident: frozenset[int] = frozenset()
        best = self.constants(resident)
        while keep and best is not None:
            tried = [(self.constants(resident | {n}), resident | {n}) for n in self._others(resident)]
            better = [(c, r) for c, r in tried if c is not None and _rank(c) < _rank(best)]
            if not better:
                break
            best, resident = min(better, key=lambda pair: _rank(pair[0]))
        return best

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
        work = self._works[number]
        apart, same = self._cycles[number]
        opposite = 1 - self._activations.banks[work.step.source.buffer]
        return _Item(number, work.constant_words, opposite, same - apart)

    def _headers(self) -> _Item:
        return _Item(HEADERS, sum(work.header_words for work in self._works) + 1, 0, 0)

    def _constants(self, resident: frozenset[int], items: list[_Item], banks: dict[int, int]) -> Constants:
        rest = list(self._free)
        for item in items:
            rest[banks[item.key]] -= item.words
        streamed = [work for number, work in enumerate(self._works) if number not in resident]
        ring_bank = 0 if rest[0] >= rest[1] else 1
        blocks = rest[ring_bank] // RING_BLOCK_WORDS if streamed else 0
        cycles = self._time(resident, banks, ring_bank, blocks * RING_BLOCK_WORDS)
        return Constants(banks, ring_bank, blocks, cycles, sum(work.stream_words for work in streamed))

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

    def _time(self, resident: frozenset[int], banks: Mapping[int, int], ring_bank: int, ring: int) -> int:
        """Cycles with stalls for streamed words; the stream starts with the inference and never gets a ring ahead."""
        rate = 1 / self._target.stream_cycles_per_word
        now = ready = 0.0  # cycles; words beyond those taken
        for number, work in enumerate(self._works):
            bank = banks[number] if number in resident else ring_bank
            same = bank == self._activations.banks[work.step.source.buffer]
            cycles = self._cycles[number][same]
            words = 0 if number in resident else work.stream_words
            for _ in range(_CHUNKS):
                stall = max(0.0, words / _CHUNKS - ready) / rate
                spent = stall + cycles / _CHUNKS
                now += spent
                ready = min(
                    float(ring), max(ready + stall * rate - words / _CHUNKS, 0) + cycles / _CHUNKS * rate
                )
        return round(now)


def _rank(constants: Constants) -> tuple[int, int]:
    return constants.cycles, constants.stream_words
