"""A stream as the flash holds it: 64 words, little-endian, and their CRC-32, block after block."""

import struct
import zlib
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from ascnode_gateware.model.layers import ModelError
from ascnode_gateware.program.job import RING_BLOCK_WORDS

DATA_BYTES = 4 * RING_BLOCK_WORDS
BLOCK_BYTES = DATA_BYTES + 4
MAX_BLOCKS = 0xFFFF  # of register FLASH_BLOCKS
FLASH_BYTES = 1 << 24  # what a 24-bit address reaches

Words = npt.NDArray[np.uint32]


def pack_stream(words: Words | Sequence[int]) -> bytes:
    """The flash's bytes for `words`; zeros fill up the last block. ModelError when there are too many."""
    data = np.asarray(words, np.uint32).astype("<u4").tobytes()
    blocks = -(-len(data) // DATA_BYTES)
    if blocks > MAX_BLOCKS:
        raise ModelError(
            f"a stream of {len(data)} bytes has {blocks} blocks, but at most {MAX_BLOCKS} are possible"
        )
    padded = data.ljust(blocks * DATA_BYTES, b"\0")
    return b"".join(pack_block(padded[at : at + DATA_BYTES]) for at in range(0, len(padded), DATA_BYTES))


def pack_block(data: bytes) -> bytes:
    """256 bytes and their CRC."""
    return data + struct.pack("<I", zlib.crc32(data))


def unpack_stream(image: bytes) -> Words:
    """uint32 words of whole blocks. ModelError when one is cut short or has a wrong CRC."""
    if len(image) % BLOCK_BYTES:
        raise ModelError(f"a stream of {len(image)} bytes is not a whole number of {BLOCK_BYTES}-byte blocks")
    data = b"".join(_checked(index, block) for index, block in enumerate(_blocks(image)))
    return np.frombuffer(data, "<u4").astype(np.uint32)


def wrong_blocks(image: bytes) -> list[int]:
    """Numbers of the blocks whose CRC is wrong."""
    return [index for index, block in enumerate(_blocks(image)) if not _right(block)]


def check_placement(address: int, image: bytes) -> None:
    """ModelError when `image` does not fit in flash at byte `address`, or is not aligned to a word."""
    if address % 4 or address < 0:
        raise ModelError(f"a stream cannot start at byte {address:#x}: addresses are multiples of 4")
    if address + len(image) > FLASH_BYTES:
        raise ModelError(
            f"a stream of {len(image)} bytes at {address:#x} passes the end of a 24-bit address space"
        )


def _blocks(image: bytes) -> Iterator[bytes]:
    return (image[at : at + BLOCK_BYTES] for at in range(0, len(image), BLOCK_BYTES))


def _right(block: bytes) -> bool:
    return len(block) == BLOCK_BYTES and pack_block(block[:DATA_BYTES]) == block


def _checked(index: int, block: bytes) -> bytes:
    if not _right(block):
        computed = zlib.crc32(block[:DATA_BYTES])
        stored = int.from_bytes(block[DATA_BYTES:], "little")
        raise ModelError(f"block {index} holds CRC {stored:#010x}, but its words give {computed:#010x}")
    return block[:DATA_BYTES]
