"""The fetcher: reads headers, parameters, blocks and tables ahead of the array, and decides when a pass may begin."""

from dataclasses import dataclass
from enum import IntEnum
from functools import reduce
from operator import and_

from pyrtl import Const, Register, WireVector, concat, select

from ascnode_gateware.program.job import (
    BLOCK_WORDS,
    HEADER_WORDS,
    PARAMETER_WORDS,
    TABLE_WORDS,
    Opcode,
)
from ascnode_gateware.rtl.cells import delayed, keep, low
from ascnode_gateware.rtl.loaded_counter import counted_address


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
    free: WireVector  # a fetch that is asked for would be granted, but for an urgent pixel
    may_refill: WireVector  # the block in waiting has been taken over, or is being taken over now
    take: WireVector  # a pass begins
    group_last: WireVector
    job_last: WireVector


@dataclass(frozen=True)
class Arrival:
    """A word that was asked for in the cycle before; `index` counts from 0 in its kind, and holds in between."""

    header: WireVector
    parameter: WireVector
    block: WireVector
    table: WireVector
    index: Register  # 10


@dataclass(frozen=True)
class Fetch:
    wants: WireVector  # a word, had the block in waiting been taken over
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
    at_block: WireVector


class Fetcher:
    """Declares its registers first: what others need of them, and what it needs of others, go round in a circle."""

    def __init__(self, program: WireVector, ring_ready: WireVector, ring_address: WireVector) -> None:
        self._program, self._ring_ready, self._ring_address = program, ring_ready, ring_address
        # One flip-flop a state: the longest paths begin here.
        self._in = {state: Register(1, f"fetch_in_{state.name.lower()}") for state in State}
        self._count = Register(10, "fetch_count")  # of the word that was granted last
        self._fresh = Register(1, "fetch_fresh")  # none of this state was
        self._opcode = Register(2, "fetch_opcode")

    def at(self, *states: State) -> WireVector:
        found: WireVector = self._in[states[0]]
        for other in states[1:]:
            found = found | self._in[other]
        return found

    def wire(self, word: WireVector, stream: WireVector, seq: Sequence) -> Fetch:
        """word (32): what arrives, a cycle after its grant; stream (1): the job reads the ring."""
        body = self.at(State.TABLE, State.PARAMETERS, State.BLOCK)
        from_ring = body & stream
        wants = self.at(State.HEADER) | (body & (~stream | self._ring_ready))
        request = wants & (~self.at(State.BLOCK) | seq.may_refill)
        got = request & seq.granted
        # No pixel is urgent when a state's last word comes: it need not be looked at.
        last = wants & seq.free & self._at_last()
        arrival = self._arrival(got)
        block_ready = (self.at(State.BLOCK) & last) | self.at(State.READY)
        first_word = arrival.header & (arrival.index == 0)
        keep(self._opcode, (first_word, word[:2]))
        ended = first_word & (word[:2] == Opcode.END)
        bad = first_word & (word[:2] == 3)
        self._next_state(seq, last, ended)
        keep(self._count, (got & self._fresh, 0), (got, low(self._count + 1, 10)))
        keep(self._fresh, (seq.clear | last | ended | self.at(State.GATE), 1), (got, 0))
        pc, weights = self._pointers(word, got & ~from_ring, arrival, seq.start)
        place = select(from_ring, self._ring_address, select(body, weights, pc))
        return Fetch(
            wants=wants,
            request=request,
            address=concat(self._bank(stream, pc, weights), place[:14]),
            from_ring=from_ring,
            arrival=arrival,
            block_ready=block_ready,
            begin=self.at(State.PARAMETERS) & delayed(self.at(State.HEADER), "fetch_was_header"),
            finished=self.at(State.FINISH) & seq.drained,
            bad_opcode=bad,
            idle=self.at(State.IDLE),
            at_gate=self.at(State.GATE),
            at_block=self.at(State.BLOCK),
        )

    def _bank(self, stream: WireVector, pc: WireVector, weights: WireVector) -> WireVector:
        """Of what the state fetches. A job's choice is made cycles before its first word is fetched."""
        of_job = delayed(select(stream, self._ring_address[14], weights[14]), "fetch_bank_of_job")
        return select(self.at(State.HEADER), pc[14], of_job)

    def _at_last(self) -> WireVector:
        """1 when the state's last word is next: the count before it has ones where no smaller one has all of them."""
        counts = {
            State.HEADER: HEADER_WORDS,
            State.PARAMETERS: PARAMETER_WORDS,
            State.TABLE: TABLE_WORDS,
            State.BLOCK: BLOCK_WORDS,
        }
        found: WireVector = Const(0, 1)
        for state, words in counts.items():
            bits = [bit for place, bit in enumerate(self._count) if (words - 2) >> place & 1]
            found = found | (self.at(state) & reduce(and_, bits))
        return found & ~self._fresh

    def _arrival(self, got: WireVector) -> Arrival:
        kinds = (State.HEADER, State.PARAMETERS, State.BLOCK, State.TABLE)
        header, parameter, block, table = (
            delayed(got & self.at(kind), f"fetch_got_{kind.name.lower()}") for kind in kinds
        )
        return Arrival(header, parameter, block, table, self._count)

    def _next_state(self, seq: Sequence, last: WireVector, ended: WireVector) -> None:
        loads = self._opcode == Opcode.LOAD
        job_over, group_over = seq.take & seq.job_last, seq.take & seq.group_last & ~seq.job_last
        self._move(
            seq,
            (State.GATE, seq.streaming_over & ~seq.held, State.HEADER),
            (State.HEADER, ended, State.FINISH),
            (State.HEADER, last & loads, State.SETTLE),
            (State.HEADER, last & ~loads, State.PARAMETERS),
            (State.SETTLE, seq.drained, State.TABLE),
            (State.TABLE, last, State.GATE),
            (State.PARAMETERS, last, State.BLOCK),
            (State.BLOCK, last & ~seq.take, State.READY),
            (State.BLOCK, job_over, State.GATE),
            (State.BLOCK, group_over, State.PARAMETERS),
            (State.READY, job_over, State.GATE),
            (State.READY, group_over, State.PARAMETERS),
            (State.READY, seq.take & ~seq.group_last, State.BLOCK),
            (State.FINISH, seq.drained, State.IDLE),
        )

    def _move(self, seq: Sequence, *moves: tuple[State, WireVector, State]) -> None:
        """(state, condition, the state after it); conditions of one state exclude each other."""
        for state, register in self._in.items():
            stays, enters = register, Const(0, 1)
            for source, condition, target in moves:
                stays = stays & ~condition if source == state else stays
                enters = enters | (self._in[source] & condition) if target == state else enters
            first = int(state == State.IDLE), int(state == State.GATE)
            keep(register, (seq.clear, first[0]), (seq.start, first[1]), (Const(1, 1), stays | enters))

    def _pointers(
        self, word: WireVector, read: WireVector, arrival: Arrival, start: WireVector
    ) -> tuple[WireVector, WireVector]:
        """To headers, and to weights, whose address is in bits 16..30 of header word 1."""
        header, loads = self.at(State.HEADER), arrival.header & (arrival.index == 1)
        pc = counted_address("fetch_pc", start, self._program, read & header)
        return pc, counted_address("fetch_weights", loads, word[16:31], read & ~header)
