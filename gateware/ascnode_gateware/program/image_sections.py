"""An .acc file as header and sections, whatever is in them."""

import struct
from binascii import crc32
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from ascnode_gateware.program.image_info import ImageError

MAGIC = b"ASAC"
VERSION = 1
MAX_BYTES = 1 << 26

_HEADER = struct.Struct("<4sHHII")
_SECTION = struct.Struct("<III")
_CRC = struct.Struct("<I")


class Kind(IntEnum):
    """Of a section."""

    DESCRIPTION = 1
    SEGMENT = 2  # `place` is its word address
    STREAM = 3
    RUN = 4
    CPU_MODEL = 5  # `place` counts its bytes, zeros behind them not
    SELF_TEST = 6  # `place` counts the input's bytes


@dataclass(frozen=True)
class Section:
    """`place` is what its kind makes of it; `data` has a multiple of 4 bytes."""

    kind: int
    place: int
    data: bytes


def pack_sections(model_id: int, sections: Sequence[Section]) -> bytes:
    """The file's bytes."""
    body = b"".join(_packed(section) for section in sections)
    length = _HEADER.size + _CRC.size + len(body)
    header = _HEADER.pack(MAGIC, VERSION, len(sections), length, model_id)
    return header + _CRC.pack(crc32(header)) + body


def _packed(section: Section) -> bytes:
    header = _SECTION.pack(section.kind, section.place, len(section.data))
    return header + _CRC.pack(crc32(header + section.data)) + section.data


def read_sections(data: bytes) -> tuple[int, list[Section]]:
    """(model id, sections); ImageError when a length, a kind or a CRC is wrong."""
    count, model_id = _read_header(data)
    return model_id, list(_sections(data, count))


def _read_header(data: bytes) -> tuple[int, int]:
    """(sections, model id)."""
    size = _HEADER.size + _CRC.size
    if not size <= len(data) <= MAX_BYTES:
        raise ImageError(f"an image has {size}..{MAX_BYTES} bytes, this file has {len(data)}")
    magic, version, count, length, model_id = _HEADER.unpack_from(data)
    if magic != MAGIC:
        raise ImageError("the file is no .acc image: its first four bytes are not ASAC")
    if crc32(data[: _HEADER.size]) != _CRC.unpack_from(data, _HEADER.size)[0]:
        raise ImageError("the image's header is damaged: its CRC-32 is wrong")
    if version != VERSION:
        raise ImageError(
            f"the image has version {version}; this release reads {VERSION}: compile the model again"
        )
    if length != len(data):
        raise ImageError(f"the image should have {length} bytes, the file has {len(data)}")
    return count, model_id


def _sections(data: bytes, count: int) -> Iterator[Section]:
    offset = _HEADER.size + _CRC.size
    for number in range(count):
        section, offset = _section(data, offset, number)
        yield section
    if not count or offset != len(data):
        raise ImageError(f"the image's {count} sections end at byte {offset} of {len(data)}")


def _section(data: bytes, offset: int, number: int) -> tuple[Section, int]:
    """The section at `offset`, and where the next begins."""
    start = offset + _SECTION.size + _CRC.size
    if start > len(data):
        raise ImageError(f"section {number} begins at byte {offset} of {len(data)}")
    kind, place, length = _SECTION.unpack_from(data, offset)
    if kind not in tuple(Kind) or length % 4 or start + length > len(data):
        raise ImageError(f"section {number} is of kind {kind} and has {length} bytes from byte {start} on")
    content = data[start : start + length]
    if crc32(data[offset : offset + _SECTION.size] + content) != _CRC.unpack_from(data, start - _CRC.size)[0]:
        raise ImageError(f"section {number} is damaged: its CRC-32 is wrong")
    if kind in (Kind.DESCRIPTION, Kind.STREAM, Kind.RUN) and place:
        raise ImageError(f"section {number} has the address {place}, but only segments have one")
    return Section(kind, place, content), start + length
