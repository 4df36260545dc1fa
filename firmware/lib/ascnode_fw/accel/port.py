"""The accelerator's SPI port: frames with CRCs and numbers, sent again until one comes through.

docs/accelerator-spi.md describes them. One frame is built and answered in two buffers that are allocated once.
"""

import struct
from binascii import crc32

from ascnode_fw.accel import causes
from ascnode_fw.accel.errors import LinkError
from ascnode_fw.compat import const

TYPE_CHECKING = False  # type checkers take it for true
if TYPE_CHECKING:
    from ascnode_fw.protocols import AcceleratorBus

MAX_WORDS = const(255)  # of a frame
FRAME_BYTES = const(1042)  # of a write of that many

_READ = const(0x10)
_WRITE = const(0x20)
_HEADER_BYTES = const(8)
_TURN_BYTES = const(2)
_GAP_BYTES = const(3)  # behind the answer's first byte
_CRC_BYTES = const(4)

# high nibble of the answer's first byte
_DONE = const(0xA0)
_REPEATED = const(0x90)

_ATTEMPTS = const(8)


class Port:
    """Words and registers of one accelerator. `data` is what the next write sends; `resent` counts frames.

    Register writes are numbered, so that each is carried out once; the first one after a reset of either side may be
    taken for an old one: let it be one that may be lost.
    """

    def __init__(self, bus: "AcceleratorBus") -> None:
        self.bus = bus
        self.resent = 0
        self._out = memoryview(bytearray(FRAME_BYTES))
        self._in = memoryview(bytearray(FRAME_BYTES))
        self.data = self._out[_HEADER_BYTES : _HEADER_BYTES + 4 * MAX_WORDS]
        self._sequence = 0
        self._again = False

    def read(self, address: int, count: int) -> memoryview:
        # The bytes of at most MAX_WORDS words, valid until the next frame.
        self._header(_READ, address, count)
        at = _HEADER_BYTES + _TURN_BYTES
        self._transfer(at, count)
        at += 1 + _GAP_BYTES
        return self._in[at : at + 4 * count]

    def write(self, address: int, count: int) -> None:
        # The first `count` words of `data`, to memory.
        self._write(address, count)

    def register(self, address: int) -> int:
        value: int = struct.unpack_from("<I", self.read(address, 1), 0)[0]
        return value

    def set_register(self, address: int, value: int) -> None:
        # Carried out once. Repeated without having been sent again: an earlier host has used the number.
        for _ in range(_ATTEMPTS):
            self._sequence = self._sequence + 1 & 15
            struct.pack_into("<I", self.data, 0, value)
            if self._write(address, 1) == _DONE or self._again:
                return
        raise LinkError(causes.LINK)

    def _write(self, address: int, count: int) -> int:
        self._header(_WRITE, address, count)
        end = _HEADER_BYTES + 4 * count
        struct.pack_into("<I", self._out, end, crc32(self._out[_HEADER_BYTES:end]))
        return self._transfer(end + _CRC_BYTES + _TURN_BYTES, 0)

    def _header(self, opcode: int, address: int, count: int) -> None:
        struct.pack_into("<BHB", self._out, 0, opcode | self._sequence, address, count)
        struct.pack_into("<I", self._out, 4, crc32(self._out[:4]))

    def _transfer(self, at: int, count: int) -> int:
        # Sends the frame until its answer, which lies `at` and has `count` words, is a good one; its status.
        self._again = False
        for _ in range(_ATTEMPTS):
            self.bus.transfer(self._out, self._in, at + 1 + _GAP_BYTES + 4 * count + _CRC_BYTES)
            status = self._in[at] & 0xF0
            if status in (_DONE, _REPEATED) and self._intact(at, count):
                return status
            self.resent += 1
            self._again = True
        raise LinkError(causes.LINK)

    def _intact(self, at: int, count: int) -> bool:
        # Whether the answer has this frame's number and a right CRC: of all but the gap.
        answer = self._in
        if answer[at] & 15 != self._sequence:
            return False
        words = at + 1 + _GAP_BYTES
        end = words + 4 * count
        crc = crc32(answer[words:end], crc32(answer[at : at + 1]))
        return bool(struct.unpack_from("<I", answer, end)[0] == crc)
