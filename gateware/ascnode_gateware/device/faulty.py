"""An accelerator with planted faults, in front of either kind."""

from collections import Counter
from collections.abc import Iterable

from ascnode_gateware.bus.frames import (
    CRC_BYTES,
    GAP_BYTES,
    HEADER_BYTES,
    Opcode,
    Status,
    pack_words,
    read_request,
    with_crc,
    write_request,
)
from ascnode_gateware.device.fault import SHORTEST_FRAME, Fault, FaultKind, WrongBits
from ascnode_gateware.device.interface import Accelerator
from ascnode_gateware.sim.addresses import address, mask

_SEQUENCE = 0  # of frames that look into memory: any will do
_ANSWER_AT = HEADER_BYTES + 2


class FaultyDevice:
    """`happened` counts faults by kind. Frames are counted whether a fault hits them or not."""

    def __init__(self, inner: Accelerator, faults: Iterable[Fault] = ()) -> None:
        self._inner = inner
        self.happened: Counter[FaultKind] = Counter()
        self.frames = 0  # begun
        self._frame = _Frame(inner, [], 0)
        self._hung = False
        self._due: list[tuple[int, Fault]] = []  # microseconds from now on
        self.plant(faults)

    def plant(self, faults: Iterable[Fault]) -> None:
        """In place of those before; frames are counted from here on."""
        self._faults, self.frames, self._due = list(faults), 0, []

    def begin(self) -> None:
        number = self.frames
        self.frames += 1
        self._strike([fault for fault in self._starting(number) if not fault.after_us])
        here = [fault for fault in self._faults if fault.of_frame and fault.hits(number)]
        self.happened.update(fault.kind for fault in here)
        self._frame = _Frame(self._inner, here, number, self._hung)
        self._frame.begin()

    def exchange(self, sent: bytes) -> bytes:
        return self._frame.exchange(sent)

    def end(self) -> None:
        if self._frame.open:
            self._frame.end()
            late = [fault for fault in self._starting(self.frames - 1) if fault.after_us]
            self._due += [(fault.after_us, fault) for fault in late]

    def transfer(self, frame: bytes) -> bytes:
        self.begin()
        received = self.exchange(frame)
        self.end()
        return received

    def reset(self) -> None:
        self._hung = False
        self._inner.reset()

    def wait_us(self, microseconds: int) -> bool:
        """What falls due meanwhile happens in its microsecond; frames take no time in this count."""
        left = microseconds
        for due, fault in sorted(self._due, key=lambda item: item[0]):
            if due <= microseconds:
                self._inner.wait_us(due - (microseconds - left))
                left = microseconds - due
                self._strike([fault])
        self._due = [(due - microseconds, fault) for due, fault in self._due if due > microseconds]
        level = self._inner.wait_us(left)
        return level and not self._hung

    def flash_frame(self, sent: bytes) -> bytes | None:
        return self._inner.flash_frame(sent)

    def close(self) -> None:
        self._inner.close()

    def _starting(self, number: int) -> list[Fault]:
        """Faults of the accelerator itself that begin with this frame."""
        return [fault for fault in self._faults if not fault.of_frame and fault.frame == number]

    def _strike(self, faults: Iterable[Fault]) -> None:
        for fault in faults:
            self.happened[fault.kind] += 1
            if fault.kind is FaultKind.HANG:
                self._hung = True
            elif fault.kind is FaultKind.RESET:
                self.reset()
            else:
                self._flip(fault)

    def _flip(self, fault: Fault) -> None:
        """Through the port, between the board's frames: so it works for every accelerator."""
        read = read_request(_SEQUENCE, fault.address, 1)
        [word] = read.decode(self._inner.transfer(read.encode())).words
        write = write_request(_SEQUENCE, fault.address, [word ^ 1 << fault.bit])
        self._inner.transfer(write.encode())


class _Frame:
    """One frame of the board, with what is wrong about it."""

    def __init__(self, inner: Accelerator, faults: list[Fault], number: int, hung: bool = False) -> None:
        self._inner, self._hung = inner, hung
        by_kind = {fault.kind: fault for fault in faults}
        self._kinds = set(by_kind)
        self._wrong = {kind: WrongBits(by_kind[kind], number) for kind in _WIRES if kind in by_kind}
        self._cut: int | None = None
        if FaultKind.CUT in by_kind:
            cut = by_kind[FaultKind.CUT]
            self._cut = cut.at or cut.draw(number).randrange(1, SHORTEST_FRAME)
        self._sent = bytearray()
        self.open = False

    def begin(self) -> None:
        self.open = True
        if FaultKind.DROP not in self._kinds:
            self._inner.begin()

    def exchange(self, sent: bytes) -> bytes:
        position = len(self._sent)
        self._sent += sent
        if FaultKind.DROP in self._kinds:
            return bytes(len(sent))
        received = self._pass(self._spoilt(FaultKind.MOSI, sent, position), position)
        if self._hung:
            received = self._hanging(received, position)
        return self._on_the_way_back(received, position)

    def end(self) -> None:
        self.open = False
        if FaultKind.DROP not in self._kinds:
            self._inner.end()
        if FaultKind.REPEAT in self._kinds:
            self._inner.transfer(bytes(self._sent))

    def _pass(self, sent: bytes, position: int) -> bytes:
        """Up to where CS rises too soon."""
        if self._cut is None:
            return self._inner.exchange(sent)
        room = max(0, self._cut - position)
        received = self._inner.exchange(sent[:room]) if room else b""
        if len(sent) >= room:
            self._inner.end()
        return received.ljust(len(sent), b"\0")

    def _on_the_way_back(self, received: bytes, position: int) -> bytes:
        if FaultKind.STUCK_0 in self._kinds:
            return bytes(len(received))
        if FaultKind.STUCK_1 in self._kinds:
            return b"\xff" * len(received)
        return self._spoilt(FaultKind.MISO, received, position)

    def _spoilt(self, kind: FaultKind, content: bytes, position: int) -> bytes:
        wrong = self._wrong.get(kind)
        return wrong.spoil(content, position) if wrong else content

    def _hanging(self, received: bytes, position: int) -> bytes:
        """A busy engine's registers in place of the real ones."""
        told = _hung_answer(bytes(self._sent[:HEADER_BYTES]))
        if not told:
            return received
        whole = bytes(_ANSWER_AT) + told
        lies = whole[position : position + len(received)].ljust(len(received), b"\0")
        return received[: max(0, _ANSWER_AT - position)] + lies[max(0, _ANSWER_AT - position) :]


_WIRES = (FaultKind.MOSI, FaultKind.MISO)
_HUNG_REGISTERS = {address("STATUS"): mask("busy"), address("IRQ"): 0}


def _hung_answer(header: bytes) -> bytes:
    """The answer to a read of STATUS or IRQ by a header that is right; none to others."""
    if len(header) < HEADER_BYTES or with_crc(header[:-CRC_BYTES]) != header:
        return b""
    opcode, sequence = header[0] >> 4, header[0] & 15
    where, count = int.from_bytes(header[1:3], "little"), header[3]
    if opcode != Opcode.READ or count != 1 or where not in _HUNG_REGISTERS:
        return b""
    head = bytes([Status.OK << 4 | sequence])
    answer = with_crc(head + pack_words([_HUNG_REGISTERS[where]]))
    return head + bytes(GAP_BYTES) + answer[1:]
