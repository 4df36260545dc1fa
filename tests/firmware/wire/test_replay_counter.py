"""The stored anti-replay counter: few writes, never back, closed when it cannot know."""

import re
from pathlib import Path

import pytest

from ascnode_fw.wire import auth
from ascnode_fw.wire.auth import SEQUENCE_MAX, WINDOW, ReplayCounter
from firmware.wire.dict_store import DictStore
from unix_port import REPOSITORY, run_micropython

# The mark 0x0A1B2C3D and zlib's CRC-32 of its four bytes, little-endian, twice; then the next mark.
GOLDEN = bytes.fromhex("3d2c1b0a6062b15b3d2c1b0a6062b15b")
GOLDEN_NEXT = bytes.fromhex("3e2c1b0a8ecd04493e2c1b0a8ecd0449")


def booted(stored: bytes) -> ReplayCounter:
    return ReplayCounter(DictStore({"counter": stored}), "counter")


def test_one_write_reserves_64_numbers() -> None:
    store = DictStore()
    counter = ReplayCounter(store, "counter")
    assert [counter.accept(sequence) for sequence in range(1, 1001)] == [auth.OK] * 1000
    assert store.writes == counter.writes == 16


def test_a_boot_resumes_above_everything_used() -> None:
    store = DictStore()
    counter = ReplayCounter(store, "counter")
    for sequence in range(1, 71):
        assert counter.accept(sequence) == auth.OK
    rebooted = ReplayCounter(store, "counter")
    assert rebooted.last == 128
    assert [rebooted.accept(sequence) for sequence in (70, 71, 128)] == [auth.REPLAYED] * 3
    assert rebooted.accept(129) == auth.OK


def test_booting_alone_writes_nothing() -> None:
    store = DictStore()
    ReplayCounter(store, "counter").accept(1)
    for _ in range(100):
        assert ReplayCounter(store, "counter").last == 64
    assert store.writes == 1


def test_golden_file_bytes_both_ways() -> None:
    store = DictStore({"counter": GOLDEN})
    counter = ReplayCounter(store, "counter", ahead=1)
    assert counter.last == 0x0A1B2C3D
    assert counter.accept(0x0A1B2C3E) == auth.OK
    assert store.files["counter"] == GOLDEN_NEXT


def test_one_flipped_bit_of_the_file_costs_nothing() -> None:
    for bit in range(8 * len(GOLDEN)):
        damaged = bytearray(GOLDEN)
        damaged[bit // 8] ^= 1 << bit % 8
        assert booted(bytes(damaged)).last == 0x0A1B2C3D


def test_two_damaged_copies_close_the_gate_for_good() -> None:
    damaged = bytearray(GOLDEN)
    damaged[0] ^= 0x80
    damaged[9] ^= 0x01
    counter = booted(bytes(damaged))
    assert [counter.accept(sequence) for sequence in (1, 0x0A1B2C3E)] == [auth.COUNTER_LOST] * 2


@pytest.mark.parametrize("size", range(8))
def test_a_file_cut_short_is_no_fresh_start(size: int) -> None:
    assert booted(GOLDEN[:size]).accept(1) == auth.COUNTER_LOST


def test_an_unreadable_flash_is_no_fresh_start() -> None:
    store = DictStore({"counter": GOLDEN})
    store.failing = True
    assert ReplayCounter(store, "counter").accept(0x0A1B2C3E) == auth.COUNTER_LOST


def test_a_number_that_cannot_be_reserved_is_not_used() -> None:
    store = DictStore()
    counter = ReplayCounter(store, "counter")
    store.failing = True
    assert counter.accept(1) == auth.COUNTER_NOT_STORED
    store.failing = False
    assert counter.accept(1) == auth.OK


def test_the_window_ends_where_it_says() -> None:
    counter = booted(GOLDEN)
    assert counter.accept(0x0A1B2C3D + WINDOW + 1) == auth.BEYOND_WINDOW
    assert counter.accept(0x0A1B2C3D + WINDOW) == auth.OK
    assert counter.accept(0x0A1B2C3D + WINDOW) == auth.REPLAYED


def test_the_last_number_is_the_last() -> None:
    store = DictStore()
    counter = ReplayCounter(store, "counter", window=SEQUENCE_MAX + 1)
    assert counter.accept(SEQUENCE_MAX + 1) == auth.BEYOND_WINDOW
    assert counter.accept(SEQUENCE_MAX) == auth.OK
    assert counter.reserved < 1 << 30
    assert ReplayCounter(store, "counter").accept(SEQUENCE_MAX) == auth.REPLAYED


@pytest.mark.parametrize(("script", "least"), [("cut_counter.py", 18), ("cut_counter_chain.py", 100)])
def test_no_power_cut_makes_a_number_pass_twice(script: str, least: int) -> None:
    path = [REPOSITORY / "tests" / "boards"]
    printed = run_micropython(Path(__file__).parent / script, path=path, heap="64M")
    (cuts,) = re.findall(r"^(\d+) cuts", printed, re.MULTILINE)
    assert int(cuts) >= least
