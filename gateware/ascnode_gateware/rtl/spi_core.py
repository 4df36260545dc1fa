"""The core's side of the SPI port: bytes to bus accesses and back. docs/accelerator-spi.md describes the frames."""

from dataclasses import dataclass
from functools import reduce
from operator import or_

from pyrtl import Const, Register, WireVector, concat, select

from ascnode_gateware.bus.frames import Opcode
from ascnode_gateware.rtl.cells import delayed, flag, keep
from ascnode_gateware.rtl.crc import crc32
from ascnode_gateware.rtl.loaded_counter import loaded_counter

STATES = ("header", "header_crc", "payload", "payload_crc", "head", "data", "answer_crc", "tail", "done")
CHECKS = ("header_crc", "payload_crc", "answer_crc")


@dataclass(frozen=True)
class SpiCore:
    """To the bus: valid, write, address (16), wdata (32). To the SPI clock: tx_byte (8). crc_error and frame_error
    are high for one cycle for each."""

    valid: WireVector
    write: WireVector
    address: WireVector
    wdata: WireVector
    tx_byte: WireVector
    crc_error: WireVector
    frame_error: WireVector


@dataclass(frozen=True)
class _Byte:
    """The byte at hand. `begins`: the first of its 4 cycles of work; `opens`: the same, of a frame's first byte.

    `third` and `last` are the third and last cycles of work, `end` is the one behind. `missed`: another byte came too
    soon. `pair`: the 2 bits of this cycle."""

    begins: WireVector
    opens: WireVector
    working: WireVector
    third: WireVector
    last: WireVector
    end: WireVector
    missed: WireVector
    pair: WireVector


def spi_core(
    rx_toggle: WireVector, rx_entry: WireVector, ready: WireVector, rdata: WireVector, reset: WireVector
) -> SpiCore:
    """rx_toggle (1) and rx_entry (9): of the SPI clock; ready, rdata (32): the bus; reset: 1, synchronous.

    A byte takes 6 cycles; one lasts 6.15 at the fastest SCK, 1.3 times the clock. When the next one comes sooner, or
    an access waits for the bus until then, the frame is given up: the host reads zeros, frame_error counts it, and
    bytes are ignored until the next frame.
    """
    byte = _byte_at_hand(rx_toggle, rx_entry)
    frame = _Frame(byte)
    frame.follow(ready, rdata, reset)
    return SpiCore(
        frame.pending,
        frame.storing,
        frame.address,
        frame.word,
        frame.tx_byte,
        delayed(frame.crc_error, "spi_crc_error"),
        delayed(frame.frame_error, "spi_frame_error"),
    )


def _byte_at_hand(rx_toggle: WireVector, rx_entry: WireVector) -> _Byte:
    """The entry is read in 4 cycles, and may change in the SPI clock's time only after them: a byte that is seen in one
    of the 2 cycles behind them may have come before their end, so it is `missed`."""
    seen = delayed(delayed(rx_toggle, "spi_rx_sync_1"), "spi_rx_sync_2")
    came = seen ^ delayed(seen, "spi_rx_seen")
    step = Register(3, "spi_step")
    at = [step == value for value in range(6)]
    begins = came & at[0]
    step.next <<= concat(at[3] | at[4], at[1] | at[2], begins | at[2] | at[4])
    return _Byte(
        begins=begins,
        opens=begins & rx_entry[8],
        working=~step[2] & (came | step[1] | step[0]),
        third=at[2],
        last=at[3] & ~came,  # a frame that ends here must not have begun what it does not remember
        end=at[4],
        missed=came & ~at[0],
        pair=_two_of(rx_entry, step),
    )


def _two_of(byte: WireVector, step: WireVector) -> WireVector:
    high = select(step[0], byte[6:8], byte[4:6])
    return select(step[1], high, select(step[0], byte[2:4], byte[:2]))


