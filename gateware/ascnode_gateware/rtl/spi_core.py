"""The core's side of the SPI port: bytes to bus accesses and back. docs/accelerator-spi.md describes the frames."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

from pyrtl import Const, Register, WireVector, concat, select

from ascnode_gateware.bus.frames import Opcode, Status
from ascnode_gateware.rtl import gray
from ascnode_gateware.rtl.cells import delayed, flag, keep
from ascnode_gateware.rtl.crc import crc32

ANSWER_BYTES = 4  # what a byte makes the core send goes out this many bytes later
LATE = 3  # bytes waiting: the answer to the oldest of them may miss its turn


STATES = ("header", "header_crc", "payload", "payload_crc", "head", "data", "answer_crc", "tail", "done")
FIXED = ("header", "answer_crc", "tail")  # end with their 4th byte, as header_crc and payload_crc do once judged


@dataclass(frozen=True)
class SpiCore:
    """To the bus: valid, write, address (16), wdata (32). To the SPI clock: tx_pointer (3, Gray), tx (4 entries of
    8). crc_error and frame_error are high for one cycle for each."""

    valid: WireVector
    write: WireVector
    address: WireVector
    wdata: WireVector
    tx_pointer: WireVector
    tx: Sequence[WireVector]
    crc_error: WireVector
    frame_error: WireVector


@dataclass(frozen=True)
class _Byte:
    """The byte at hand. `opens`: it begins a frame that has not been begun yet; `step` counts its 4 cycles of work."""

    data: WireVector
    opens: WireVector
    working: WireVector
    step: Register
    end: WireVector
    late: WireVector


def spi_core(
    rx_pointer: WireVector,
    rx: Sequence[WireVector],
    ready: WireVector,
    rdata: WireVector,
    reset: WireVector,
) -> SpiCore:
    """rx_pointer: 3, Gray, of the SPI clock; rx: 4 entries of 9; ready, rdata (32): the bus; reset: 1, synchronous.

    A byte takes 5 cycles, and 1 more after each word read and each CRC; a byte lasts 6.15 cycles
    at the fastest SCK, 1.3 times the clock. A bus that is not ready holds the work. When 3 bytes wait, the frame
    is given up: the host reads zeros, frame_error counts it, and bytes are ignored until the next frame.
    """
    busy, opened = WireVector(1, "spi_busy"), Register(1, "spi_opened")
    byte = _byte_at_hand(rx_pointer, rx, opened, busy, reset)
    opened.next <<= byte.opens | (opened & ~byte.end & ~byte.late & ~reset)
    frame = _Frame(byte)
    frame.follow(ready, rdata, busy, reset)
    tx_pointer, tx = _answers(byte, frame.answer)
    return SpiCore(
        frame.pending,
        frame.storing,
        frame.address,
        frame.word,
        tx_pointer,
        tx,
        frame.crc_error,
        frame.frame_error,
    )


def _byte_at_hand(
    rx_pointer: WireVector, rx: Sequence[WireVector], opened: Register, hold: WireVector, reset: WireVector
) -> _Byte:
    written = delayed(delayed(rx_pointer, "spi_rx_sync_1"), "spi_rx_sync_2")
    taken, step = Register(gray.POINTER_BITS, "spi_rx_taken"), Register(2, "spi_step")
    late, there = Register(1, "spi_late"), Register(1, "spi_there")
    dropped, end = reset | late, WireVector(1, "spi_byte_end")
    # Registered, for the way from here to the CRC is long; so a cycle passes from a byte's end to the next one.
    late.next <<= ~gray.is_ahead(written, taken, range(LATE)) & ~dropped
    there.next <<= (written != taken) & ~end & ~dropped
    entry = delayed(gray.pick(rx, taken), "spi_entry")
    ready = there & ~hold & ~late
    opens = ready & entry[8] & ~opened
    working = ready & ~opens
    end <<= working & (step == 3)
    # In reset and when late everything received is dropped; no reset need cross to the SPI clock.
    keep(taken, (dropped, written), (end, gray.following(taken)))
    keep(step, (dropped, 0), (working, gray.count_up(step)))
    return _Byte(entry[:8], opens, working, step, end, late)


def _answers(byte: _Byte, answer: WireVector) -> tuple[Register, list[WireVector]]:
    """(pointer, entries): byte n of a frame writes position n + ANSWER_BYTES, its pointer 3 cycles later."""
    pointer = Register(gray.POINTER_BITS, "spi_tx_write")
    keep(pointer, (byte.opens, gray.gray_code(ANSWER_BYTES)), (byte.end, gray.following(pointer)))
    entries: list[WireVector] = []
    for index in range(gray.ENTRIES):
        chosen = gray.entry_index(pointer) == index
        entries.append(delayed(answer, f"spi_tx_entry_{index}", byte.working & (byte.step == 0) & chosen))
    return pointer, entries


class _Frame:
    """Where in a frame the core is, one register a state (none: bytes are ignored), and what it has read of it."""

    def __init__(self, byte: _Byte) -> None:
        self.byte = byte
        self.in_state = {name: Register(1, f"spi_in_{name}") for name in STATES}
        self.index = Register(2, "spi_index")
        self.word, self.count = _register("word", 32), _register("count", 8)
        self.register, self.place = _register("register", 1), _register("place", 15)
        self.address = concat(self.register, self.place)
        self.opcode, self.sequence, self.status = (
            _register(name, 4) for name in ("opcode", "sequence", "status")
        )
        self.executed = _register("executed", 4)  # sequence of the last register write that was carried out
        self.pending, self.storing = _register("pending", 1), _register("storing", 1)
        self.group_end = byte.end & (self.index == 3)
        self.judged = delayed(self.group_end & self.at("header_crc", "payload_crc"), "spi_judged")
        self.answer, mismatch = self._check()
        self._decide(mismatch)

    def at(self, *names: str) -> WireVector:
        """1 in one of the states."""
        return reduce(or_, [self.in_state[name] for name in names])

    def _check(self) -> tuple[WireVector, WireVector]:
        """(byte to answer, 1 if the CRC received is wrong: a cycle after its last byte)."""
        byte, checks = self.byte, self.at("header_crc", "payload_crc", "answer_crc")
        answer = WireVector(8, "answer")
        source = select(self.at("head", "data"), answer, byte.data)
        crc = crc32(
            "spi_crc", _two_of(source, byte.step), step=byte.working, pass_out=checks, clear=byte.opens
        )
        answer <<= (
            (concat(self.status, self.sequence) & self.at("head").sign_extended(8))
            | (self.word[:8] & self.at("data").sign_extended(8))
            | (~crc.value[:8] & self.at("answer_crc").sign_extended(8))
        )
        wrong = flag("spi_crc_wrong", rises=byte.working & checks & crc.differs, falls=byte.opens)
        return answer, wrong

    def _decide(self, mismatch: WireVector) -> None:
        """Events, each one cycle long."""
        none_above = self.count[1:] == 0
        self.none, self.last = none_above & ~self.count[0], none_above & self.count[0]
        self.good = self.status[3]
        reads, writes = self.opcode == Opcode.READ, self.opcode == Opcode.WRITE
        header, payload = (self.judged & self.at(name) for name in ("header_crc", "payload_crc"))
        storable = writes & ~(self.register & ~self.last)
        self.crc_error = (header | payload) & mismatch
        self.rejected = header & ~mismatch & ~reads & ~storable
        self.accepted_read = header & ~mismatch & reads
        self.takes_payload = ~mismatch & storable  # meant at the end of header_crc
        self.payload_good = payload & ~mismatch
        self.repeated = self.register & (self.executed == self.sequence)
        self.execute = self.payload_good & self.register & ~self.repeated
        self.word_end = self.group_end & self.at("payload", "data")
        overlong = self.byte.working & self.at("done")
        cut = self.byte.opens & self.at(*STATES[:-1])
        self.given_up = overlong | self.byte.late
        self.frame_error = self.rejected | cut | (self.given_up & self.at(*STATES))

    def follow(self, ready: WireVector, rdata: WireVector, busy: WireVector, reset: WireVector) -> None:
        """Registers' next values."""
        self._follow_state(reset)
        self._follow_status(reset)
        self._follow_bus(ready, rdata, busy, reset)

    def _follow_state(self, reset: WireVector) -> None:
        at, opens = self.at, self.byte.opens
        ends = self.judged | (self.byte.end & at("head")) | (self.group_end & at(*FIXED))
        ends = ends | (self.word_end & self.last)
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
            keep(register, (reset | self.given_up, 0), (opens, start), (ends, entered[name]))
        keep(self.index, (opens, 0), (self.byte.end & ~at("head"), gray.count_up(self.index)))

    def _follow_status(self, reset: WireVector) -> None:
        keep(
            self.status,
            (self.crc_error, Status.CRC_ERROR),
            (self.rejected, Status.REJECTED),
            (self.payload_good & self.repeated, Status.REPEATED),
            (self.accepted_read | self.payload_good, Status.OK),
        )
        keep(self.executed, (reset, 0), (self.execute, self.sequence))

    def _follow_bus(
        self, ready: WireVector, rdata: WireVector, busy: WireVector, reset: WireVector
    ) -> None:
        fetch = (self.accepted_read & ~self.none) | (self.word_end & self.at("data") & ~self.last)
        store = (self.word_end & self.at("payload") & ~self.register) | self.execute
        accepted = self.pending & ready
        arrived = _register("arrived", 1)
        arrived.next <<= accepted & ~self.storing & ~reset
        busy <<= self.pending | arrived | self.judged
        keep(self.pending, (reset | accepted, 0), (fetch | store, 1))
        keep(self.storing, (fetch | store, store))
        moved = concat(self.byte.data, self.word[8:])
        keep(self.word, (arrived, rdata), (self.byte.end & self.at("header", "payload", "data"), moved))
        self._follow_header(moved, accepted)

    def _follow_header(self, header: WireVector, accepted: WireVector) -> None:
        """Its word: sequence (4), opcode (4), address (16), count (8)."""
        loads = self.group_end & self.at("header")
        keep(self.sequence, (loads, header[:4]))
        keep(self.opcode, (loads, header[4:8]))
        keep(self.register, (loads, header[23]))
        _loaded_counter(self.place, loads, header[8:23], accepted, 1)
        _loaded_counter(self.count, loads, header[24:], self.word_end, -1)


def _register(name: str, width: int) -> Register:
    return Register(width, f"spi_{name}")


def _loaded_counter(
    counter: Register, load: WireVector, value: WireVector, step: WireVector, direction: int
) -> None:
    """Loads, or counts by +1 or -1. The chain's second operand is the choice itself: a bit is one LUT of 4 inputs."""
    width = len(counter)
    choice = (load if direction > 0 else ~load).sign_extended(width)
    carry = Const(int(direction > 0), 1)
    total = concat(counter, carry) + concat(choice, carry)
    keep(counter, (load, value), (step, total[1 : width + 1]))


def _two_of(byte: WireVector, step: WireVector) -> WireVector:
    high = select(step[0], byte[6:8], byte[4:6])
    return select(step[1], high, select(step[0], byte[2:4], byte[:2]))
