"""Streams as the flash holds them: byte order, CRC, padding, and what is wrong with a damaged one."""

import random
import struct

import numpy as np
import pytest

from ascnode_gateware.model.layers import ModelError
from ascnode_gateware.program.flash_blocks import (
    BLOCK_BYTES,
    FLASH_BYTES,
    MAX_BLOCKS,
    check_placement,
    pack_stream,
    unpack_stream,
    wrong_blocks,
)


def crc32_bit_by_bit(data):
    """IEEE 802.3 by long division, apart from zlib; its check value for b"123456789" is 0xCBF43926."""
    register = 0xFFFFFFFF
    for byte in data:
        for bit in range(8):
            out = (register ^ byte >> bit) & 1
            register = register >> 1 ^ (0xEDB88320 if out else 0)
    return register ^ 0xFFFFFFFF


def random_words(count, seed=3):
    return np.random.default_rng(seed).integers(0, 1 << 32, count, np.uint32)


def test_reference_has_the_published_check_value():
    assert crc32_bit_by_bit(b"123456789") == 0xCBF43926


def test_words_and_crc_are_little_endian():
    words = [0x12345678, *range(63)]
    image = pack_stream(words)
    assert image[:8] == bytes.fromhex("7856341200000000")
    assert image[256:] == struct.pack("<I", crc32_bit_by_bit(struct.pack("<64I", *words)))


@pytest.mark.parametrize(("words", "blocks"), [(0, 0), (1, 1), (64, 1), (65, 2), (640, 10)])
def test_last_block_is_filled_with_zeros(words, blocks):
    data = random_words(words)
    image = pack_stream(data)
    assert len(image) == blocks * BLOCK_BYTES
    np.testing.assert_array_equal(unpack_stream(image), [*data, *[0] * (64 * blocks - words)])


def test_every_damaged_bit_is_found_in_its_block():
    image = pack_stream(random_words(5 * 64))
    chance = random.Random(7)
    for _ in range(500):
        at, bit = chance.randrange(len(image)), chance.randrange(8)
        damaged = bytearray(image)
        damaged[at] ^= 1 << bit
        assert wrong_blocks(bytes(damaged)) == [at // BLOCK_BYTES]


def test_error_names_the_block_and_both_crcs():
    image = bytearray(pack_stream(random_words(3 * 64)))
    image[BLOCK_BYTES + 256] ^= 1
    with pytest.raises(
        ModelError, match=r"block 1 holds CRC 0x[0-9a-f]{8}, but its words give 0x[0-9a-f]{8}"
    ):
        unpack_stream(bytes(image))


@pytest.mark.parametrize("cut", [1, 4, 256, 259])
def test_cut_stream_is_an_error_with_its_length(cut):
    image = pack_stream(random_words(2 * 64))[:-cut]
    with pytest.raises(ModelError, match=f"{len(image)} bytes is not a whole number"):
        unpack_stream(image)


def test_stream_longer_than_the_register_counts_is_an_error():
    with pytest.raises(ModelError, match=f"at most {MAX_BLOCKS}"):
        pack_stream(np.zeros(64 * MAX_BLOCKS + 1, np.uint32))


@pytest.mark.parametrize(
    ("address", "message"), [(2, "multiples of 4"), (-4, "multiples of 4"), (FLASH_BYTES - 256, "end")]
)
def test_stream_must_fit_where_it_is_put(address, message):
    with pytest.raises(ModelError, match=message):
        check_placement(address, pack_stream(random_words(64)))


def test_stream_may_end_where_the_flash_ends():
    check_placement(FLASH_BYTES - BLOCK_BYTES, pack_stream(random_words(64)))
