"""Frames as bytes, and a host that loses them."""

import re
import zlib
from pathlib import Path

import pytest

from ascnode_gateware.bus.frames import (
    FrameError,
    RequestError,
    Status,
    read_request,
    with_crc,
    write_request,
)
from ascnode_gateware.bus.host import ATTEMPTS, Host, LinkError

PAGE = Path(__file__).resolve().parents[3] / "docs" / "accelerator-spi.md"
# CRCs by a bit-by-bit program of the polynomial; its check value for "123456789" is 0xcbf43926.
READ_ID = bytes.fromhex("13008001 b08f6c2f") + bytes(14)
ID_ANSWER = bytes(10) + bytes.fromhex("a3 000000 4153434e bbcdc7f6")
WRITE = bytes.fromhex("25341201 198d399a 78563412 d2876daf") + bytes(10)
WRITE_ANSWER = bytes(18) + bytes.fromhex("a5 000000 eab8be74")


def answering(exchange, *answers):
    """The exchange's result when its frames are answered so; a list of the frames, and the result."""
    frames, left = [next(exchange)], list(answers)
    try:
        while left:
            frames.append(exchange.send(left.pop(0)))
    except StopIteration as stop:
        return frames, stop.value
    return frames, None


def answer(status, number, words=b"", before=18):
    content = with_crc(bytes([status << 4 | number]) + words)
    return bytes(before) + content[:1] + bytes(3) + content[1:]


def test_frames_are_the_bytes_of_the_page():
    assert read_request(3, 0x8000, 1).encode() == READ_ID
    assert read_request(3, 0x8000, 1).decode(ID_ANSWER).words == (int.from_bytes(b"ASCN", "little"),)
    assert write_request(5, 0x1234, [0x12345678]).encode() == WRITE
    assert write_request(5, 0x1234, [0x12345678]).decode(WRITE_ANSWER).status == Status.OK
    shown = [
        bytes.fromhex(line) for line in re.findall(r"^((?:[0-9a-f]{2} ?)+)$", PAGE.read_text(), re.MULTILINE)
    ]
    assert shown == [READ_ID, ID_ANSWER, WRITE, WRITE_ANSWER]


def test_page_tells_every_status():
    for status in Status:
        assert f"| {status.value:#x} |" in PAGE.read_text()


def test_crc_is_zlibs():
    assert zlib.crc32(b"123456789") == 0xCBF43926
    assert with_crc(b"123456789")[-4:] == bytes.fromhex("2639f4cb")


@pytest.mark.parametrize(
    "received",
    [
        ID_ANSWER[:-1],
        bytes(len(ID_ANSWER)),
        b"\xff" * len(ID_ANSWER),
        ID_ANSWER[:-1] + bytes([ID_ANSWER[-1] ^ 0x10]),
        answer(Status.OK, 4, b"ASCN", before=10),
        answer(8, 3, b"ASCN", before=10),
        b"",
    ],
    ids=["cut", "silent", "stuck", "wrong CRC", "another frame's", "unknown status", "nothing"],
)
def test_what_is_no_answer_is_refused(received):
    with pytest.raises(FrameError):
        read_request(3, 0x8000, 1).decode(received)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: read_request(0, 0x7FFF, 2), "reach past 0x7fff"),
        (lambda: read_request(0, 0xFFF0, 17), "reach past 0xffff"),
        (lambda: read_request(0, -1, 1), "reach past"),
        (lambda: read_request(16, 0, 1), "sequence number 16"),
        (lambda: read_request(0, 0, 256), "at most 255 words, not 256"),
        (lambda: write_request(0, 0x8000, [1, 2]), "one word, not 2"),
        (lambda: next(Host().write(0x8002, [1])), "is a register's"),
    ],
)
def test_request_that_no_frame_can_carry_is_refused(build, message):
    with pytest.raises(RequestError, match=message):
        build()


def test_host_sends_the_same_frame_until_it_is_answered():
    frames, result = answering(
        Host(4).write(0x1234, [1]), b"", answer(Status.CRC_ERROR, 4), bytes(26), answer(Status.OK, 4)
    )
    assert len(set(frames)) == 1
    assert len(frames) == 4
    assert result is None


def test_host_gives_up_with_the_last_reason():
    exchange = Host().read(0, 1)
    next(exchange)
    with pytest.raises(
        LinkError, match=f"{ATTEMPTS} attempts at frame 1 failed; the last: no answer to frame 1"
    ):
        for _ in range(ATTEMPTS):
            exchange.send(bytes(40))


def test_host_cuts_long_transfers_into_frames():
    words = list(range(600))
    host = Host(2)
    frames = []
    exchange = host.write(0x100, words)
    frame = next(exchange)
    try:
        while True:
            frames.append(frame)
            frame = exchange.send(answer(Status.OK, 2, before=len(frame) - 8))
    except StopIteration:
        pass
    assert [(int.from_bytes(f[1:3], "little"), f[3]) for f in frames] == [
        (0x100, 255),
        (0x1FF, 255),
        (0x2FE, 90),
    ]
    assert b"".join(f[8:-14] for f in frames) == b"".join(word.to_bytes(4, "little") for word in words)


def test_lost_answer_of_a_register_write_is_not_done_twice():
    frames, _ = answering(Host(6).write_register(0x8002, 1), bytes(26), answer(Status.REPEATED, 7))
    assert len(frames) == 2
    assert frames[0] == frames[1]


def test_number_in_use_is_given_up_for_the_next():
    frames, _ = answering(
        Host(15).write_register(0x8002, 1), answer(Status.REPEATED, 0), answer(Status.OK, 1)
    )
    assert [frame[0] & 15 for frame in frames] == [0, 1]


def test_rejected_frame_is_not_sent_again():
    with pytest.raises(RequestError, match="rejected frame 1"):
        answering(Host().write(0, [1]), answer(Status.REJECTED, 1, before=18))
