"""The SPI port's frames, against the bytes of docs/accelerator-spi.md and the host's own encoder."""

import random
from collections.abc import Callable
from zlib import crc32

import pytest

from ascnode_fw.accel.errors import LinkError
from ascnode_fw.accel.port import FRAME_BYTES, MAX_WORDS, Port
from ascnode_gateware.bus.frames import read_request, write_request

# docs/accelerator-spi.md: read of ID as frame 3, write of 0x12345678 to 0x1234 as frame 5
READ = bytes.fromhex("13 00 80 01 b0 8f 6c 2f") + bytes(14)
READ_ANSWER = bytes(10) + bytes.fromhex("a3 00 00 00 41 53 43 4e bb cd c7 f6")
WRITE = bytes.fromhex("25 34 12 01 19 8d 39 9a 78 56 34 12 d2 87 6d af") + bytes(10)
WRITE_ANSWER = bytes(18) + bytes.fromhex("a5 00 00 00 ea b8 be 74")


class Wire:
    """Answers frames in turn: bytes, or what makes them of the frame."""

    def __init__(self, *answers: bytes | Callable[[bytes], bytes]) -> None:
        self.sent: list[bytes] = []
        self._answers = list(answers)

    def transfer(self, out: memoryview, into: memoryview, n: int) -> None:
        self.sent.append(bytes(out[:n]))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        into[:n] = answer if isinstance(answer, bytes) else answer(self.sent[-1])

    def reset(self) -> None: ...

    def wait_us(self, us: int) -> int:
        return 0

    def flash_transfer(self, out: memoryview, into: memoryview, n: int) -> bool:
        return False


def _port(wire: Wire, sequence: int) -> Port:
    port = Port(wire)
    port._sequence = sequence
    return port


def _done(status: int, frame: bytes, words: bytes = b"") -> bytes:
    # The answer to a frame, at its end.
    first = bytes([status << 4 | frame[0] & 15])
    answer = first + bytes(3) + words + crc32(first + words).to_bytes(4, "little")
    return answer.rjust(len(frame), b"\0")


def test_a_read_is_the_documents_bytes() -> None:
    wire = Wire(READ_ANSWER)
    assert bytes(_port(wire, 3).read(0x8000, 1)) == b"ASCN"
    assert wire.sent[0][:8] == READ[:8] and len(wire.sent[0]) == len(READ)


def test_a_write_is_the_documents_bytes() -> None:
    wire = Wire(WRITE_ANSWER)
    port = _port(wire, 5)
    port.data[:4] = (0x12345678).to_bytes(4, "little")
    port.write(0x1234, 1)
    assert wire.sent[0][:16] == WRITE[:16] and len(wire.sent[0]) == len(WRITE)


def test_frames_of_any_size_are_what_the_hosts_encoder_makes() -> None:
    rng = random.Random(4)
    for count in (1, 2, 100, MAX_WORDS):
        address, words = rng.randrange(0x7F00), [rng.getrandbits(32) for _ in range(count)]
        data = b"".join(word.to_bytes(4, "little") for word in words)
        reads = Wire(lambda frame, data=data: _done(0xA, frame, data))
        assert bytes(_port(reads, 7).read(address, count)) == data
        asked = read_request(7, address, count).encode()
        assert (reads.sent[0][:8], len(reads.sent[0])) == (asked[:8], len(asked))
        writes = Wire(lambda frame: _done(0xA, frame))
        port = _port(writes, 7)
        port.data[: len(data)] = data
        port.write(address, count)
        told = write_request(7, address, words).encode()
        assert (writes.sent[0][:-10], len(writes.sent[0])) == (told[:-10], len(told))
        assert len(told) <= FRAME_BYTES


@pytest.mark.parametrize(
    "spoilt",
    [
        bytes(22),
        b"\xff" * 22,
        READ_ANSWER[:10] + b"\xa4" + READ_ANSWER[11:],
        READ_ANSWER[:10] + b"\x53" + READ_ANSWER[11:],
        READ_ANSWER[:14] + b"\x42" + READ_ANSWER[15:],
    ],
    ids=["zeros", "ones", "another number", "a CRC error", "a wrong word"],
)
def test_a_read_without_a_good_answer_is_sent_again_with_the_same_number(spoilt: bytes) -> None:
    wire = Wire(spoilt, spoilt, READ_ANSWER)
    port = _port(wire, 3)
    assert bytes(port.read(0x8000, 1)) == b"ASCN"
    assert port.resent == 2
    assert len(set(wire.sent)) == 1


def test_a_dead_wire_is_given_up_after_eight_frames() -> None:
    wire = Wire(lambda frame: bytes(len(frame)))
    with pytest.raises(LinkError):
        Port(wire).register(0x8003)
    assert len(wire.sent) == 8


def test_register_writes_are_numbered_in_turn_and_memory_takes_the_last_number() -> None:
    wire = Wire(lambda frame: _done(0xA, frame, bytes(4) if frame[0] >> 4 == 1 else b""))
    port = _port(wire, 14)
    port.set_register(0x8004, 1)
    port.set_register(0x8005, 2)
    port.read(0x10, 1)
    port.write(0x10, 1)
    assert [frame[0] for frame in wire.sent] == [0x2F, 0x20, 0x10, 0x20]


def test_a_register_write_whose_number_is_used_already_takes_the_next() -> None:
    wire = Wire(lambda frame: _done(0x9, frame), lambda frame: _done(0xA, frame))
    port = _port(wire, 4)
    port.set_register(0x8006, 77)
    assert [frame[0] & 15 for frame in wire.sent] == [5, 6]


def test_a_register_write_whose_answer_was_lost_is_not_done_twice() -> None:
    wire = Wire(lambda frame: bytes(len(frame)), lambda frame: _done(0x9, frame))
    port = _port(wire, 4)
    port.set_register(0x8002, 1)
    assert [frame[0] & 15 for frame in wire.sent] == [5, 5]


def test_a_device_that_calls_every_number_used_is_given_up() -> None:
    wire = Wire(lambda frame: _done(0x9, frame))
    with pytest.raises(LinkError):
        Port(wire).set_register(0x8002, 1)
