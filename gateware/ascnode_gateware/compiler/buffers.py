"""Places activations: each buffer in one of two banks, at an offset where nothing lies while it lives."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from ascnode_gateware.compiler.plan import Plan
from ascnode_gateware.compiler.target import Target
from ascnode_gateware.compiler.work import Work
from ascnode_gateware.model.layers import ModelError
from ascnode_gateware.program.program import LANES

Cost = Callable[[Mapping[int, int]], int]  # cycles, by the buffers' banks

_PRICELESS = 1e6  # cycles a word
_IMPROVED = 3  # starts
_ROUNDS = 8  # of improvement; each looks at every buffer and every pair that meets in a step


@dataclass(frozen=True)
class Buffer:
    """`words` that live from step `first` to step `last`, both included; the model's input from -1."""

    id: int
    words: int
    first: int
    last: int

    def meets(self, other: "Buffer") -> bool:
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True)
class Activations:
    """Bank and offset of each buffer; `peaks` are the words used of each bank."""

    banks: Mapping[int, int]
    offsets: Mapping[int, int]
    peaks: tuple[int, int]
    cycles: int  # of all works, roughly


def find_buffers(plan: Plan, works: Sequence[Work], apart: bool = False) -> tuple[Buffer, ...]:
    """Every buffer of the plan with its size and life; `apart`: the model's input and output live all the time."""
    words: dict[int, int] = {}
    for view in plan.views.values():
        words[view.buffer] = max(words.get(view.buffer, 0), view.image.words)
    for work in works:
        if work.repacked is not None:
            words[plan.input.buffer] = work.repacked.rows * work.repacked.columns * work.repacked.groups
    first = {plan.input.buffer: -1}
    for number, step in enumerate(plan.steps):
        first.setdefault(step.out.buffer, number)
    always = {plan.input.buffer, plan.output.buffer} if apart else set()
    return tuple(
        Buffer(key, size, -1, len(plan.steps))
        if key in always
        else Buffer(key, size, first[key], max(plan.last_read(key), first[key], _last_write(plan, key)))
        for key, size in sorted(words.items())
    )


def place(plan: Plan, works: Sequence[Work], target: Target) -> list[Activations]:
    """Placements to choose from, as memory costs nothing, a stream's time or all; ModelError names the step too large.

    A word that activations do not take can hold constants, which then need not be streamed.
    """
    buffers = find_buffers(plan, works)
    _check(buffers, plan, target)
    fitting = _priced(list(_starts(plan)), buffers, cost_of(works), target)
    if not fitting:
        raise _too_large(buffers, plan, target)
    return fitting


def suited(
    plan: Plan,
    works: Sequence[Work],
    target: Target,
    banks: Mapping[int, int],
    constants_banks: Sequence[int],
    *,
    apart: bool = False,
) -> list[Activations]:
    """Placements near the one that `banks` makes, for constants of the works that lie in `constants_banks`."""
    return _priced([banks], find_buffers(plan, works, apart), cost_of(works, constants_banks), target)


def cost_of(works: Sequence[Work], constants_banks: Sequence[int] | None = None) -> Cost:
    """The cycles of all works; what one costs is remembered by the banks of the few buffers that matter to it."""
    known: dict[tuple[int, ...], int] = {}
    keys = [work.buffers() for work in works]
    lies: Sequence[int | None] = [None] * len(works) if constants_banks is None else constants_banks

    def one(number: int, banks: Mapping[int, int]) -> int:
        key = (number, *(banks[buffer] for buffer in keys[number]))
        if key not in known:
            known[key] = works[number].cycles(banks, lies[number])
        return known[key]

    return lambda banks: sum(one(number, banks) for number in range(len(works)))


def _priced(
    starts: Sequence[Mapping[int, int]], buffers: Sequence[Buffer], cost: Cost, target: Target
) -> list[Activations]:
    """The best placement at each of some prices of memory, if it fits."""
    found: list[Activations] = []
    for price in (0, target.stream_cycles_per_word, _PRICELESS):
        best = _best(starts, buffers, cost, target, price)
        found += [best] if best not in found else []
    return [placement for placement in found if not _overflow(placement, target)]


def _last_write(plan: Plan, buffer: int) -> int:
    return max((n for n, step in enumerate(plan.steps) if step.out.buffer == buffer), default=-1)


