"""The .acc file: a compiled program as bytes, little-endian, every part under a CRC-32.

    header   magic "ASAC", version u16, sections u16, length of the file u32, model id u32, CRC-32 of these 16 bytes
    section  kind u32, word address u32, length in bytes u32, CRC-32 of these 12 bytes and the data; then the data

Sections: one description (kind 1, JSON), then the memory's segments (kind 2) by ascending address, then, if there is
one, the stream (kind 3), whole blocks of 64 words. Lengths are multiples of 4. The same program gives the same bytes.
"""

import struct
from binascii import crc32
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import numpy as np

from ascnode_gateware.program import image_info
from ascnode_gateware.program.image_info import ImageError
from ascnode_gateware.program.job import BANK_WORDS, HEADER_WORDS, RING_BLOCK_WORDS, Job, Opcode, unpack
from ascnode_gateware.program.program import MEMORY_WORDS, Program, Words

__all__ = ["MAGIC", "VERSION", "ImageError", "load_image", "read_image", "write_image"]

MAGIC = b"ASAC"
VERSION = 1
MAX_BYTES = 1 << 26

_HEADER = struct.Struct("<4sHHII")
_SECTION = struct.Struct("<III")
_CRC = struct.Struct("<I")


class Kind(IntEnum):
    """Of a section."""

    DESCRIPTION = 1
    SEGMENT = 2
    STREAM = 3


@dataclass(frozen=True)
class _Section:
    kind: int
    address: int
    data: bytes


def write_image(program: Program) -> bytes:
    """The file's bytes."""
    description = image_info.encode(program)
    sections = [_Section(Kind.DESCRIPTION, 0, description + b" " * (-len(description) % 4))]
    sections += [_Section(Kind.SEGMENT, at, _bytes(words)) for at, words in sorted(program.segments.items())]
    if len(program.stream):
        sections.append(_Section(Kind.STREAM, 0, _bytes(program.stream)))
    body = b"".join(_packed(section) for section in sections)
    length = _HEADER.size + _CRC.size + len(body)
    header = _HEADER.pack(MAGIC, VERSION, len(sections), length, program.model_id)
    return header + _CRC.pack(crc32(header)) + body


def load_image(path: Path) -> Program:
    """`read_image` of a file; ImageError names the file, OSError passes through."""
    try:
        return read_image(path.read_bytes())
    except ImageError as error:
        raise ImageError(f"{path.name}: {error}") from error


def read_image(data: bytes) -> Program:
    """The program in `data`; ImageError for anything that `write_image` would not write."""
    program = _read(data)
    if write_image(program) != data:
        raise ImageError("the image holds more than its program: it was not written by this compiler")
    return program


def _read(data: bytes) -> Program:
    count, model_id = _read_header(data)
    sections = list(_sections(data, count))
    kinds = [section.kind for section in sections]
    if kinds != sorted(kinds) or kinds.count(Kind.DESCRIPTION) != 1 or kinds.count(Kind.STREAM) > 1:
        raise ImageError("the image's sections are not one description, segments and at most one stream")
    info = image_info.decode(sections[0].data)
    segments = _segments([section for section in sections if section.kind == Kind.SEGMENT])
    stream = _words(sections[-1].data if kinds[-1] == Kind.STREAM else b"")
    if len(stream) % RING_BLOCK_WORDS or (len(stream) > 0) != (info.ring_blocks > 0):
        raise ImageError(f"the image has a stream of {len(stream)} words and {info.ring_blocks} ring blocks")
    return Program(
        model_id=model_id,
        name=info.name,
        jobs=_jobs(segments, info.program_address),
        program_address=info.program_address,
        segments=segments,
        stream=stream,
        ring_base=info.ring_base,
        ring_blocks=info.ring_blocks,
        input=info.input,
        output=info.output,
        layers=info.layers,
        cpu_ops=info.cpu_ops,
    )


def _bytes(words: Words) -> bytes:
    return words.astype("<u4").tobytes()


def _words(data: bytes) -> Words:
    return np.frombuffer(data, "<u4").astype(np.uint32)


def _packed(section: _Section) -> bytes:
    header = _SECTION.pack(section.kind, section.address, len(section.data))
    return header + _CRC.pack(crc32(header + section.data)) + section.data


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


def _sections(data: bytes, count: int) -> Iterator[_Section]:
    offset = _HEADER.size + _CRC.size
    for number in range(count):
        section, offset = _section(data, offset, number)
        yield section
    if not count or offset != len(data):
        raise ImageError(f"the image's {count} sections end at byte {offset} of {len(data)}")


def _section(data: bytes, offset: int, number: int) -> tuple[_Section, int]:
    """The section at `offset`, and where the next begins."""
    start = offset + _SECTION.size + _CRC.size
    if start > len(data):
        raise ImageError(f"section {number} begins at byte {offset} of {len(data)}")
    kind, address, length = _SECTION.unpack_from(data, offset)
    if kind not in tuple(Kind) or length % 4 or start + length > len(data):
        raise ImageError(f"section {number} is of kind {kind} and has {length} bytes from byte {start} on")
    content = data[start : start + length]
    if crc32(data[offset : offset + _SECTION.size] + content) != _CRC.unpack_from(data, start - _CRC.size)[0]:
        raise ImageError(f"section {number} is damaged: its CRC-32 is wrong")
    if kind != Kind.SEGMENT and address:
        raise ImageError(f"section {number} has the address {address}, but only segments have one")
    return _Section(kind, address, content), start + length


def _segments(sections: list[_Section]) -> dict[int, Words]:
    """Ascending, none empty, none over another or over a bank's end."""
    found: dict[int, Words] = {}
    end = 0
    for section in sections:
        words = len(section.data) // 4
        in_bank = section.address % BANK_WORDS + words <= BANK_WORDS and section.address < MEMORY_WORDS
        if not words or section.address < end or not in_bank:
            raise ImageError(f"the segment of {words} words at {section.address:#06x} has no place there")
        found[section.address] = _words(section.data)
        end = section.address + words
    return found


def _jobs(segments: Mapping[int, Words], address: int) -> tuple[Job, ...]:
    """The headers from `address` to END, all in one segment."""
    words = segments.get(address, np.zeros(0, np.uint32)).tolist()
    jobs: list[Job] = []
    for start in range(0, len(words), HEADER_WORDS):
        job = unpack(words[start : start + HEADER_WORDS])
        if job.opcode == Opcode.END:
            return (*jobs, Job(Opcode.END))
        jobs.append(job)
        if job.opcode not in tuple(Opcode) or start + HEADER_WORDS >= len(words):
            break
    raise ImageError(f"the image's jobs at {address:#06x} do not end with END")
