"""Frames: golden bytes of the `cobs` package and zlib, and a stream that misbehaves."""

import struct
import zlib

import pytest
from cobs import cobs

from ascnode_fw.wire.frame import MAX_BODY, MAX_FRAME, Deframer, encode, frame_size

# PyPI cobs over a body with a zero in it, and CRC-32's published check value 0xCBF43926 for "123456789".
GOLDEN = (
    (b"123456789", "0e3132333435363738392639f4cb00"),
    (
        bytes.fromhex("021aa5d234001abeef123456789ac0ffee01cd07dc0e86f210728557ecaa0a3ac09d"),
        "06021aa5d234211abeef123456789ac0ffee01cd07dc0e86f210728557ecaa0a3ac09d17d11c1c00",
    ),
)


def encoded(body: bytes) -> bytes:
    out = bytearray(MAX_FRAME)
    return bytes(out[: encode(body, out)])


def reference(body: bytes) -> bytes:
    return cobs.encode(body + struct.pack("<I", zlib.crc32(body))) + b"\0"


def bodies(deframer: Deframer, *chunks: bytes) -> list[bytes]:
    found = []
    for chunk in chunks:
        deframer.push(chunk)
        while (body := deframer.pop()) is not None:
            found.append(bytes(body))
    return found


def counters(deframer: Deframer) -> dict[str, int]:
    return {name: getattr(deframer, name) for name in ("frames", "bad_crc", "bad_cobs", "too_long")}


def only(**counted: int) -> dict[str, int]:
    return {"frames": 0, "bad_crc": 0, "bad_cobs": 0, "too_long": 0, **counted}


@pytest.mark.parametrize(("body", "frame"), GOLDEN)
def test_golden_bytes_both_ways(body: bytes, frame: str) -> None:
    assert encoded(body).hex() == frame
    assert bodies(Deframer(), bytes.fromhex(frame)) == [body]


def patterns() -> list[bytes]:
    # Runs around the 254 bytes of a full block, with and without zeros at their ends.
    found = []
    for run in (1, 2, 249, 250, 251, 253, 254, 255, 503, 504, 505, 508, 1012, 1016):
        block = bytes(index % 255 + 1 for index in range(run))
        found += [block, b"\0" + block, block + b"\0", block + b"\0\0\x07"]
    return [body for body in found if len(body) <= MAX_BODY] + [bytes(size) for size in (1, 5, MAX_BODY)]


@pytest.mark.parametrize("body", patterns(), ids=lambda body: f"{len(body)}-{zlib.crc32(body):08x}")
def test_every_block_length_is_what_the_cobs_package_writes(body: bytes) -> None:
    assert encoded(body) == reference(body)
    assert bodies(Deframer(), reference(body)) == [body]


def test_the_longest_frame_is_as_long_as_announced() -> None:
    assert len(encoded(b"\xa5" * MAX_BODY)) == frame_size(MAX_BODY) == MAX_FRAME == 1034


@pytest.mark.parametrize("size", [0, MAX_BODY + 1])
def test_a_body_of_forbidden_length_is_refused_with_both_lengths(size: int) -> None:
    with pytest.raises(ValueError, match=rf"body of {size} bytes, allowed are 1 to 1024"):
        encode(b"\x55" * size, bytearray(2 * MAX_FRAME))


def test_a_short_output_buffer_is_refused_with_both_lengths() -> None:
    with pytest.raises(ValueError, match="frame needs up to 15 bytes, the buffer has 14"):
        encode(b"123456789", bytearray(14))


def test_frames_are_found_behind_junk_and_in_pairs() -> None:
    deframer = Deframer()
    first, second = encoded(b"\x01first"), encoded(b"\x02second")
    assert bodies(deframer, b"\x37junk\0" + first + second) == [b"\x01first", b"\x02second"]
    assert counters(deframer) == only(frames=2, bad_cobs=1)


def test_half_a_frame_waits_for_the_other_half() -> None:
    deframer = Deframer()
    frame = encoded(b"\x02\x12\x34\x56\x78")
    assert bodies(deframer, frame[:5]) == []
    assert bodies(deframer, frame[5:]) == [b"\x02\x12\x34\x56\x78"]


