"""Reads a program for the accelerator (.acc, docs/accelerator.md) from flash, piece by piece: it never lies in RAM."""

import json
import struct
from array import array
from binascii import crc32

from ascnode_fw.compat import const

TYPE_CHECKING = False  # type checkers take it for true
if TYPE_CHECKING:
    from ascnode_fw.protocols import Store

MAGIC = b"ASAC"
VERSION = const(1)
HEADER = "<4sHHIII"
HEADER_BYTES = const(20)
SECTION = "<IIII"
SECTION_BYTES = const(16)
_COVERED = const(12)  # of a section's header, by its CRC

DESCRIPTION = const(1)
SEGMENT = const(2)
STREAM = const(3)

# words of a segment
ADDRESS = const(0)
WORDS = const(1)
CRC = const(2)
AT = const(3)  # of its data in the file
SEGMENT_WORDS = const(4)

_SECTIONS_MAX = const(512)
_PIECE_BYTES = const(256)
_MEMORY_WORDS = const(32768)


class ProgramError(ValueError):
    """The file is no program, or it is damaged."""


class Program:
    """What the driver has to know of a program; ProgramError when the file cannot be used."""

    def __init__(self, store: "Store", name: str) -> None:
        self._store = store
        self._name = name
        self.segments: "array[int]" = array("I")
        self.stream_at = 0  # in the file
        self.stream_bytes = 0
        self._head = memoryview(bytearray(HEADER_BYTES))
        self._read(0, self._head)
        magic, version, sections, length, model_id, crc = struct.unpack(HEADER, self._head)
        self.length: int = length
        self.model_id: int = model_id
        if magic != MAGIC or crc32(self._head[:-4]) != crc or sections > _SECTIONS_MAX:
            raise ProgramError("%s is no .acc image" % name)
        if version != VERSION:
            raise ProgramError("%s has version %d, not %d" % (name, version, VERSION))
        at = HEADER_BYTES
        for _ in range(sections):
            at = self._section(at)

    def _read(self, at: int, into: memoryview) -> None:
        if self._store.read_at(self._name, at, into) != len(into):
            raise ProgramError("%s is cut short" % self._name)

    def _section(self, at: int) -> int:
        # Notes the section there; where the next one begins.
        size: int
        self._read(at, self._head[:SECTION_BYTES])
        kind, address, size, crc = struct.unpack(SECTION, self._head[:SECTION_BYTES])
        at += SECTION_BYTES
        if size % 4 or at + size > self.length:
            raise ProgramError("%s has a section that does not fit in it" % self._name)
        if kind == DESCRIPTION:
            self._describe(at, size, crc)
        elif kind == SEGMENT:
            if not size or address + size // 4 > _MEMORY_WORDS:
                raise ProgramError("%s has a segment outside the memory" % self._name)
            self.segments.extend(array("I", [address, size // 4, crc, at]))
        elif kind == STREAM:
            self.stream_at, self.stream_bytes = at, size
        else:
            self._check(at, size, crc)
        return at + size

    def _check(self, at: int, size: int, crc: int) -> None:
        # What is of no use here may be a section whose kind was damaged.
        piece = memoryview(bytearray(min(size, _PIECE_BYTES)))
        found = crc32(self._head[:_COVERED])
        for done in range(0, size, _PIECE_BYTES):
            part = piece[: min(_PIECE_BYTES, size - done)]
            self._read(at + done, part)
            found = crc32(part, found)
        if found != crc:
            raise ProgramError("%s is damaged" % self._name)

    def _describe(self, at: int, size: int, crc: int) -> None:
        data = bytearray(size)
        self._read(at, memoryview(data))
        if crc32(data, crc32(self._head[:_COVERED])) != crc:
            raise ProgramError("%s is damaged" % self._name)
        found = json.loads(bytes(data))
        self.start = found["program_address"]
        self.ring_base, self.ring_blocks = found["ring"]
        one = found["input"]
        self.input_address = one["address"]
        self.rows, self.row_bytes = one["rows"], one["row_bytes"]
        self.columns, self.groups = one["columns"], one["groups"]
        self.step, self.first, self.pad = one["step"], one["start"], one["pad"]
        one = found["output"]
        self.output_address = one["address"]
        self.pixels, self.channels = one["pixels"], one["channels"]
        self.cycles: int = found["cycles"]

    def seed(self, address: int, words: int) -> int:
        # What a segment's CRC begins with: that of its header.
        struct.pack_into("<III", self._head, 0, SEGMENT, address, 4 * words)
        crc: int = crc32(self._head[:_COVERED])
        return crc

    def piece(self, at: int, into: memoryview) -> None:
        # The file's bytes there.
        self._read(at, into)
