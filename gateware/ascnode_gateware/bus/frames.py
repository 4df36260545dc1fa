"""Frames of the SPI port, encoded and decoded by the host. docs/accelerator-spi.md describes them."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

HEADER_BYTES = 8  # its CRC included
TURN_BYTES = 2  # while the accelerator works out its answer
GAP_BYTES = 3  # behind the answer's status, while the first word waits for the bus
CRC_BYTES = 4
WORD_BYTES = 4
MAX_WORDS = 0xFF
REGISTERS = 0x8000  # first word address of the registers
ADDRESS_LIMIT = 0x1_0000
SEQUENCES = 16


class Opcode(IntEnum):
    READ = 1
    WRITE = 2


class Status(IntEnum):
    """Bit 3: the frame was carried out. None is what a line that is stuck, or silent, would read as."""

    CRC_ERROR = 0b0101
    REJECTED = 0b0110
    REPEATED = 0b1001
    OK = 0b1010


class FrameError(ValueError):
    """An answer that is none: the frame was lost or damaged, and is to be sent again."""


class RequestError(ValueError):
    """A request that no frame can carry, or that the accelerator refused."""


@dataclass(frozen=True)
class Request:
    """A read of `count` words, or a write of `words`, from word address `address` on.

    Addresses wrap inside the memory, or inside the registers, so a request may not reach past either.
    """

    opcode: Opcode
    sequence: int
    address: int
    count: int
    words: Sequence[int] = ()

    def __post_init__(self) -> None:
        limit = ADDRESS_LIMIT if self.address >= REGISTERS else REGISTERS
        if not 0 <= self.address < ADDRESS_LIMIT or not 0 <= self.count <= limit - self.address:
            raise RequestError(f"{self.count} words from address {self.address:#x} reach past {limit - 1:#x}")
        if self.count > MAX_WORDS:
            raise RequestError(f"a frame carries at most {MAX_WORDS} words, not {self.count}")
        if not 0 <= self.sequence < SEQUENCES:
            raise RequestError(f"sequence number {self.sequence} is outside 0..{SEQUENCES - 1}")
        if self.is_register_write and self.count != 1:
            raise RequestError(f"a register write carries one word, not {self.count}")

    @property
    def is_register_write(self) -> bool:
        return self.opcode == Opcode.WRITE and self.address >= REGISTERS

    @property
    def answer_at(self) -> int:
        """Bytes of the frame before its answer."""
        sent = 0 if self.opcode == Opcode.READ else WORD_BYTES * self.count + CRC_BYTES
        return HEADER_BYTES + sent + TURN_BYTES

    @property
    def answer_bytes(self) -> int:
        words = self.count if self.opcode == Opcode.READ else 0
        return 1 + GAP_BYTES + WORD_BYTES * words + CRC_BYTES

    def encode(self) -> bytes:
        """What the host sends, zeros for the answer included."""
        fixed = struct.pack("<BHB", self.opcode << 4 | self.sequence, self.address, self.count)
        payload = with_crc(pack_words(self.words)) if self.opcode == Opcode.WRITE else b""
        return with_crc(fixed) + payload + bytes(TURN_BYTES + self.answer_bytes)

    def decode(self, received: bytes) -> "Answer":
        """The answer in the bytes received beside `encode()`'s; FrameError when there is none for this request."""
        answer = received[self.answer_at : self.answer_at + self.answer_bytes]
        if len(answer) != self.answer_bytes:
            raise FrameError(f"{len(received)} bytes instead of {self.answer_at + self.answer_bytes}")
        status, sequence = answer[0] >> 4, answer[0] & 15
        if status not in Status.__members__.values() or sequence != self.sequence:
            raise FrameError(f"no answer to frame {self.sequence}: its first byte is {answer[0]:#04x}")
        failed = not status & 8
        answer = answer[:1] + answer[1 + GAP_BYTES :]
        body = answer[:1] if failed else answer[:-CRC_BYTES]
        if with_crc(body) != answer[: len(body) + CRC_BYTES]:
            raise FrameError(f"the answer to frame {self.sequence} has a wrong CRC")
        return Answer(Status(status), unpack_words(body[1:]))


@dataclass(frozen=True)
class Answer:
    """What the accelerator did, and the words it read."""

    status: Status
    words: tuple[int, ...] = ()


def read_request(sequence: int, address: int, count: int) -> Request:
    return Request(Opcode.READ, sequence, address, count)


def write_request(sequence: int, address: int, words: Sequence[int]) -> Request:
    return Request(Opcode.WRITE, sequence, address, len(words), tuple(words))


def with_crc(content: bytes) -> bytes:
    """The bytes, then their CRC-32 (zlib's), low byte first."""
    return content + struct.pack("<I", zlib.crc32(content))


def pack_words(words: Sequence[int]) -> bytes:
    """Words of 32 bits, low byte first: so a tensor's bytes are in their order in memory."""
    return struct.pack(f"<{len(words)}I", *words)


def unpack_words(content: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(content) // WORD_BYTES}I", content)
