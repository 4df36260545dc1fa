"""The CRC register: four bits a cycle as zlib has them, and a start value that right blocks lead back to."""

import random
import zlib

import pyrtl
import pytest

from ascnode_gateware.program.flash_blocks import BLOCK_BYTES, pack_block
from ascnode_gateware.rtl.flash_crc import crc_after, start_value

ONES = 0xFFFFFFFF


def behind(data, value):
    """The register behind `data`; zlib shows it inverted."""
    return zlib.crc32(data, value ^ ONES) ^ ONES


@pytest.fixture(scope="module")
def step():
    """The circuit as a function (value, nibble) -> value."""
    block = pyrtl.Block()
    with pyrtl.set_working_block(block, no_sanity_check=True):
        after = pyrtl.Output(32, "after")
        after <<= crc_after(pyrtl.Input(32, "value"), pyrtl.Input(4, "nibble"))
        simulation = pyrtl.FastSimulation()

    def go(value, nibble):
        simulation.step({"value": value, "nibble": nibble})
        return simulation.inspect("after")

    return go


def test_two_steps_are_a_byte_low_nibble_first(step):
    chance = random.Random(1)
    for _ in range(300):
        value, byte = chance.getrandbits(32), chance.getrandbits(8)
        assert step(step(value, byte & 15), byte >> 4) == behind(bytes([byte]), value)


def test_right_blocks_lead_back_to_the_start_value():
    chance = random.Random(2)
    for _ in range(200):
        assert behind(pack_block(chance.randbytes(256)), start_value()) == start_value()


def test_wrong_blocks_lead_elsewhere():
    chance = random.Random(3)
    for _ in range(2000):
        block = bytearray(pack_block(chance.randbytes(256)))
        for _ in range(chance.randrange(1, 9)):
            block[chance.randrange(BLOCK_BYTES)] ^= chance.randrange(1, 256)
        right = bytes(block) == pack_block(bytes(block[:256]))
        assert (behind(bytes(block), start_value()) == start_value()) == right
