"""The fetcher: reads headers, parameters, blocks and tables ahead of the array, and decides when a pass may begin."""

from dataclasses import dataclass
from enum import IntEnum

from pyrtl import Const, Register, WireVector, select

from ascnode_gateware.program.job import (
    BLOCK_WORDS,
    HEADER_WORDS,
    PARAMETER_WORDS,
    TABLE_WORDS,
    Opcode,
)
from ascnode_gateware.rtl.cells import delayed, following, keep, low


class State(IntEnum):
    IDLE = 0
    GATE = 1  # the job before still streams, or has an output group that waits for the drain
    HEADER = 2
    SETTLE = 3  # LOAD: tables are in use until every drain is done
    TABLE = 4
    PARAMETERS = 5
    BLOCK = 6
    READY = 7  # a block waits for the pass before to end
    FINISH = 8  # END: the last drains


@dataclass(frozen=True)
class Sequence:
    """What the fetcher must know of the others (1 bit each)."""

    start: WireVector
    clear: WireVector
    streaming_over: WireVector  # no word of the job before is on its way, and its config may change
    drained: WireVector  # every output is written
    held: WireVector  # single step: wait before the next header
    granted: WireVector
    may_refill: WireVector  # the block in waiting has been taken over, or is being taken over now
    take: WireVector  # a pass begins
    group_last: WireVector
    job_last: WireVector


@dataclass(frozen=True)
class Arrival:
    """A word that was asked for in the cycle before; `index` counts from 0 in its kind."""

    header: WireVector
    parameter: WireVector
    block: WireVector
    table: WireVector
    index: Register  # 10


@dataclass(frozen=True)
class Fetch:
    request: WireVector
    address: WireVector  # 15
    from_ring: WireVector  # the word comes from the ring
    arrival: Arrival
    block_ready: WireVector  # a pass may begin in the next cycle
    begin: WireVector  # a RUN's header is complete
    finished: WireVector  # pulse: END, and all is written
    bad_opcode: WireVector
    idle: WireVector
    at_gate: WireVector


class Fetcher:
    """Declares its registers first: what others need of them, and what it needs of others, go round in a circle."""

    def __init__(self, program: WireVector, ring_ready: WireVector, ring_address: WireVector) -> None:
        self._program, self._ring_ready, self._ring_address = program, ring_ready, ring_address
        self.state = Register(4, "fetch_state")
        self._count = Register(10, "fetch_count")
        self._pc = Register(15, "fetch_pc")
        self._weights = Register(15, "fetch_weights")
        self._opcode = Register(2, "fetch_opcode")

    def at(self, *states: State) -> WireVector:
        found: WireVector = self.state == states[0]
        for other in states[1:]:
            found = found | (self.state == other)
        return found

    def wire(self, word: WireVector, stream: WireVector, seq: Sequence) -> Fetch:
        """word (32): what arrives, a cycle after its grant; stream (1): the job reads the ring."""
        body = self.at(State.TABLE, State.PARAMETERS, State.BLOCK)
        from_ring = body & stream
        held_block = self.at(State.BLOCK) & ~seq.may_refill
        request = (self.at(State.HEADER) | body) & ~held_block & ~(from_ring & ~self._ring_ready)
        got = request & seq.granted
        last = got & (self._count == self._last_count())
        arrival = self._arrival(got)
        block_ready = (self.at(State.BLOCK) & last) | self.at(State.READY)
        first_word = arrival.header & (arrival.index == 0)
        keep(self._opcode, (first_word, word[:2]))
        ended = first_word & (word[:2] == Opcode.END)
        bad = first_word & (word[:2] == 3)
        self._next_state(seq, last, ended)
        keep(
            self._count, (seq.clear | last | ended | self.at(State.GATE), 0), (got, low(self._count + 1, 10))
        )
        resident = select(body, self._weights, self._pc)
        self._next_pointers(word, got & ~from_ring, resident, arrival, seq.start)
        return Fetch(
            request=request,
            address=select(from_ring, self._ring_address, resident),
            from_ring=from_ring,
            arrival=arrival,
            block_ready=block_ready,
            begin=self.at(State.PARAMETERS) & delayed(self.at(State.HEADER), "fetch_was_header"),
            finished=self.at(State.FINISH) & seq.drained,
            bad_opcode=bad,
            idle=self.at(State.IDLE),
            at_gate=self.at(State.GATE),
        )

    def _last_count(self) -> WireVector:
        return select(
            self.at(State.HEADER, State.PARAMETERS),
            Const(HEADER_WORDS - 1, 10),
            select(self.at(State.TABLE), Const(TABLE_WORDS - 1, 10), Const(BLOCK_WORDS - 1, 10)),
        )

    def _arrival(self, got: WireVector) -> Arrival:
        kinds = (State.HEADER, State.PARAMETERS, State.BLOCK, State.TABLE)
        here = [delayed(got & self.at(kind), f"fetch_got_{kind.name.lower()}") for kind in kinds]
        return Arrival(*here, index=delayed(self._count, "fetch_index"))

    def _next_state(self, seq: Sequence, last: WireVector, ended: WireVector) -> None:
        loads = self._opcode == Opcode.LOAD
        after_pass = select(
            seq.job_last,
            Const(State.GATE, 4),
            select(seq.group_last, Const(State.PARAMETERS, 4), Const(State.BLOCK, 4)),
        )
        keep(
            self.state,
            (seq.clear, State.IDLE),
            (seq.start, State.GATE),
            (self.at(State.GATE) & seq.streaming_over & ~seq.held, State.HEADER),
            (self.at(State.HEADER) & ended, State.FINISH),
            (
                self.at(State.HEADER) & last,
                select(loads, Const(State.SETTLE, 4), Const(State.PARAMETERS, 4)),
            ),
            (self.at(State.SETTLE) & seq.drained, State.TABLE),
            (self.at(State.TABLE) & last, State.GATE),
            (self.at(State.PARAMETERS) & last, State.BLOCK),
            (self.at(State.BLOCK, State.READY) & seq.take, after_pass),
            (self.at(State.BLOCK) & last, State.READY),
            (self.at(State.FINISH) & seq.drained, State.IDLE),
        )

    def _next_pointers(
        self, word: WireVector, read: WireVector, address: WireVector, arrival: Arrival, start: WireVector
    ) -> None:
        """Both pointers share one adder; `weights` is in bits 16..30 of header word 1."""
        after = following(address)
        header = self.at(State.HEADER)
        keep(self._pc, (start, self._program), (read & header, after))
        loads = arrival.header & (arrival.index == 1)
        keep(self._weights, (loads, word[16:31]), (read & ~header, after))


assert HEADER_WORDS == PARAMETER_WORDS  # _last_count has one case for both