class _Frame:
    """Where in a frame the core is, one register a state (none: bytes are ignored), and what it has read of it.

    `word` holds the header until it is judged, then words of the payload, then the answer; 2 bits leave it and 2
    bits enter it in each cycle of work.
    """

    def __init__(self, byte: _Byte) -> None:
        self.byte = byte
        self.in_state = {name: Register(1, f"spi_in_{name}") for name in STATES}
        self.index = Register(2, "spi_index")
        self.word, self.uncounted = _register("word", 32), _register("uncounted", 8)
        self.register, self.place = _register("register", 1), _register("place", 15)
        self.address = concat(self.register, self.place)
        self.sequence, self.good, self.other = (_register(n, w) for n, w in _ANSWERED.items())
        self.executed = _register("executed", 4)  # sequence of the last register write that was carried out
        self.pending, self.storing, self.arrived = (
            _register(n, 1) for n in ("pending", "storing", "arrived")
        )
        self.tx_byte = _register("tx_byte", 8)
        started = self.index != 0
        self.status_now, waits = self.at("head") & ~started, self.at("head") & started
        self.late = byte.missed | (byte.begins & ~waits & (self.pending | self.arrived))
        self.checks, self.waits = (state & ~byte.opens for state in (self.at(*CHECKS), waits))
        self._decide(*self._check())

    def at(self, *names: str) -> WireVector:
        """1 in one of the states."""
        return reduce(or_, [self.in_state[name] for name in names])

    def _check(self) -> tuple[WireVector, WireVector]:
        """1 if the CRC received is wrong: with its last bits, and from the cycle behind them on. Sets tx_byte."""
        byte, from_word = self.byte, (self.status_now | self.at("data")) & ~self.byte.opens
        bits = select(from_word, self.word[:2], byte.pair)
        crc = crc32("spi_crc", bits, step=byte.working & ~self.waits, pass_out=self.checks, begin=byte.opens)
        answers = from_word | (self.at("answer_crc") & ~byte.opens)
        answer = select(self.at("answer_crc"), ~crc.value[:8], self.word[:8])
        keep(self.tx_byte, (self.late | (byte.begins & ~answers), 0), (byte.begins, answer))
        differs = byte.working & self.checks & crc.differs
        mismatch = flag("spi_crc_wrong", rises=differs, falls=byte.opens)
        return differs | mismatch, mismatch

    def _decide(self, mismatch_now: WireVector, mismatch: WireVector) -> None:
        """Events, each one cycle long. Accesses begin as early as they can."""
        byte, fourth = self.byte, self.index == 3
        none_above = self.uncounted[1:] == 0x7F
        self.none, self.last = none_above & self.uncounted[0], none_above & ~self.uncounted[0]
        reads, writes = (self.word[4:8] == code for code in (Opcode.READ, Opcode.WRITE))
        storable = writes & ~(self.register & ~self.last)
        self.group_end = byte.end & fourth
        header, payload = (self.group_end & self.at(name) for name in ("header_crc", "payload_crc"))
        self.judged = header | payload
        self.crc_error = self.judged & mismatch
        self.rejected = header & ~mismatch & ~reads & ~storable
        self.takes_payload = ~mismatch & storable  # meant at the end of header_crc
        repeated = self.register & (self.executed == self.sequence)
        execute = self.at("payload_crc") & ~mismatch_now & self.register & ~repeated
        self.executes = payload & ~mismatch & self.register
        self.done_well = ~mismatch & (payload | reads | storable)
        self.other_reason = mismatch | (payload & repeated)
        self.word_end = self.group_end & self.at("payload", "data")
        more = (self.status_now & self.good & ~self.none) | (self.at("data") & fourth & ~self.last)
        self.fetch = byte.third & more
        self.store = byte.last & fourth & ((self.at("payload") & ~self.register) | execute)
        overlong = byte.begins & ~byte.opens & self.at("done")
        cut = byte.opens & self.at(*STATES[:-1])
        self.given_up = overlong | self.late
        # At a very fast SCK not even a frame's first byte may be recognised: each byte missed is an error.
        self.frame_error = self.rejected | cut | overlong | byte.missed | (self.late & self.at(*STATES))

    def follow(self, ready: WireVector, rdata: WireVector, reset: WireVector) -> None:
        """Registers' next values."""
        self._follow_state(reset)
        keep(self.good, (self.judged, self.done_well))
        keep(self.other, (self.judged, self.other_reason))
        keep(self.executed, (reset, 0), (self.executes, self.sequence))
        accepted = self.pending & ready
        keep(self.pending, (reset | accepted, 0), (self.fetch | self.store, 1))
        keep(self.storing, (self.fetch | self.store, self.store))
        self.arrived.next <<= accepted & ~self.storing & ~reset
        self._follow_word(ready, rdata)
        self._follow_header(accepted)

    def _follow_state(self, reset: WireVector) -> None:
        at, byte = self.at, self.byte
        ends = (self.group_end & ~at("payload", "data")) | (self.word_end & self.last)
        ends = ends | (byte.end & at("tail") & self.index[0])
        no_data = ~self.good | self.none
        entered = {
            "header": Const(0, 1),
            "header_crc": at("header"),
            "payload": at("header_crc") & self.takes_payload & ~self.none,
            "payload_crc": (at("header_crc") & self.takes_payload & self.none) | at("payload"),
            "head": (at("header_crc") & ~self.takes_payload) | at("payload_crc"),
            "data": at("head") & ~no_data,
            "answer_crc": (at("head") & no_data) | at("data"),
            "tail": at("answer_crc"),
            "done": at("tail") & self.good,
        }
        for name, register in self.in_state.items():
            start = int(name == "header")
            keep(register, (reset | self.given_up, 0), (byte.opens, start), (ends, entered[name]))
        following = concat(self.index[1] ^ self.index[0], ~self.index[0])
        keep(self.index, (byte.opens, 0), (byte.end, following))

    def _follow_word(self, ready: WireVector, rdata: WireVector) -> None:
        """A word that waits for the bus stays; the answer's status comes in between two bytes, behind it."""
        working = self.byte.working
        head = concat(self.good, ~self.good, ~self.other, self.other, self.sequence)
        moved = concat(self.byte.pair, self.word[2:])
        low = select(working, moved[:8], head)
        moves = working & ~self.checks & ~self.waits & ~(self.pending & self.storing)
        loads = self.status_now & ~working & (~self.pending | ready)
        keep(self.word, (self.arrived, rdata), (moves | loads, concat(moved[8:], low)))

    def _follow_header(self, accepted: WireVector) -> None:
        """The word is the header while its CRC comes: sequence (4), opcode (4), address (16), count (8)."""
        loads, header = self.at("header_crc"), self.word
        keep(self.sequence, (loads, header[:4]))
        keep(self.register, (loads, header[23]))
        loaded_counter(self.place, loads, header[8:23], accepted)
        loaded_counter(self.uncounted, loads, ~header[24:], self.word_end)


_ANSWERED = {"sequence": 4, "good": 1, "other": 1}


def _register(name: str, width: int) -> Register:
    return Register(width, f"spi_{name}")
