"""Images and configurations that are refused, on CPython and on MicroPython."""

from array import array
from pathlib import Path

import pytest

from ascnode.scenario.hardware import Hardware, plant_image, plant_words
from ascnode_fw.plant import config
from ascnode_fw.plant import layout as at
from firmware.plant.nodes import image_of
from unix_port import run_micropython

IMAGE = plant_image(Hardware(), 1000)
WORDS = plant_words(Hardware(), 1000)


def with_words(**changes: int) -> bytes:
    """The image with some words changed and a good CRC-32."""
    words = WORDS[:]
    for name, value in changes.items():
        words[getattr(at, name)] = value
    return image_of(words)


def test_an_image_is_little_endian_words_behind_its_header() -> None:
    # Golden: step_ms 1000, k 0, and the array's 472,093 mW = 0x7341D as the fourth word.
    assert IMAGE[:8] == b"APLT\x01\x00\xf5\x00"
    assert IMAGE[8:16] == b"\xe8\x03\x00\x00\x00\x00\x00\x00"
    assert IMAGE[20:24] == b"\x1d\x34\x07\x00"
    assert len(IMAGE) == 8 + 4 * 245 + 4
    assert config.load(IMAGE) == WORDS


@pytest.mark.parametrize("at_byte", range(0, len(IMAGE), 7))
def test_a_flipped_bit_anywhere_is_refused(at_byte: int) -> None:
    broken = bytearray(IMAGE)
    broken[at_byte] ^= 1 << at_byte % 8
    with pytest.raises(ValueError, match="plant image: "):
        config.load(bytes(broken))


@pytest.mark.parametrize("length", [0, 1, 7, 8, 12, len(IMAGE) - 1])
def test_a_cut_image_is_refused_with_both_lengths(length: int) -> None:
    with pytest.raises(ValueError, match=f"{length} bytes where 992 are due"):
        config.load(IMAGE[:length])


def test_an_image_with_something_behind_it_is_refused() -> None:
    with pytest.raises(ValueError, match="993 bytes where 992 are due"):
        config.load(IMAGE + b"\0")


@pytest.mark.parametrize(
    ("image", "complaint"),
    [
        (image_of(WORDS, magic=b"ABCD"), "does not begin as one"),
        (image_of(WORDS, version=2), "version 2 where this firmware reads 1"),
        (image_of(WORDS, count=244), "244 words where 245 are due"),
        (IMAGE[:-4] + b"\x78\x56\x34\x12", "CRC-32"),
    ],
)
def test_an_image_of_something_else_is_refused(image: bytes, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        config.load(image)


HOSTILE = [
    ({"STEP_MS": 0}, "step_ms = 0 lies outside"),
    ({"SCALE_K": -1}, "scale_k"),
    ({"NET_MAX_PW": 0}, "net_max_pw"),
    ({"CAPACITY_J": 0}, "capacity_j"),
    ({"CAPACITY_J": 1 << 30}, "capacity_j"),
    ({"ACCEL_RISE_DEN": 0}, "accel_rise_den"),
    ({"RADIATOR_RISE_NUM": -3}, "radiator_rise_num"),
    ({"CHARGE_LOSS_DEN": 0}, "charge_loss_den"),
    ({"CONDUCT_SHIFT": 31}, "conduct_shift"),
    ({"ACCEL_STAYS": 1025}, "accel_stays"),
    ({"ARRAY_FULL_PW": 1 << 20}, "array_full_pw"),
    ({"INITIAL_ACCEL_UK": 204_999_999}, "initial_accel_uk"),
    ({"INITIAL_J": 1_080_001}, "initial_j = 1080001 is above the capacity"),
    ({"DISCHARGE_LOSS_NUM": 98}, "discharge loses more than it passes on"),
    ({"STEP_MS": 1100}, "net_max_pw \\* step_ms leaves the integers"),
    ({"CONDUCT_NUM": 14_000, "CONDUCT_SHIFT": 0}, "conduction leaves the integers"),
    ({"RADIATOR_RISE_NUM": 1000, "RADIATOR_RISE_DEN": 1}, "radiator could heat by more than 500 K"),
    ({"ACCEL_RISE_NUM": 200, "ACCEL_RISE_DEN": 1}, "not below C/\\(4G\\) of the accel node"),
    ({"RADIATOR_RISE_NUM": 20, "RADIATOR_RISE_DEN": 1}, "not below C/\\(4G\\) of the radiator node"),
    ({"EMISSION": 15_000}, "emission table falls"),
    ({"LEAKAGE": -1}, "leakage table lies outside"),
]


@pytest.mark.parametrize(("changes", "complaint"), HOSTILE, ids=[str(changes) for changes, _ in HOSTILE])
def test_hostile_words_behind_a_good_crc_are_refused(changes: dict[str, int], complaint: str) -> None:
    with pytest.raises(ValueError, match=f"^plant: .*{complaint}"):
        config.load(with_words(**changes))


def test_a_table_that_rises_too_steeply_is_refused() -> None:
    words = WORDS[:]
    words[at.LEAKAGE + 65] = words[at.LEAKAGE + 64] + (1 << 19)
    with pytest.raises(ValueError, match="leakage table falls, or rises too steeply"):
        config.check(words)


def test_the_step_bound_counts_the_steepest_emission_wherever_it_is() -> None:
    # A step of 2^19 - 1 pw in the middle of the table: 250 W/K against 4500 J/K needs steps below 4.5 s.
    words = plant_words(Hardware(), 5000)
    for i in range(80, at.EMISSION_WORDS):
        words[at.EMISSION + i] += (1 << 19) - 30_000
    with pytest.raises(ValueError, match="of the radiator node"):
        config.check(words)


def test_too_few_words_are_refused() -> None:
    with pytest.raises(ValueError, match="3 words where 245 are due"):
        config.check(array("i", [1000, 0, 5]))


SCRIPT = """
from ascnode_fw.plant import config
good = open({good!r}, 'rb').read()
assert len(config.load(good)) == 245
accepted = []
for at in range(0, len(good), 11):
    broken = bytearray(good)
    broken[at] ^= 1 << at % 8
    try:
        config.load(bytes(broken))
        accepted.append(at)
    except ValueError:
        pass
for i in range({hostile}):
    try:
        config.load(open({folder!r} + '/%d.bin' % i, 'rb').read())
        accepted.append('hostile %d' % i)
    except ValueError as e:
        print(e)
print(accepted)
"""


def test_micropython_refuses_the_same_images_with_the_same_words(tmp_path: Path) -> None:
    good = tmp_path / "good.bin"
    good.write_bytes(IMAGE)
    complaints = []
    for i, (changes, _) in enumerate(HOSTILE):
        (tmp_path / f"{i}.bin").write_bytes(with_words(**changes))
        with pytest.raises(ValueError) as complaint:
            config.load(with_words(**changes))
        complaints.append(str(complaint.value))
    script = SCRIPT.format(good=str(good), folder=str(tmp_path), hostile=len(HOSTILE))
    assert run_micropython(script).splitlines() == [*complaints, "[]"]
