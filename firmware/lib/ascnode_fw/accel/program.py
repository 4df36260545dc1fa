"""Reads a program for the accelerator (.acc, docs/accelerator.md) from flash, piece by piece: it never lies in RAM."""

import struct
from array import array
from binascii import crc32

from ascnode_fw.accel import causes
from ascnode_fw.accel.errors import ProgramError
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

# kinds of section
SEGMENT = const(2)
STREAM = const(3)
RUN = const(4)
CPU_MODEL = const(5)
SELF_TEST = const(6)

NEVER = const(0xFFFF)  # the input is not free before the end
_RUN = "<14I2i4I"
_RUN_BYTES = const(80)

# words of a segment
ADDRESS = const(0)
WORDS = const(1)
CRC = const(2)
AT = const(3)  # of its data in the file
SEGMENT_WORDS = const(4)

_SECTIONS_MAX = const(512)
_PIECE_BYTES = const(256)
_MEMORY_WORDS = const(32768)
_MOST_BYTES = const(1020)  # of a frame's words


class Program:
    """What the driver has to know of a program; ProgramError when the file cannot be used."""

    def __init__(self, store: "Store", name: str) -> None:
        self._store = store
        self._name = name
        self.segments: "array[int]" = array("I")
        self.stream_at = 0  # in the file
        self.stream_bytes = 0
        self.cycles = 0
        self._cpu_at = self._cpu_bytes = self._test_at = 0
        self._head = memoryview(bytearray(HEADER_BYTES))
        self._read(0, self._head)
        magic, version, sections, length, model_id, crc = struct.unpack(HEADER, self._head)
        self.length: int = length
        self.model_id: int = model_id
        if magic != MAGIC or crc32(self._head[:-4]) != crc or sections > _SECTIONS_MAX:
            raise ProgramError(causes.PROGRAM, "%s is no .acc image" % name)
        if version != VERSION:
            raise ProgramError(causes.PROGRAM, "%s has version %d, not %d" % (name, version, VERSION))
        at = HEADER_BYTES
        for _ in range(sections):
            at = self._section(at)
        if not self.cycles:
            raise ProgramError(causes.PROGRAM, "%s does not say how it runs: compile it again" % name)

    def _read(self, at: int, into: memoryview) -> None:
        if self._store.read_at(self._name, at, into) != len(into):
            raise ProgramError(causes.PROGRAM, "%s is cut short" % self._name)

    def _section(self, at: int) -> int:
        # Notes the section there; where the next one begins.
        size: int
        self._read(at, self._head[:SECTION_BYTES])
        kind, place, size, crc = struct.unpack(SECTION, self._head[:SECTION_BYTES])
        at += SECTION_BYTES
        if size % 4 or at + size > self.length:
            raise ProgramError(causes.PROGRAM, "%s has a section that does not fit in it" % self._name)
        if kind == SEGMENT:
            if not size or place + size // 4 > _MEMORY_WORDS:
                raise ProgramError(causes.PROGRAM, "%s has a segment outside the memory" % self._name)
            self.segments.extend(array("I", [place, size // 4, crc, at]))
        elif kind == STREAM:
            self.stream_at, self.stream_bytes = at, size
        elif kind == RUN:
            self._take_run(at, size, crc)
        else:
            self._check(at, size, crc)
            self._note(kind, place, at, size)
        return at + size

    def _note(self, kind: int, place: int, at: int, size: int) -> None:
        if kind == CPU_MODEL:
            self._cpu_at, self._cpu_bytes = at, min(place, size)
        elif kind == SELF_TEST:
            self._test_at = at

    def _check(self, at: int, size: int, crc: int) -> None:
        # Of the whole section; what is of no use here may be one whose kind was damaged.
        piece = memoryview(bytearray(min(size, _PIECE_BYTES)))
        found = crc32(self._head[:_COVERED])
        for done in range(0, size, _PIECE_BYTES):
            part = piece[: min(_PIECE_BYTES, size - done)]
            self._read(at + done, part)
            found = crc32(part, found)
        if found != crc:
            raise ProgramError(causes.PROGRAM, "%s is damaged" % self._name)

    def _take_run(self, at: int, size: int, crc: int) -> None:
        data = memoryview(bytearray(_RUN_BYTES))
        self._read(at, data[: min(size, _RUN_BYTES)])
        if size != _RUN_BYTES or crc32(data, crc32(self._head[:_COVERED])) != crc:
            raise ProgramError(causes.PROGRAM, "%s is damaged" % self._name)
        words = struct.unpack(_RUN, data)
        self.start, self.ring_base, self.ring_blocks, _, self.cycles, self.free_after, _ = words[:7]
        self.input_size, self.input_address, self.rows, self.row_bytes, self.columns, self.groups = words[
            7:13
        ]
        self.step, self.first, self.pad = words[13:16]
        self.output_size, self.output_address, self.pixels, self.channels = words[16:]
        if not self._fits():
            raise ProgramError(causes.PROGRAM, "%s has an input or output that does not fit" % self._name)

    def _fits(self) -> bool:
        # Whether input and output lie in memory, and a pixel of the output in a frame.
        inputs = self.input_address + self.rows * self.columns * self.groups
        outputs = self.output_address + self.pixels * ((self.channels + 3) // 4)
        sizes = (self.rows * self.row_bytes, self.pixels * self.channels)
        in_memory = max(inputs, outputs) <= _MEMORY_WORDS and 0 < self.channels <= _MOST_BYTES
        return in_memory and sizes == (self.input_size, self.output_size)

    def cpu_model(self) -> bytes:
        # The same model for the node's CPU; empty when the file has none.
        return self._whole(self._cpu_at, self._cpu_bytes)

    def self_test(self) -> "tuple[bytes, bytes] | None":
        # An input, and the answer to it; None when the file has none.
        if not self._test_at:
            return None
        both = self._whole(self._test_at, self.input_size + self.output_size)
        return both[: self.input_size], both[self.input_size :]

    def _whole(self, at: int, size: int) -> bytes:
        data = bytearray(size)
        self._read(at, memoryview(data))
        return bytes(data)

    def seed(self, address: int, words: int) -> int:
        # What a segment's CRC begins with: that of its header.
        struct.pack_into("<III", self._head, 0, SEGMENT, address, 4 * words)
        crc: int = crc32(self._head[:_COVERED])
        return crc

    def piece(self, at: int, into: memoryview) -> None:
        # The file's bytes there.
        self._read(at, into)