def _starts(plan: Plan) -> Iterator[dict[int, int]]:
    """Everything in one bank up to some step; from there on output opposite input."""
    for bank in (0, 1):
        for turn in range(len(plan.steps) + 1):
            banks = {plan.input.buffer: bank}
            for number, step in enumerate(plan.steps):
                source = banks[step.source.buffer]
                banks.setdefault(step.out.buffer, 1 - source if number >= turn else source)
            yield banks


def _best(
    starts: Sequence[Mapping[int, int]],
    buffers: Sequence[Buffer],
    cost: Cost,
    target: Target,
    price: float,
) -> Activations:
    """Improves the most promising starts."""

    def rank(placement: Activations) -> tuple[float, ...]:
        return _score(placement, target, price)

    tried = [min(_placed(banks, buffers, cost), key=rank) for banks in starts]
    promising = sorted(tried, key=rank)[:_IMPROVED]
    return min((_improved(p.banks, buffers, cost, target, price) for p in promising), key=rank)


def _improved(
    banks: Mapping[int, int],
    buffers: Sequence[Buffer],
    cost: Cost,
    target: Target,
    price: float,
) -> Activations:
    """Moves buffers to the other bank, one or two at a time, while that helps."""
    moves = [(buffer.id,) for buffer in buffers] + [
        (one.id, two.id) for one, two in combinations(buffers, 2) if one.meets(two)
    ]

    def rank(placement: Activations) -> tuple[float, ...]:
        return _score(placement, target, price)

    best = min(_placed(banks, buffers, cost), key=rank)
    for _ in range(_ROUNDS):
        before = best
        for move in moves:
            moved = {**best.banks, **{key: 1 - best.banks[key] for key in move}}
            best = min(best, *_placed(moved, buffers, cost), key=rank)
        if best is before:
            break
    return best


def _score(placement: Activations, target: Target, price: float) -> tuple[float, ...]:
    """`price` of a word of memory, in cycles."""
    total = sum(placement.peaks)
    return _overflow(placement, target), placement.cycles + price * total, total


def _overflow(placement: Activations, target: Target) -> int:
    return sum(max(0, peak - target.bank_words) for peak in placement.peaks)


def _placed(banks: Mapping[int, int], buffers: Sequence[Buffer], cost: Cost) -> tuple[Activations, ...]:
    """The largest buffers first, or in the order of their lives: each at the lowest offset free while it lives."""
    cycles = cost(banks)
    orders: tuple[Callable[[Buffer], tuple[int, ...]], ...] = (
        lambda buffer: (-buffer.words, buffer.id),
        lambda buffer: (buffer.first, buffer.id),
    )
    return tuple(_first_fit(banks, sorted(buffers, key=order), cycles) for order in orders)


def _first_fit(banks: Mapping[int, int], ordered: Sequence[Buffer], cycles: int) -> Activations:
    offsets: dict[int, int] = {}
    peaks = [0, 0]
    for number, buffer in enumerate(ordered):
        bank = banks[buffer.id]
        others = [other for other in ordered[:number] if banks[other.id] == bank and other.meets(buffer)]
        offsets[buffer.id] = _gap(buffer.words, [(offsets[o.id], o.words) for o in others])
        peaks[bank] = max(peaks[bank], offsets[buffer.id] + buffer.words)
    return Activations(banks, offsets, (peaks[0], peaks[1]), cycles)


def _gap(words: int, taken: list[tuple[int, int]]) -> int:
    """The lowest offset with `words` free."""
    offset = 0
    for start, size in sorted(taken):
        if offset + words <= start:
            break
        offset = max(offset, start + size)
    return offset


def _check(buffers: Sequence[Buffer], plan: Plan, target: Target) -> None:
    largest = max(buffers, key=lambda buffer: buffer.words)
    if largest.words > target.bank_words or max(_live(buffers, plan)) > 2 * target.bank_words:
        raise _too_large(buffers, plan, target)


def _live(buffers: Sequence[Buffer], plan: Plan) -> list[int]:
    """Words that live during each step."""
    return [sum(b.words for b in buffers if b.first <= n <= b.last) for n in range(len(plan.steps))]


def _too_large(buffers: Sequence[Buffer], plan: Plan, target: Target) -> ModelError:
    live = _live(buffers, plan)
    step = plan.steps[live.index(max(live))]
    return ModelError(
        f"{step.name} needs {max(live) * LANES} bytes of activations while it runs, in two banks of "
        f"{target.bank_words * LANES}; a smaller input, fewer channels or an earlier stride would help"
    )