def test_bytes_may_come_one_by_one() -> None:
    deframer = Deframer()
    sent = [b"\x02" + bytes([n, 0, n]) * n for n in range(1, 40)]
    stream = b"".join(encoded(body) for body in sent)
    assert bodies(deframer, *(stream[at : at + 1] for at in range(len(stream)))) == sent


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_bytes_like_chunk_of_any_size_is_taken(kind: type) -> None:
    sent = [bytes([3, n & 255, n >> 8]) * (n % 300 + 1) for n in range(400)]
    assert bodies(Deframer(), kind(b"".join(encoded(body) for body in sent))) == sent


def test_two_pushes_before_a_pop_lose_nothing() -> None:
    deframer = Deframer()
    sent = [bytes([n]) * 1000 for n in range(1, 9)]
    for body in sent:
        deframer.push(encoded(body))
    assert bodies(deframer, b"") == sent


def test_zeros_between_frames_are_silent() -> None:
    deframer = Deframer()
    assert bodies(deframer, b"\0\0\0" + encoded(b"\x01x") + b"\0\0") == [b"\x01x"]
    assert counters(deframer) == only(frames=1)


def test_a_frame_shorter_than_its_crc_is_counted() -> None:
    deframer = Deframer()
    # An empty body has the CRC-32 0 and would pass for intact; a frame carries at least one byte.
    assert bodies(deframer, cobs.encode(bytes(4)) + b"\0" + cobs.encode(b"abc") + b"\0") == []
    assert counters(deframer) == only(bad_crc=2)


def test_every_flipped_bit_of_a_frame_is_noticed() -> None:
    body = bytes.fromhex("020012345600789abc")
    frame = encoded(body)
    for bit in range(8 * (len(frame) - 1)):
        damaged = bytearray(frame)
        damaged[bit // 8] ^= 1 << bit % 8
        deframer = Deframer()
        assert bodies(deframer, damaged + encoded(b"\x02next")) == [b"\x02next"]
        assert deframer.bad_crc + deframer.bad_cobs >= 1


def test_every_truncation_of_a_frame_is_noticed() -> None:
    frame = encoded(bytes.fromhex("020012345600789abc"))
    for size in range(1, len(frame) - 1):
        deframer = Deframer()
        assert bodies(deframer, frame[:size] + b"\0" + encoded(b"\x02next")) == [b"\x02next"]
        assert deframer.bad_crc + deframer.bad_cobs == 1


@pytest.mark.parametrize("chunk_bytes", [1, 7, 600, 100_000])
def test_an_endless_frame_is_counted_once_and_forgotten(chunk_bytes: int) -> None:
    deframer = Deframer()
    stream = b"\xee" * 50_000 + b"\0" + encoded(b"\x01after")
    chunks = (stream[at : at + chunk_bytes] for at in range(0, len(stream), chunk_bytes))
    assert bodies(deframer, *chunks) == [b"\x01after"]
    assert counters(deframer) == only(frames=1, too_long=1)


@pytest.mark.parametrize("chunk_bytes", [1, 1034, 5000])
@pytest.mark.parametrize(("size", "cause"), [(1033, "bad_cobs"), (1034, "too_long")])
def test_how_a_frame_is_counted_does_not_depend_on_the_chunks(
    size: int, cause: str, chunk_bytes: int
) -> None:
    deframer = Deframer()
    stream = b"\x01\x02\0" + b"\xee" * size + b"\0"
    bodies(deframer, *(stream[at : at + chunk_bytes] for at in range(0, len(stream), chunk_bytes)))
    assert getattr(deframer, cause) == (2 if cause == "bad_cobs" else 1)


def test_a_valid_frame_one_byte_over_the_limit_is_refused() -> None:
    deframer = Deframer(max_body=20)
    assert bodies(deframer, encoded(b"\x01" * 20) + encoded(b"\x01" * 21)) == [b"\x01" * 20]
    assert counters(deframer) == only(frames=1, too_long=1)
    # Full of zeros, a body too long fits in fewer bytes than the longest frame.
    deframer = Deframer()
    assert bodies(deframer, reference(bytes(MAX_BODY + 1))) == []
    assert counters(deframer) == only(too_long=1)


def test_memory_stays_bounded_whatever_comes() -> None:
    deframer = Deframer()
    for _ in range(200):
        assert bodies(deframer, b"\x5a" * 10_000) == []
    assert len(deframer._raw) < 2048
    assert deframer._rest is None
