"""What must hold of the fetcher, whatever banks, ring, array and drain do."""

from functools import reduce
from operator import add, and_

from pyrtl import Input, Register, WireVector, select

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
    ring_ready, granted, take = Input(1, "ring_ready"), Input(1, "granted"), WireVector(1, "take")
    clear = Input(1, "clear") | in_reset
    job_last = Input(1, "job_last")
    unit = Fetcher(Input(15, "program"), ring_ready, Input(15, "ring_address"))
    free = ("start", "streaming_over", "drained", "held", "free", "may_refill")
    sequence = Sequence(
        clear=clear,
        granted=granted,
        take=take,
        job_last=job_last,
        group_last=Input(1, "group_last") | job_last,
        **{name: Input(1, name) for name in free},
    )
    fetch = unit.wire(Input(32, "word"), Input(1, "stream"), sequence)
    take <<= Input(1, "array_free") & fetch.block_ready
    got = fetch.request & granted
    claims = [
        _one_of([unit.at(state) for state in State]),
        ~fetch.request | unit.at(*_LIMITS),
        ~(fetch.request & fetch.from_ring) | ring_ready,
        ~fetch.idle | ~(fetch.request | fetch.block_ready | fetch.finished),
        ~fetch.finished | sequence.drained,
        _at_most_one(
            [fetch.arrival.header, fetch.arrival.parameter, fetch.arrival.block, fetch.arrival.table]
        ),
        *_words_counted(unit, fetch, got, take, clear | sequence.start),
        _apart(take, clear),
    ]
    claim(~started | reduce(and_, claims))


def _words_counted(
    unit: Fetcher, fetch: Fetch, got: WireVector, take: WireVector, restart: WireVector
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
    return claims + [
        ~getattr(fetch.arrival, name) | ((fetch.arrival.index == index) & (index < _LIMITS[state]))
        for name, state in arrived
    ]


def _apart(take: WireVector, clear: WireVector) -> WireVector:
    """No take in the cycles after one."""
    since = Register(3)
    keep(since, (clear, 7), (take, 1), (since != 7, low(since + 1, 3)))
    return ~take | (since >= LEAST_BETWEEN_TAKES)


def _one_of(bits: list[WireVector]) -> WireVector:
    return reduce(lambda a, b: a | b, bits) & _at_most_one(bits)


def _at_most_one(bits: list[WireVector]) -> WireVector:
    pairs = [~(bits[i] & bits[j]) for i in range(len(bits)) for j in range(i)]
    return reduce(and_, pairs)
