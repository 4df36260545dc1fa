"""UF2 files: what is taken, and the one sentence that refuses the rest."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ascnode.boards import uf2
from ascnode.boards.kinds import KINDS
from ascnode.errors import BoardError
from bench_boards.uf2_maker import ABSOLUTE, PICO2_FIRST_BLOCK, RP2040, RP2350_ARM, RP2350_RISCV, block
from bench_boards.uf2_maker import uf2 as make

PAYLOAD = bytes(range(256)) * 5 + b"the end"
PICO, PICO2 = KINDS["rp2040"].families, KINDS["rp2350"].families


@pytest.mark.parametrize(("family", "families"), [(RP2040, PICO), (RP2350_ARM, PICO2), (RP2350_RISCV, PICO2)])
def test_an_image_for_the_chip_is_taken_block_by_block(family: int, families: tuple[int, ...]) -> None:
    blocks = uf2.check(make(PAYLOAD, family), families)
    assert b"".join(b.data for b in blocks) == PAYLOAD
    assert [b.address for b in blocks] == [0x10000000 + 256 * i for i in range(6)]


def test_the_official_pico_2_files_absolute_block_that_says_one_of_two_is_tolerated() -> None:
    blocks = uf2.check(PICO2_FIRST_BLOCK + make(PAYLOAD, RP2350_ARM), PICO2)
    assert b"".join(b.data for b in blocks) == PAYLOAD
    first = uf2.parse(PICO2_FIRST_BLOCK)[0]
    assert (first.address, first.sequence, first.count, first.family) == (0x10FFFF00, 0, 2, ABSOLUTE)


def test_a_file_of_that_block_alone_is_refused() -> None:
    with pytest.raises(BoardError, match="nothing for a board's flash"):
        uf2.check(PICO2_FIRST_BLOCK, PICO2)


def test_blocks_that_are_not_for_the_flash_are_passed_over() -> None:
    comment = block(b"made by hand", 0, 1, flags=0x2001)
    assert len(uf2.check(comment + make(PAYLOAD), PICO)) == 6


GOOD = make(PAYLOAD)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (GOOD[:-1], "cut short: 3071 bytes"),
        (GOOD[:-512], "5 blocks of family 0xe48bff56, but says 6"),
        (GOOD[512:], "5 blocks of family 0xe48bff56, but says 6"),
        (GOOD[:512] + GOOD[:512] + GOOD[1024:], "block 1 of 6 is marked 0 of 6"),
        (GOOD[512:1024] + GOOD[:512] + GOOD[1024:], "block 0 of 6 is marked 1 of 6"),
        (GOOD[:-512] + make(PAYLOAD, RP2350_ARM)[-512:], "family 0xe48bff59"),
        (make(PAYLOAD, RP2350_ARM), "another chip: family 0xe48bff59, this board takes 0xe48bff56"),
        (make(PAYLOAD, 0xADA52840), "another chip: family 0xada52840"),
        (block(b"x", 0, 1, flags=0), "another chip: family 0x00000000"),
        (b"\x7fELF" + bytes(1020), "no UF2 block at byte 0"),
        (GOOD[:512] + bytes(512), "no UF2 block at byte 512"),
        (GOOD[:508] + bytes(4) + GOOD[512:], "no UF2 block at byte 0"),
        (GOOD[:16] + struct.pack("<I", 477) + GOOD[20:512], "the block at byte 0 holds 477"),
        (GOOD[:16] + struct.pack("<I", 0) + GOOD[20:512], "the block at byte 0 holds 0"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(content: bytes, sentence: str) -> None:
    with pytest.raises(BoardError, match=sentence):
        uf2.check(content, PICO)


@given(st.binary(max_size=2048))
def test_hostile_bytes_are_refused_with_a_board_error(content: bytes) -> None:
    with pytest.raises(BoardError):
        uf2.check(content, PICO)


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_a_changed_byte_is_refused_or_is_in_payload_address_or_flags(at: int, flip: int) -> None:
    damaged = bytearray(GOOD)
    damaged[at] ^= flip
    try:
        uf2.check(bytes(damaged), PICO)
    except BoardError:
        return
    # Nothing in the format protects these; the header that says what and where is protected.
    assert 8 <= at % 512 < 20 or 32 <= at % 512 < 508
