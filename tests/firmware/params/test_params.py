"""The parameter store: limits, what survives a boot, a damaged file, other definitions, a power cut."""

import re
from pathlib import Path

import pytest

from ascnode_fw.flight.params import Params
from ascnode_fw.wire.dictionary import NOT_STORED, OUT_OF_LIMITS, UNKNOWN_PARAMETER
from firmware.wire.dict_store import DictStore
from unix_port import REPOSITORY, run_micropython

DEFINITIONS = (
    (7, "capacity", 1080000, 1, 1 << 29, "J"),
    (0x1203, "offset", -5, -200000, 200000, "cK"),
    (2, "points", 3, 1, 8, ""),
)
# Magic, version 1, two rows: (7, 0x12345678), (0x1203, -123456); zlib's CRC-32 of them; little-endian.
GOLDEN = bytes.fromhex("500102000700785634120312c01dfeffdc13c544")


def booted(image: bytes, definitions=DEFINITIONS) -> Params:
    return Params(DictStore({"params": image}), definitions)


def counted(params: Params) -> tuple[int, int, int]:
    return params.corrupt, params.unknown, params.out_of_limits


def test_defaults_until_something_is_set() -> None:
    store = DictStore()
    params = Params(store, DEFINITIONS)
    assert list(params.values) == [1080000, -5, 3]
    assert (params.get(0x1203), store.writes, counted(params)) == (-5, 0, (0, 0, 0))


def test_golden_file_bytes_both_ways() -> None:
    store = DictStore()
    params = Params(store, DEFINITIONS)
    assert (params.set(0x1203, -123456), params.set(7, 0x12345678)) == (0, 0)
    assert store.files == {"params": GOLDEN}
    assert list(booted(GOLDEN).values) == [0x12345678, -123456, 3]


def test_a_set_value_survives_boots_and_other_sets() -> None:
    store = DictStore()
    assert Params(store, DEFINITIONS).set(7, 4321) == 0
    assert Params(store, DEFINITIONS).set(2, 8) == 0
    assert list(Params(store, DEFINITIONS).values) == [4321, -5, 8]


@pytest.mark.parametrize(
    ("value", "code"), [(-200000, 0), (-200001, OUT_OF_LIMITS), (200000, 0), (200001, OUT_OF_LIMITS)]
)
def test_limits_are_inclusive(value: int, code: int) -> None:
    store = DictStore()
    params = Params(store, DEFINITIONS)
    assert params.set(0x1203, value) == code
    assert params.get(0x1203) == (-5 if code else value)
    assert store.writes == (0 if code else 1)


@pytest.mark.parametrize("value", [1 << 31, -(1 << 31) - 1, 1 << 64])
def test_a_value_of_any_size_is_refused_not_wrapped(value: int) -> None:
    assert Params(DictStore(), DEFINITIONS).set(7, value) == OUT_OF_LIMITS


def test_an_unknown_parameter_is_refused() -> None:
    store = DictStore()
    params = Params(store, DEFINITIONS)
    assert params.set(8, 1) == UNKNOWN_PARAMETER
    assert store.writes == 0
    with pytest.raises(KeyError):
        params.get(8)


def test_the_same_value_again_spares_the_flash() -> None:
    store = DictStore()
    params = Params(store, DEFINITIONS)
    assert [params.set(2, 5) for _ in range(10)] == [0] * 10
    assert store.writes == 1


def test_a_value_set_to_its_default_stays_when_the_default_moves() -> None:
    store = DictStore()
    assert Params(store, DEFINITIONS).set(2, 3) == 0
    moved = ((2, "points", 6, 1, 8, ""), (7, "capacity", 99, 1, 1 << 29, "J"))
    assert list(Params(store, moved).values) == [3, 99]


def test_a_full_flash_changes_nothing() -> None:
    store = DictStore()
    params = Params(store, DEFINITIONS)
    assert params.set(7, 4321) == 0
    store.failing = True
    assert params.set(7, 1234) == NOT_STORED
    assert params.set(2, 8) == NOT_STORED
    assert list(params.values) == [4321, -5, 3]
    store.failing = False
    assert params.set(0x1203, 1) == 0
    # 8 was never in force: the parameter follows its default as before.
    moved = (*DEFINITIONS[:2], (2, "points", 6, 1, 8, ""))
    assert list(Params(store, moved).values) == [4321, 1, 6]


def test_stored_ids_that_are_gone_are_ignored_and_counted() -> None:
    params = booted(GOLDEN, DEFINITIONS[1:])
    assert (list(params.values), counted(params)) == ([-123456, 3], (0, 1, 0))


def test_stored_values_outside_new_limits_get_their_default_and_are_counted() -> None:
    params = booted(GOLDEN, ((7, "capacity", 500, 1, 0x12345677, "J"), DEFINITIONS[1]))
    assert (list(params.values), counted(params)) == ([500, -123456], (0, 0, 1))


def test_every_flipped_bit_of_the_file_means_defaults() -> None:
    for bit in range(8 * len(GOLDEN)):
        damaged = bytearray(GOLDEN)
        damaged[bit // 8] ^= 1 << bit % 8
        params = booted(bytes(damaged))
        assert (list(params.values), counted(params)) == ([1080000, -5, 3], (1, 0, 0))


def test_every_truncation_of_the_file_means_defaults() -> None:
    for size in range(len(GOLDEN)):
        assert counted(booted(GOLDEN[:size])) == (1, 0, 0)
    assert counted(booted(GOLDEN + b"\0")) == (1, 0, 0)


@pytest.mark.parametrize(
    "image",
    [
        "500202000700785634120312c01dfeffa579b855",  # version 2
        "510102000700785634120312c01dfeff4d82adea",  # another magic
        "500103000700785634120312c01dfeffaaf2cad9",  # three rows announced, two there
    ],
)
def test_a_file_of_another_kind_with_a_valid_crc_means_defaults(image: str) -> None:
    assert counted(booted(bytes.fromhex(image))) == (1, 0, 0)


def test_after_a_damaged_file_parameters_can_be_set_again() -> None:
    store = DictStore({"params": b"\xff" * 40})
    params = Params(store, DEFINITIONS)
    assert params.set(2, 7) == 0
    assert list(Params(store, DEFINITIONS).values) == [1080000, -5, 7]


def test_an_unreadable_flash_means_defaults() -> None:
    store = DictStore({"params": GOLDEN})
    store.failing = True
    assert counted(Params(store, DEFINITIONS)) == (1, 0, 0)


def test_a_power_cut_at_every_write_leaves_the_old_or_the_new_value() -> None:
    script = Path(__file__).parent / "cut_params.py"
    printed = run_micropython(script, path=[REPOSITORY / "tests" / "boards"], heap="64M")
    (cuts,) = re.findall(r"^(\d+) cuts", printed, re.MULTILINE)
    assert int(cuts) >= 27
