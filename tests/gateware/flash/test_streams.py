"""Thousands of blocks through the streamer, with wrong bits, a host that takes the flash away, and a full ring.

Whatever happens, what was committed is what the flash holds, and a stream that did not bring all of it says so.
"""

import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from ascnode_gateware.program.flash_blocks import BLOCK_BYTES, pack_stream
from ascnode_gateware.registers.table import ErrorCode
from ascnode_gateware.rtl.flash_stream import flash_stream_verilog
from ascnode_gateware.sim.build import HEADERS
from ascnode_gateware.sim.verilator import build_executable

MAIN = Path(__file__).parent / "streams_main.cpp"
RUN_DEADLINE_S = 60
HEAD = struct.Struct("<5I")
SETUP_CYCLES = 700  # three commands, each with 128 cycles of rest, and the read command
DEADLINE_BITS = 12
FAST_BUILD = ("-MAKEFLAGS", "OPT_FAST=-O1 OPT_GLOBAL=-O0")  # -O2 takes longer than it saves


@dataclass(frozen=True)
class Stream:
    error: int
    crc_errors: int
    commits: int
    cycles: int
    words: np.ndarray


@pytest.fixture(scope="module")
def simulator(request, tmp_path_factory):
    source = tmp_path_factory.mktemp("flash") / "flash_stream.v"
    source.write_text(flash_stream_verilog(DEADLINE_BITS))
    cache = Path(request.config.cache.mkdir("verilator"))
    flags = ["-Wno-fatal", *FAST_BUILD]
    return build_executable([source], "flash_stream", MAIN, cache, flags=flags, headers=HEADERS)


