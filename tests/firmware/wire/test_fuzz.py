"""A million seeded mutations in each interpreter, and two thousand structured cases."""

import json
import os
import struct
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cobs import cobs
from hypothesis import given, settings
from hypothesis import strategies as st
from spacepackets.ccsds.spacepacket import PacketType, SequenceFlags, SpacePacketHeader

from ascnode_fw.wire import auth, packet
from ascnode_fw.wire.frame import MAX_BODY, MAX_FRAME, Deframer, encode
from ascnode_fw.wire.packet import PacketError, unpack_tc, unpack_tm
from unix_port import FIRMWARE, run_micropython

SCRIPT = Path(__file__).parent / "fuzz_loop.py"
MUTATIONS = 1_000_000
SEED = 20260101
DEADLINE_S = 300

structured = settings(derandomize=True, deadline=None, database=None)
# Runs of zeros and of other bytes, around the 254 that fill a COBS block.
runs = st.tuples(st.integers(0, 255), st.one_of(st.integers(1, 8), st.integers(252, 256)))
run_bodies = st.lists(runs, min_size=1, max_size=12).map(
    lambda parts: b"".join(bytes([value]) * count for value, count in parts)[:MAX_BODY]
)


def on_cpython() -> dict[str, object]:
    run = subprocess.run(
        [sys.executable, str(SCRIPT), str(MUTATIONS), str(SEED)],
        capture_output=True,
        timeout=DEADLINE_S,
        check=False,
        env={**os.environ, "PYTHONPATH": str(FIRMWARE)},
    )
    assert run.returncode == 0, run.stderr.decode()
    return json.loads(run.stdout)


def on_micropython() -> dict[str, object]:
    return json.loads(run_micropython(SCRIPT, str(MUTATIONS), str(SEED), timeout_s=DEADLINE_S))


def test_a_million_mutations_end_alike_in_both_interpreters() -> None:
    with ThreadPoolExecutor() as pool:
        other = pool.submit(on_micropython)
        counts = on_cpython()
        assert counts["mutations"] == MUTATIONS
        # Every branch was reached: each way to drop a frame, each code of the parsers and the verifier.
        assert (
            min(counts[name] for name in ("bad_crc", "bad_cobs", "too_long", "originals", "accepted")) > 1000
        )
        assert counts["frames"] == sum(counts["outcomes"])
        reached = {code for code, count in enumerate(counts["outcomes"]) if count}
        assert reached >= {
            auth.OK,
            *range(1, 7),
            auth.UNKNOWN_KEY,
            auth.BAD_MAC,
            auth.REPLAYED,
            auth.BEYOND_WINDOW,
        }
        assert reached >= {32 + code for code in range(7)}
        assert other.result() == counts


@settings(structured, max_examples=1000)
@given(run_bodies, st.integers(1, 300))
def test_encode_and_deframe_agree_with_the_cobs_package(body: bytes, chunk_bytes: int) -> None:
    out = bytearray(MAX_FRAME)
    frame = bytes(out[: encode(body, out)])
    assert frame == cobs.encode(body + struct.pack("<I", zlib.crc32(body))) + b"\0"
    deframer = Deframer()
    found = []
    for at in range(0, len(frame), chunk_bytes):
        deframer.push(frame[at : at + chunk_bytes])
        while (popped := deframer.pop()) is not None:
            found.append(bytes(popped))
    assert found == [body]


@settings(structured, max_examples=500)
@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=6))
def test_the_deframer_drops_what_the_cobs_package_drops(pieces: list[bytes]) -> None:
    # Pieces of anything with a zero behind each: some are frames, some are COBS, most are neither.
    stream = b"".join(
        cobs.encode(piece + struct.pack("<I", zlib.crc32(piece))) + b"\0" if piece[0] & 1 else piece + b"\0"
        for piece in pieces
    )
    deframer = Deframer()
    deframer.push(stream)
    found = []
    while (popped := deframer.pop()) is not None:
        found.append(bytes(popped))
    assert found == [body for body in map(reference_body, stream.split(b"\0")) if body]


def reference_body(stuffed: bytes) -> bytes | None:
    try:
        raw = cobs.decode(stuffed)
    except cobs.DecodeError:
        return None
    return raw[:-4] if struct.pack("<I", zlib.crc32(raw[:-4])) == raw[-4:] else None


headers = st.builds(
    lambda word, counted, length: struct.pack(">HHH", word, counted, length),
    st.one_of(st.integers(0, 0xFFFF), st.sampled_from([0x1AA5, 0x0AA5])),
    st.one_of(st.integers(0, 0xFFFF), st.just(0xD234)),
    st.integers(0, 60),
)


@settings(structured, max_examples=500)
@given(headers, st.binary(max_size=60), st.booleans())
def test_packets_are_judged_as_spacepackets_reads_them(header: bytes, rest: bytes, fits: bool) -> None:
    raw = header[:4] + struct.pack(">H", max(len(rest) - 1, 0)) + rest if fits else header + rest
    read = SpacePacketHeader.unpack(raw)
    for unpack, kind, least in ((unpack_tc, PacketType.TC, 29), (unpack_tm, PacketType.TM, 13)):
        faults = {
            packet.SHORT: len(raw) < least,
            packet.BAD_VERSION: read.ccsds_version != 0,
            packet.WRONG_TYPE: read.packet_type != kind,
            packet.NO_SECONDARY_HEADER: not read.sec_header_flag,
            packet.SEGMENTED: read.seq_flags != SequenceFlags.UNSEGMENTED,
            packet.LENGTH_MISMATCH: read.packet_len != len(raw),
        }
        expected = [code for code, wrong in faults.items() if wrong]
        try:
            fields = unpack(memoryview(raw))
        except PacketError as error:
            assert error.code == expected[0]
        else:
            assert expected == []
            assert fields[:2] == (read.apid, read.seq_count)
