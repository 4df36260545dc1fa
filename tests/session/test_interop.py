"""The host's frames and messages against the firmware's own, and against bytes worked out by hand."""

import random
import struct
import zlib

import pytest

from ascnode.errors import SessionError
from ascnode.session import frames, messages, telemetry
from ascnode.session.commanding import Commander
from ascnode.twin.store import MemoryStore
from ascnode_fw import link
from ascnode_fw.wire import dictionary as d
from ascnode_fw.wire.auth import ReplayCounter, Verifier
from ascnode_fw.wire.frame import Deframer
from session.fake_board import frame


def test_a_frame_is_cobs_of_body_and_little_endian_crc() -> None:
    # By hand: body 11 00 22; CRC-32 (zlib) appended little-endian; zeros become distances.
    crc = struct.pack("<I", zlib.crc32(b"\x11\x00\x22"))
    assert crc.count(0) == 0
    assert frames.encode(b"\x11\x00\x22") == b"\x02\x11\x06\x22" + crc + b"\x00"


def test_host_and_firmware_read_each_others_frames() -> None:
    rng = random.Random(7)
    bodies = [rng.randbytes(rng.choice((1, 2, 253, 254, 255, 508, 1023, 1024))) for _ in range(200)]
    host, board = frames.Deframer(), Deframer()
    for body in bodies:
        assert host.feed(frame(body)) == [body]
        board.push(frames.encode(body))
        assert bytes(board.pop() or b"") == body


def test_the_host_drops_what_is_damaged_and_counts_it() -> None:
    deframer = frames.Deframer()
    good = frames.encode(b"good")
    bad = bytearray(frames.encode(b"damaged"))
    bad[3] ^= 0x10
    assert deframer.feed(good[:3]) == []
    assert deframer.feed(good[3:] + bytes(bad) + good) == [b"good", b"good"]
    assert deframer.bad == 1


def test_the_host_holds_no_more_than_a_frame_of_endless_noise() -> None:
    deframer = frames.Deframer()
    for _ in range(100):
        assert deframer.feed(b"\x55" * 10_000) == []
        assert len(deframer._rest) <= frames.LONGEST + 1
    assert deframer.feed(b"\0" + frames.encode(b"after")) == [b"after"]


def test_an_exchange_has_the_bytes_that_the_link_module_says() -> None:
    event = messages.environment(0x1234_5678 * 1_000_000 + 999_000, 1, 0x0203, 0x0304, 0x0400)
    (body,) = messages.exchange(0x1234_5679 * 1_000_000 + 7_000, [event], 2, 1024)
    assert body.hex() == (
        "0102"
        + "00000000"  # no session, no number
        + "02"
        + "00"
        + "12345679"
        + "0007"
        + "01"
        + "12345678"
        + "03e7"
        + "02"
        + "0008"
        + "0001020303040400"
    )


def test_an_event_never_comes_before_its_time() -> None:
    # 1.0004 s is sent as 1.001 s
    assert messages.radio_lock(1_000_400, True).pack() == bytes.fromhex(
        "00000001" + "0001" + "03" + "0001" + "01"
    )


def test_a_reply_cut_short_at_any_byte_is_an_error_not_a_crash() -> None:
    head = struct.pack(link.DONE_FORMAT, 0, 0, 60, 2, 60, 0, 0x12345678, 1, 5, 6, 2)
    packet = struct.pack(link.OUTPUT_FORMAT, 59, 500, 4) + b"abcd"
    body = bytes((d.SIM, link.DONE, 0, 1, 0, 7)) + head + packet + packet
    assert messages.parse_done(body).outputs[1] == messages.Output(59_500_000, b"abcd")
    for size in range(6, len(body)):
        with pytest.raises(SessionError, match="cut short"):
            messages.parse_done(body[:size])


def test_commands_pass_the_firmwares_verifier_once() -> None:
    key = bytes(range(32))
    verifier = Verifier({0: key}, {0: ReplayCounter(MemoryStore({}), "sequence0")})
    packet = memoryview(Commander(key).packet("cap_power", 0x12345))
    assert verifier.check(packet) == 0
    assert verifier.telecommand is not None
    assert bytes(verifier.telecommand.arguments) == bytes.fromhex("00012345")
    assert verifier.check(packet) == 10  # replayed
    assert verifier.check(memoryview(Commander(b"x" * 32, sequence=5).packet("ping"))) == 9  # not authentic


def test_a_command_that_the_dictionary_lacks_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        Commander(bytes(32)).packet("open_pod_bay_doors")


@pytest.mark.parametrize("data", [b"", b"\x0a", bytes(12), bytes(range(40)), b"\xff" * 40])
def test_what_is_no_telemetry_is_a_session_error(data: bytes) -> None:
    with pytest.raises(SessionError):
        telemetry.decode(data)


def test_every_row_of_the_dictionary_is_in_its_place() -> None:
    """Numbers are used as places in the tables: a row moved is a command misread."""
    for table in (d.COMMANDS, d.TELEMETRY, d.EVENTS):
        assert [row[0] for row in table] == list(range(1, len(table) + 1))
    assert [row[0] for row in d.PARAMETERS] == list(range(len(d.PARAMETERS)))
    for number, name, default, low, high, _ in d.PARAMETERS:
        assert low <= default <= high, (number, name)
    for _, name, layout, fields, *_ in (*d.COMMANDS, *d.TELEMETRY):
        assert len(struct.unpack(layout, bytes(struct.calcsize(layout)))) == len(fields), name
    assert len({code for code, _ in d.CODES}) == len(d.CODES)
