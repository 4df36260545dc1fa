"""What a START leads to: the jobs one after another, each with the cycles that the predictor foretells."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from ascnode_gateware.device.memo import Addresses, Memo
from ascnode_gateware.program.access_log import AccessLog
from ascnode_gateware.program.executor_arithmetic import ExecutionError
from ascnode_gateware.program.executor_source import span, step_in_bank
from ascnode_gateware.program.job import (
    BANK_WORDS,
    BLOCK_WORDS,
    HEADER_WORDS,
    PARAMETER_WORDS,
    SET_PIXELS,
    TABLE_WORDS,
    Job,
    Opcode,
    unpack,
)
from ascnode_gateware.program.program import Words
from ascnode_gateware.program.timing import Predictor
from ascnode_gateware.program.timing_model import StreamSource, Timing

_MAX_JOBS = BANK_WORDS // HEADER_WORDS
_ENDLESS_CYCLES = 1 << 24  # of damaged headers: 0.7 s at 24 MHz, which no deadline of a driver waits for
_BAD_OPCODE = 3
_OPCODE_CYCLES = 4  # from asking for a header to the error


class Ending(Enum):
    """How a program ends."""

    END = auto()
    OPCODE = auto()
    NEVER = auto()  # the engine goes on and on


@dataclass(frozen=True)
class Setting:
    """What a plan depends on besides memory; `source` brings the stream, `stream_key` tells one stream from others."""

    program: int
    throttle: int
    ring_base: int
    ring_blocks: int
    source: StreamSource
    stream_key: bytes


@dataclass(frozen=True)
class Segment:
    """A job: `cycles` since the end of the one before, `throttled` ones among them, words past the array and of the
    stream."""

    address: int
    job: Job
    cycles: int
    throttled: int = 0
    pixels: int = 0
    stream_words: int = 0

    @property
    def runs(self) -> bool:
        """Whether the contract says what it writes."""
        job = self.job
        if job.opcode != Opcode.RUN:
            return job.opcode == Opcode.LOAD
        return job.prime <= job.cols_less_1 and job.outputs_per_row * (job.rows_less_1 + 1) <= SET_PIXELS


@dataclass(frozen=True, eq=False)
class Plan:
    """`segments`, then `tail` up to the ending; `fetched` are the words that make it so."""

    segments: tuple[Segment, ...]
    tail: Segment
    ending: Ending
    fetched: Addresses

    @property
    def cycles(self) -> int:
        return sum(segment.cycles for segment in (*self.segments, self.tail))


class Planner:
    """Makes plans, and remembers them: a program's next START costs a look at its words."""

    def __init__(self) -> None:
        self._known: Memo[Plan] = Memo()

    def plan(self, memory: Words, setting: Setting, stream: Words) -> Plan:
        """`stream` is looked at for the left shifts in its parameters only."""
        found = self._known.find(setting, memory)
        if found is None:
            found = _Draft(memory, setting, stream).plan()
            self._known.keep(setting, memory, found.fetched, found)
        return found


class _Draft:
    """A plan in the making."""

    def __init__(self, memory: Words, setting: Setting, stream: Words) -> None:
        self._memory, self._setting = memory, setting
        self._predictor = Predictor(
            memory,
            stream if setting.ring_blocks else stream[:0],
            setting.ring_base,
            setting.ring_blocks,
            setting.source,
            Timing(),
            setting.throttle,
        )
        self._log = AccessLog()
        self._segments: list[Segment] = []
        self._ended = 0

    def plan(self) -> Plan:
        for address, job in self._jobs():
            if job.opcode == Opcode.END:
                return self._plan(Ending.END, self._predictor.idle(address) - self._ended)
            if job.opcode == _BAD_OPCODE:
                return self._plan(Ending.OPCODE, _OPCODE_CYCLES)
            if self._ended + _least_cycles(job) > _ENDLESS_CYCLES:
                break
            self._segments.append(self._segment(address, job))
        return self._plan(Ending.NEVER, _ENDLESS_CYCLES)

    def _plan(self, ending: Ending, tail: int) -> Plan:
        last = Segment(0, Job(Opcode.END), max(1, tail))
        return Plan(tuple(self._segments), last, ending, self._log.read)

    def _jobs(self) -> Iterator[tuple[int, Job]]:
        address = self._setting.program
        for _ in range(_MAX_JOBS):
            job = unpack(self._memory[span(address, HEADER_WORDS)].tolist())
            self._log.check_fetch(span(address, job.words))
            yield address, job
            address = step_in_bank(address, HEADER_WORDS)

    def _segment(self, address: int, job: Job) -> Segment:
        fetched = fetched_words(job)
        if not job.stream:
            self._log.check_fetch(span(job.weights, min(fetched, BANK_WORDS)))
        try:
            predicted = self._predictor.job(address, job)
            end = max(predicted.end, self._ended + 1)
            throttled, pixels = predicted.throttled, predicted.words
        except ExecutionError:  # the stream ends before the job does: it waits for what never comes
            end, throttled, pixels = self._ended + _least_cycles(job), 0, 0
        cycles, taken = end - self._ended, fetched if job.stream else 0
        segment = Segment(address, job, cycles, throttled, pixels, taken)
        self._ended = end
        return segment


def fetched_words(job: Job) -> int:
    """Parameters, weights and tables, from memory or the stream."""
    if job.opcode == Opcode.LOAD:
        return TABLE_WORDS
    return (job.n_ocg_less_1 + 1) * (PARAMETER_WORDS + BLOCK_WORDS * job.passes)


def _least_cycles(job: Job) -> int:
    if job.opcode == Opcode.LOAD:
        return TABLE_WORDS
    words = (job.cols_less_1 + 1) * (job.rows_less_1 + 1)
    return (job.n_ocg_less_1 + 1) * job.passes * max(words + 1, BLOCK_WORDS)
