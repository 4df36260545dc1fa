"""The SPI port byte by byte, as `rtl/spi_core.py` answers: what docs/accelerator-spi.md says of every frame."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol
from zlib import crc32

from ascnode_gateware.bus.frames import (
    CRC_BYTES,
    GAP_BYTES,
    HEADER_BYTES,
    REGISTERS,
    TURN_BYTES,
    WORD_BYTES,
    Opcode,
    Status,
    pack_words,
)

_CRC = struct.Struct("<I")
_HEADER = struct.Struct("<BHBI")
_OUTSIDE = 0x7FFF  # addresses count up in 15 bits


class Bus(Protocol):
    """What lies behind the port."""

    def read(self, address: int) -> int: ...
    def write(self, address: int, word: int) -> None: ...
    def crc_error(self) -> None: ...
    def frame_error(self) -> None: ...


class _Part(Enum):
    """Of a frame, by what the bytes that come next are for."""

    HEADER = auto()
    PAYLOAD = auto()
    ANSWER = auto()
    DONE = auto()  # more bytes are an error of the frame
    IGNORED = auto()


@dataclass(frozen=True)
class _Header:
    opcode: int
    sequence: int
    address: int
    count: int
    crc: int

    @property
    def to_register(self) -> bool:
        return self.address >= REGISTERS

    @property
    def stores(self) -> bool:
        """A write that is carried out."""
        return self.opcode == Opcode.WRITE and (not self.to_register or self.count == 1)

    def place(self, number: int) -> int:
        """Address of word `number`: it wraps inside memory, and inside the registers."""
        return (self.address & REGISTERS) | (self.address + number) & _OUTSIDE


class SpiPort:
    """`passes` is told of bytes that have gone by before what they cause happens."""

    def __init__(self, bus: Bus, passes: Callable[[int], None]) -> None:
        self._bus, self._passes = bus, passes
        self._part, self._executed = _Part.IGNORED, 0
        self._first = False
        self._taken = bytearray()  # of the part under way
        self._ahead = b""  # answers that the wire gets two bytes later
        self._answer = b""
        self._header = _Header(0, 0, 0, 0, 0)
        self._stored = self._word = self._crc = 0
        self._after = _Part.IGNORED

    def reset(self) -> None:
        """A frame under way is forgotten."""
        self._part, self._executed, self._first = _Part.IGNORED, 0, False

    def begin(self) -> None:
        self._first, self._ahead = True, bytes(TURN_BYTES)

    def exchange(self, sent: bytes) -> bytes:
        """Bytes of the frame under way, and what MISO was beside them."""
        if self._first and sent:
            self._open()
        answers, at = [self._ahead], 0
        while at < len(sent):
            found, used = self._step(sent[at:])
            answers.append(found)
            at += used
        line = b"".join(answers)
        self._ahead = line[len(sent) :]
        return line[: len(sent)]

    def _open(self) -> None:
        """A frame's first byte: only now is it known that the one before was cut."""
        if self._part not in (_Part.DONE, _Part.IGNORED):
            self._bus.frame_error()
        self._first, self._part = False, _Part.HEADER
        self._taken.clear()

    def _step(self, sent: bytes) -> tuple[bytes, int]:
        """What the part under way answers to some of the bytes, and how many."""
        if self._part is _Part.ANSWER:
            return self._give(len(sent))
        if self._part in (_Part.DONE, _Part.IGNORED):
            if self._part is _Part.DONE:
                self._bus.frame_error()
                self._part = _Part.IGNORED
            self._passes(len(sent))
            return bytes(len(sent)), len(sent)
        return self._take(sent)

    def _take(self, sent: bytes) -> tuple[bytes, int]:
        """Bytes of the header, or of a payload up to the end of the next word."""
        size = HEADER_BYTES if self._part is _Part.HEADER else WORD_BYTES
        used = min(len(sent), size - len(self._taken))
        self._taken += sent[:used]
        self._passes(used)
        if len(self._taken) == size:
            group = bytes(self._taken)
            self._taken.clear()
            self._judge(group) if self._part is _Part.HEADER else self._store(group)
        return bytes(used), used

    def _judge(self, group: bytes) -> None:
        first, address, count, crc = _HEADER.unpack(group)
        self._header = header = _Header(first >> 4, first & 15, address, count, crc)
        if crc32(group[:-CRC_BYTES]) != crc:
            self._bus.crc_error()
            self._reply(Status.CRC_ERROR)
        elif header.stores:
            self._part, self._stored, self._crc = _Part.PAYLOAD, 0, 0
        elif header.opcode == Opcode.READ:
            self._reply(Status.OK)
        else:
            self._bus.frame_error()
            self._reply(Status.REJECTED)

    def _store(self, group: bytes) -> None:
        """A word of the payload, or its CRC behind the last."""
        header, [word] = self._header, _CRC.unpack(group)
        if self._stored < header.count:
            self._crc = crc32(group, self._crc)
            if not header.to_register:
                self._bus.write(header.place(self._stored), word)
            self._word, self._stored = word, self._stored + 1
        elif word != self._crc:
            self._bus.crc_error()
            self._reply(Status.CRC_ERROR)
        else:
            self._finish_write(header)

    def _finish_write(self, header: _Header) -> None:
        repeated = header.to_register and header.sequence == self._executed
        if header.to_register and not repeated:
            self._executed = header.sequence
            self._bus.write(header.place(0), self._word)
        self._reply(Status.REPEATED if repeated else Status.OK)

    def _reply(self, status: Status) -> None:
        """Status, 3 zeros, words and CRC; zeros stand for the turn's bytes, which the delay makes."""
        header, good = self._header, bool(status & 8)
        words = [self._bus.read(header.place(n)) for n in range(header.count)] if good and self._reads else []
        body = bytes([status << 4 | header.sequence]) + pack_words(words)
        self._answer = body[:1] + bytes(GAP_BYTES) + body[1:] + _CRC.pack(crc32(body)) + bytes(TURN_BYTES)
        self._part, self._after = _Part.ANSWER, _Part.DONE if good else _Part.IGNORED

    @property
    def _reads(self) -> bool:
        return self._header.opcode == Opcode.READ

    def _give(self, most: int) -> tuple[bytes, int]:
        given, self._answer = self._answer[:most], self._answer[most:]
        self._passes(len(given))
        if not self._answer:
            self._part = self._after
        return given, len(given)
