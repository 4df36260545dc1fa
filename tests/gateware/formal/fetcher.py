"""What must hold of the fetcher, whatever banks, ring, array and drain do."""

from functools import reduce
from operator import add, and_

from pyrtl import Input, Register, WireVector, select, working_block

from ascnode_gateware.program.job import BLOCK_WORDS, HEADER_WORDS, PARAMETER_WORDS, TABLE_WORDS
from ascnode_gateware.rtl.cells import keep, low
from ascnode_gateware.rtl.fetch import Fetch, Fetcher, Sequence, State
from ascnode_gateware.synth.formal import after_reset, before, claim

_LIMITS = {
    State.HEADER: HEADER_WORDS,
    State.PARAMETERS: PARAMETER_WORDS,
    State.BLOCK: BLOCK_WORDS,
    State.TABLE: TABLE_WORDS,
}
LEAST_BETWEEN_TAKES = 4  # rtl/passes.py relies on it


def fetcher() -> None:
    """A pass is taken when its block is there, not before; a job's last pass is its output group's last too."""
    in_reset, started = after_reset(2)
    ring_ready, take = Input(1, "ring_ready"), WireVector(1, "take")
    clear = Input(1, "clear") | in_reset
    job_last = Input(1, "job_last")
    unit = Fetcher(Input(15, "program"), ring_ready, Input(15, "ring_address"))
    pixel = _FirstPixel(take, clear)
    free, wants = Input(1, "free"), WireVector(1, "wants")
    granted = free & ~pixel.wins(unit.at(State.BLOCK))
    sequence = Sequence(
        clear=clear,
        granted=granted,
        free=free,
        may_refill=pixel.may_refill,
        take=take,
        job_last=job_last,
        group_last=Input(1, "group_last") | job_last,
        **{name: Input(1, name) for name in ("start", "streaming_over", "drained", "held")},
    )
    fetch = unit.wire(Input(32, "word"), Input(1, "stream"), sequence)
    wants <<= fetch.wants
    pixel.wire(unit.at(State.BLOCK), wants)
    take <<= Input(1, "array_free") & ~pixel.waits & fetch.block_ready
    got, since = fetch.request & granted, _since(take, clear)
    claims = [
        _one_of([unit.at(state) for state in State]),
        ~fetch.request | unit.at(*_LIMITS),
        ~(fetch.request & fetch.from_ring) | ring_ready,
        ~fetch.idle | ~(fetch.request | fetch.block_ready | fetch.finished),
        ~fetch.finished | sequence.drained,
        _at_most_one(
            [fetch.arrival.header, fetch.arrival.parameter, fetch.arrival.block, fetch.arrival.table]
        ),
        ~(unit.at(State.READY) & fetch.request),
        *_words_counted(unit, fetch, got, take, clear | sequence.start, pixel, since),
        ~take | (since >= LEAST_BETWEEN_TAKES),
    ]
    claim(~started | reduce(and_, claims))


class _FirstPixel:
    """As pixels, engine and banks have it: a pass's first pixel `waits` for the throttle and its bank; meanwhile the
    block in waiting must stay. In a bank that both want it goes before a block, and after all else."""

    def __init__(self, take: WireVector, clear: WireVector) -> None:
        self.waits, self._take, self._clear = Register(1, "first_pixel_waits"), take, clear
        self._goes = Input(1, "throttle_lets") & Input(1, "pixel_bank_is_free")
        self._same_bank = Input(1, "same_bank")
        self.may_refill = ~self.waits | self._goes

    def wins(self, at_block: WireVector) -> WireVector:
        return self.waits & at_block & self._goes & self._same_bank

    def wire(self, at_block: WireVector, fetch_wants: WireVector) -> None:
        issued = self._goes & (at_block | ~(fetch_wants & self._same_bank))
        keep(self.waits, (self._clear, 0), (self._take, 1), (issued, 0))


def _words_counted(
    unit: Fetcher,
    fetch: Fetch,
    got: WireVector,
    take: WireVector,
    restart: WireVector,
    pixel: _FirstPixel,
    since: WireVector,
) -> list[WireVector]:
    """A state is left with all of its words and no more; their indices are 0, 1, 2 and so on."""
    words = Register(10)  # got since the state was entered, or the last take
    entered = reduce(add, [~before(unit.at(state)) & unit.at(state) for state in _LIMITS]) != 0
    here = select(entered | before(take), 0, words)
    keep(words, (restart, 0), (got, low(here + 1, 10)), (got == 0, here))
    claims = [~unit.at(state) | (here < limit) for state, limit in _LIMITS.items()]
    claims += [~unit.at(State.READY) | (here == BLOCK_WORDS)]
    arrived = (
        ("header", State.HEADER),
        ("parameter", State.PARAMETERS),
        ("block", State.BLOCK),
        ("table", State.TABLE),
    )
    index = before(here)
    for name, state in arrived:
        arrives = getattr(fetch.arrival, name)
        claims += [
            arrives == before(got & unit.at(state)),
            ~arrives | ((fetch.arrival.index == index) & (index < _LIMITS[state])),
        ]
    return [*claims, *_tied(unit, here, pixel, since)]


def _tied(unit: Fetcher, here: WireVector, pixel: _FirstPixel, since: WireVector) -> list[WireVector]:
    """What makes the claims inductive: the fetcher's own counter, and that a take is as long ago as words are many."""
    count, fresh = (working_block().get_wirevector_by_name(name) for name in ("fetch_count", "fetch_fresh"))
    body, block, ready = unit.at(*_LIMITS), unit.at(State.BLOCK), unit.at(State.READY)
    return [
        ~body | (fresh == (here == 0)),
        ~body | fresh | (count == low(here - 1, 10)),
        fresh | ~unit.at(State.SETTLE, State.READY),
        ~pixel.waits | ~((block & (here != 0)) | ready),
        since != 0,
        ~block | (since > here),
        ~ready | (since > BLOCK_WORDS),
    ]


def _since(take: WireVector, clear: WireVector) -> Register:
    """Cycles since the last take, at most 7."""
    since = Register(3, "since_take")
    keep(since, (clear, 7), (take, 1), (since != 7, low(since + 1, 3)))
    return since


def _one_of(bits: list[WireVector]) -> WireVector:
    return reduce(lambda a, b: a | b, bits) & _at_most_one(bits)


def _at_most_one(bits: list[WireVector]) -> WireVector:
    pairs = [~(bits[i] & bits[j]) for i in range(len(bits)) for j in range(i)]
    return reduce(and_, pairs)