@pytest.fixture
def run(simulator):
    """Words of the flash and what the streams brought, as run(blocks=..., ...)."""

    def go(blocks=1, address=0x0, image=None, **plan):
        words = np.random.default_rng(plan.get("seed", 1)).integers(0, 1 << 32, 64 * blocks, np.uint32)
        contents = bytes(address) + (pack_stream(words) if image is None else image(words))
        options = [
            f"{name}={value}" for name, value in {**plan, "blocks": blocks, "address": address}.items()
        ]
        done = subprocess.run(
            [simulator, *options], input=contents, capture_output=True, timeout=RUN_DEADLINE_S, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        return words, list(parse(done.stdout))

    return go


def parse(output):
    at = 0
    while at < len(output):
        error, crc_errors, commits, cycles, count = HEAD.unpack_from(output, at)
        at += HEAD.size
        yield Stream(error, crc_errors, commits, cycles, np.frombuffer(output, "<u4", count, at))
        at += 4 * count


def check(words, stream):
    """Never a wrong word; all of them, or an error."""
    np.testing.assert_array_equal(stream.words, words[: len(stream.words)])
    assert stream.error or len(stream.words) == len(words)


def test_stream_brings_every_word_at_eight_cycles_each(run):
    words, [stream] = run(blocks=40)
    np.testing.assert_array_equal(stream.words, words)
    assert (stream.error, stream.crc_errors, stream.commits) == (ErrorCode.NONE, 0, 40)
    assert stream.cycles < SETUP_CYCLES + 40 * 2 * BLOCK_BYTES + 20


@pytest.mark.parametrize("address", [0x4, 0x1000, 0xABCDEC])
def test_stream_starts_at_its_address(run, address):
    words, [stream] = run(blocks=3, address=address)
    np.testing.assert_array_equal(stream.words, words)


@pytest.mark.parametrize("delay", [0, 1, 2])
def test_sample_delay_takes_in_a_slow_flash(run, delay):
    words, [stream] = run(blocks=20, delay=delay, sample_delay=delay, ring=2, use=700, stall=0.3)
    np.testing.assert_array_equal(stream.words, words)
    assert stream.crc_errors == 0


@pytest.mark.parametrize(("delay", "sample_delay"), [(1, 0), (2, 0), (0, 1), (2, 1), (0, 2), (1, 2)])
def test_wrong_sample_delay_is_an_error_not_wrong_words(run, delay, sample_delay):
    _, [stream] = run(blocks=20, delay=delay, sample_delay=sample_delay)
    assert (stream.error, stream.commits) == (ErrorCode.FLASH, 0)


@pytest.mark.parametrize("delay", [0, 2])
@pytest.mark.parametrize("stall", [0.1, 0.5, 0.98])
def test_words_wait_for_a_busy_memory_without_loss(run, delay, stall):
    words, [stream] = run(blocks=30, delay=delay, sample_delay=delay, stall=stall, use=0)
    np.testing.assert_array_equal(stream.words, words)
    assert stream.crc_errors == 0


@pytest.mark.parametrize("delay", [0, 2])
def test_word_taken_in_its_second_cycle_costs_no_time(run, delay):
    cycles = {}
    for late in (0, 1, 9):
        words, [stream] = run(blocks=20, late=late, use=0, delay=delay, sample_delay=delay)
        np.testing.assert_array_equal(stream.words, words)
        cycles[late] = stream.cycles
    assert cycles[0] == cycles[1] < cycles[9]


def test_full_ring_stops_the_clock_for_as_long_as_it_takes(run):
    words, [stream] = run(blocks=20, ring=1, use=20000)
    np.testing.assert_array_equal(stream.words, words)
    assert stream.crc_errors == 0
    assert stream.cycles > 20 * 5000


@pytest.mark.parametrize("error_rate", [1e-6, 1e-5, 1e-4, 3e-4])
def test_no_wrong_bit_reaches_a_committed_block(run, error_rate):
    words, streams = run(blocks=500, streams=4, error_rate=error_rate, use=0, seed=int(error_rate * 1e7))
    for stream in streams:
        check(words, stream)
    expected = sum(stream.commits + stream.crc_errors for stream in streams) * (1 - (1 - error_rate) ** 2080)
    seen = sum(stream.crc_errors for stream in streams)
    assert abs(seen - expected) < 5 * expected**0.5 + 3


def test_many_wrong_bits_end_every_stream_with_an_error(run):
    words, streams = run(blocks=4, streams=200, error_rate=2e-3, use=0)
    for stream in streams:
        check(words, stream)
        assert stream.error
    given_up = [stream for stream in streams if stream.error == ErrorCode.STREAM_CRC]
    assert len(given_up) > 50
    assert all(stream.crc_errors >= 4 for stream in given_up)


def test_wrong_block_is_read_four_times_then_given_up(run):
    def spoiled(words):
        image = bytearray(pack_stream(words))
        image[2 * BLOCK_BYTES + 77] ^= 0x10
        return bytes(image)

    words, [stream] = run(blocks=5, image=spoiled)
    check(words, stream)
    assert (stream.error, stream.commits, stream.crc_errors) == (ErrorCode.STREAM_CRC, 2, 4)


@pytest.mark.parametrize("byte", range(0, BLOCK_BYTES, 37))
@pytest.mark.parametrize("bit", [0, 3, 4, 7])
def test_one_wrong_bit_anywhere_in_the_block_is_found(run, byte, bit):
    def spoiled(words):
        image = bytearray(pack_stream(words))
        image[byte] ^= 1 << bit
        return bytes(image)

    _, [stream] = run(blocks=2, image=spoiled)
    assert (stream.error, stream.commits) == (ErrorCode.STREAM_CRC, 0)


@pytest.mark.parametrize("hold", [500, 2000, 10000])
def test_grant_may_be_taken_away_at_any_time(run, hold):
    words, streams = run(
        blocks=30, streams=8, hold=hold, delay=1, sample_delay=1, stall=0.2, seed=hold, limit=4e7
    )
    for stream in streams:
        check(words, stream)
        assert stream.crc_errors == 0
    if hold > 1000:
        assert all(len(stream.words) == len(words) for stream in streams)


def test_no_grant_is_an_error_at_the_deadline(run):
    _, [stream] = run(blocks=3, grant_wait=-1)
    assert (stream.error, stream.commits) == (ErrorCode.FLASH, 0)
    assert abs(stream.cycles - (1 << DEADLINE_BITS - 1)) < 10


@pytest.mark.parametrize("absent", [1, 2, 3])
def test_absent_flash_is_an_error(run, absent):
    _, streams = run(blocks=3, streams=50, absent=absent)
    for stream in streams:
        assert stream.error in (ErrorCode.FLASH, ErrorCode.STREAM_CRC)
        assert stream.commits == 0


def test_flash_whose_quad_mode_is_off_is_an_error(run):
    _, [stream] = run(blocks=3, quad=0)
    assert (stream.error, stream.commits, stream.crc_errors) == (ErrorCode.FLASH, 0, 0)


def test_abort_ends_a_stream_in_any_state_and_the_next_one_is_whole(run):
    words, streams = run(blocks=6, streams=400, abort=2500, hold=4000, delay=2, sample_delay=2, stall=0.3)
    whole = sum(len(stream.words) == len(words) for stream in streams)
    for stream in streams:
        np.testing.assert_array_equal(stream.words, words[: len(stream.words)])
        assert stream.error == ErrorCode.NONE
    assert 20 < whole < 380


def test_no_blocks_are_no_stream(run):
    _, [stream] = run(blocks=0, image=lambda words: bytes(BLOCK_BYTES))
    assert (stream.error, stream.commits, stream.cycles) == (ErrorCode.NONE, 0, 1)


def test_everything_at_once(run):
    slow = {"delay": 1, "sample_delay": 1, "stall": 0.4, "ring": 2, "use": 900}
    words, streams = run(blocks=8, streams=200, error_rate=5e-5, hold=9000, abort=40000, **slow)
    for stream in streams:
        np.testing.assert_array_equal(stream.words, words[: len(stream.words)])
    assert sum(len(stream.words) == len(words) for stream in streams) > 60
