"""A program's stream in the accelerator's own flash: compared over the shared bus, and written where it differs.

The flash is a W25Q..JV (opcodes and times as in its data sheet, sections 8.1.2 and 9.6); docs/accelerator-flash.md says
how the stream lies in it. Only while the accelerator is idle: it has the pins when it streams.
"""

import struct
from binascii import crc32

from ascnode_fw.accel import causes
from ascnode_fw.accel.errors import InferenceError
from ascnode_fw.compat import const

TYPE_CHECKING = False  # type checkers take it for true
if TYPE_CHECKING:
    from ascnode_fw.accel.program import Program
    from ascnode_fw.protocols import AcceleratorBus

STREAM_AT = const(0x100000)  # behind any bitstream: an iCE40UP5K's has 104 kB
DATA_BYTES = const(256)  # of a block, whose CRC-32 follows
BLOCK_BYTES = const(260)

_PROGRAM = const(0x02)
_READ = const(0x03)
_STATUS_1 = const(0x05)
_WRITE_ENABLE = const(0x06)
_ERASE = const(0x20)  # a sector
_WRITE_STATUS_2 = const(0x31)
_STATUS_2 = const(0x35)
_IDENTITY = const(0x9F)
_WAKE = const(0xAB)

_BUSY = const(1)
_QUAD = const(2)  # of status register 2
_PAGE_BYTES = const(256)
_SECTOR_BYTES = const(4096)
_HEAD_BYTES = const(4)  # opcode, address
_WAKE_US = const(30)
_POLL_US = const(500)
_POLLS = const(1000)  # half a second: the longest erase of a sector takes 400 ms


class StreamFlash:
    """The flash, with the stream of one program in it after store(); InferenceError(STREAM) when that fails."""

    def __init__(self, bus: "AcceleratorBus", program: "Program") -> None:
        self._bus = bus
        self._program = program
        self._out = memoryview(bytearray(_HEAD_BYTES + _PAGE_BYTES))
        self._in = memoryview(bytearray(_HEAD_BYTES + _PAGE_BYTES))
        self._block = memoryview(bytearray(BLOCK_BYTES))
        self._page = memoryview(bytearray(_PAGE_BYTES))
        self._held = -1  # number of the block in _block
        self.address = STREAM_AT
        self.blocks = program.stream_bytes // DATA_BYTES
        self.written = 0  # sectors, since the start

    def store(self) -> None:
        # Looks at the whole stream, and mends what is not so.
        self._wake()
        self._held = -1
        size = self.blocks * BLOCK_BYTES
        for at in range(0, size, _SECTOR_BYTES):
            end = min(at + _SECTOR_BYTES, size)
            if not self._same(at, end):
                self._write(at, end)
                self.written += 1
                if not self._same(at, end):
                    raise InferenceError(causes.STREAM)

    def _wake(self) -> None:
        self._command(_WAKE, 1)
        self._bus.wait_us(_WAKE_US)
        self._command(_IDENTITY, 4)
        if self._in[3] >> 4 != 1:  # a capacity of 2^16 bytes or more; a line that is stuck says 0 or 15
            raise InferenceError(causes.STREAM)
        self._command(_STATUS_2, 2)
        if not self._in[1] & _QUAD:
            self._command(_WRITE_ENABLE, 1)
            self._out[1] = self._in[1] | _QUAD
            self._command(_WRITE_STATUS_2, 2)
            self._settle()

    def _command(self, opcode: int, size: int) -> None:
        self._out[0] = opcode
        for _ in range(_POLLS):
            if self._bus.flash_transfer(self._out, self._in, size):
                return
            self._bus.wait_us(_POLL_US)
        raise InferenceError(causes.STREAM)

    def _settle(self) -> None:
        # Until a write or an erase is done.
        for _ in range(_POLLS):
            self._command(_STATUS_1, 2)
            if not self._in[1] & _BUSY:
                return
            self._bus.wait_us(_POLL_US)
        raise InferenceError(causes.STREAM)

    def _at(self, opcode: int, at: int, size: int) -> None:
        # A command with an address.
        struct.pack_into(">I", self._out, 0, STREAM_AT + at)
        self._command(opcode, _HEAD_BYTES + size)

    def _same(self, at: int, end: int) -> bool:
        for page in range(at, end, _PAGE_BYTES):
            size = min(_PAGE_BYTES, end - page)
            self._expect(page, size)
            self._at(_READ, page, size)
            if self._in[_HEAD_BYTES : _HEAD_BYTES + size] != self._page[:size]:
                return False
        return True

    def _write(self, at: int, end: int) -> None:
        self._command(_WRITE_ENABLE, 1)
        self._at(_ERASE, at, 0)
        self._settle()
        for page in range(at, end, _PAGE_BYTES):
            size = min(_PAGE_BYTES, end - page)
            self._expect(page, size)
            self._command(_WRITE_ENABLE, 1)
            self._out[_HEAD_BYTES : _HEAD_BYTES + size] = self._page[:size]
            self._at(_PROGRAM, page, size)
            self._settle()

    def _expect(self, at: int, size: int) -> None:
        # What the flash should hold there, to _page: parts of blocks.
        done = 0
        while done < size:
            number, first = divmod(at + done, BLOCK_BYTES)
            self._take(number)
            count = min(size - done, BLOCK_BYTES - first)
            self._page[done : done + count] = self._block[first : first + count]
            done += count

    def _take(self, number: int) -> None:
        if number != self._held:
            data = self._block[:DATA_BYTES]
            self._program.piece(self._program.stream_at + number * DATA_BYTES, data)
            struct.pack_into("<I", self._block, DATA_BYTES, crc32(data))
            self._held = number
