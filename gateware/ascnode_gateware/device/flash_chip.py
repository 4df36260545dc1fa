"""A W25Q32JV beside the FPGA, as its host sees it over one line: program, erase, status, identity, power-down.

Opcodes, sizes and times are the data sheet's (W25Q32JV revision H, sections 8.1.2 and 9.6), times typical.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from ascnode_gateware.program.flash_blocks import BLOCK_BYTES, DATA_BYTES, wrong_blocks
from ascnode_gateware.program.program import Words

JEDEC_ID = bytes.fromhex("ef4016")
FLASH_BYTES = 1 << 22
PAGE_BYTES = 256
SECTOR_BYTES = 4096
_DEVICE_ID = 0x15
_PAGE_US, _STATUS_US = 400, 10_000
_ERASES = {0x20: (SECTOR_BYTES, 45_000), 0x52: (1 << 15, 120_000), 0xD8: (1 << 16, 150_000)}
_CHIP_ERASES, _CHIP_US = (0xC7, 0x60), 10_000_000
_BUSY, _WRITE_ENABLED, _QUAD = 1, 2, 2  # bits 0 and 1 of status 1; bit 1 of status 2


class Opcode(IntEnum):
    WRITE_STATUS_1 = 0x01
    PROGRAM = 0x02
    READ = 0x03
    WRITE_DISABLE = 0x04
    READ_STATUS_1 = 0x05
    WRITE_ENABLE = 0x06
    FAST_READ = 0x0B
    WRITE_STATUS_2 = 0x31
    READ_STATUS_2 = 0x35
    WAKE = 0xAB
    READ_ID = 0x9F
    SLEEP = 0xB9


@dataclass(frozen=True)
class Stream:
    """Blocks as the streamer reads them: the words of those before the first wrong one, if there is one."""

    words: Words
    wrong_block: int | None


class FlashChip:
    """`contents` start at byte 0; what they do not reach is erased. Its time comes with each frame, in us.

    `version` rises with each change of the contents.
    """

    def __init__(self, contents: bytes = b"", *, quad: bool = True, present: bool = True) -> None:
        if len(contents) > FLASH_BYTES:
            raise ValueError(f"{len(contents)} bytes do not fit a flash of {FLASH_BYTES}")
        self._data = bytearray(contents)
        self._status_2 = _QUAD if quad else 0
        self._enabled, self._asleep, self._busy_until_us = False, False, 0.0
        self._streams: dict[tuple[int, int], Stream] = {}
        self.present, self.version = present, 0

    @property
    def quad(self) -> bool:
        return bool(self._status_2 & _QUAD)

    @property
    def contents(self) -> bytes:
        """From byte 0 up to the last that was ever written."""
        return bytes(self._data)

    def answers(self, now_us: float) -> bool:
        """Whether a streamer would find it: there, and not busy. Sleep does not matter, it is woken first."""
        return self.present and now_us >= self._busy_until_us

    def wake(self) -> None:
        self._asleep = False

    def frame(self, sent: bytes, now_us: float) -> bytes:
        """One frame with CS low; the bytes beside it are 0xff where the chip drives nothing."""
        floating = b"\xff" * len(sent)
        if not sent or not self.present or (self._asleep and sent[0] != Opcode.WAKE):
            return floating
        busy = now_us < self._busy_until_us
        answer = self._answer(sent, busy)
        if not busy:
            self._act(sent, now_us)
        return (floating[:1] + answer + floating)[: len(sent)]

    def stream(self, address: int, blocks: int) -> Stream:
        """As the accelerator reads it; the same again until the contents change."""
        key = (address, blocks)
        if key not in self._streams:
            self._streams[key] = self._read_stream(address, blocks)
        return self._streams[key]

    def _read_stream(self, address: int, blocks: int) -> Stream:
        image = self._read(address, blocks * BLOCK_BYTES)
        wrong = next(iter(wrong_blocks(image)), None)
        good = image[: BLOCK_BYTES * (blocks if wrong is None else wrong)]
        rows = np.frombuffer(good, np.uint8).reshape(-1, BLOCK_BYTES)[:, :DATA_BYTES]
        return Stream(np.ascontiguousarray(rows).reshape(-1).view("<u4").astype(np.uint32), wrong)

    def _answer(self, sent: bytes, busy: bool) -> bytes:
        """What follows the opcode's byte."""
        rest = len(sent) - 1
        if sent[0] == Opcode.READ_STATUS_1:
            return bytes([self._status_1(busy)]) * rest
        if sent[0] == Opcode.READ_STATUS_2:
            return bytes([self._status_2]) * rest
        if busy:
            return b""
        if sent[0] == Opcode.READ_ID:
            return JEDEC_ID
        if sent[0] == Opcode.WAKE:
            return b"\xff" * 3 + bytes([_DEVICE_ID]) * max(0, rest - 3)
        if sent[0] in (Opcode.READ, Opcode.FAST_READ):
            before = 3 if sent[0] == Opcode.READ else 4
            return b"\xff" * before + self._read(_address(sent), max(0, rest - before))
        return b""

    def _act(self, sent: bytes, now_us: float) -> None:
        """When CS rises behind a frame."""
        opcode = sent[0]
        if opcode in (Opcode.SLEEP, Opcode.WAKE):
            self._asleep = opcode == Opcode.SLEEP
        elif opcode in (Opcode.WRITE_ENABLE, Opcode.WRITE_DISABLE):
            self._enabled = opcode == Opcode.WRITE_ENABLE
        elif self._enabled:
            self._change(sent, now_us)

    def _change(self, sent: bytes, now_us: float) -> None:
        opcode = sent[0]
        if opcode == Opcode.PROGRAM and len(sent) > 4:
            self._begin(now_us + _PAGE_US, lambda: self._program(_address(sent), sent[4:]))
        elif opcode in _ERASES and len(sent) == 4:
            size, time_us = _ERASES[opcode]
            self._begin(now_us + time_us, lambda: self._erase(_address(sent) // size * size, size))
        elif opcode in _CHIP_ERASES and len(sent) == 1:
            self._begin(now_us + _CHIP_US, lambda: self._erase(0, FLASH_BYTES))
        elif opcode in (Opcode.WRITE_STATUS_1, Opcode.WRITE_STATUS_2) and len(sent) in (2, 3):
            self._begin(now_us + _STATUS_US, lambda: self._set_status(sent))

    def _begin(self, until_us: float, change: Callable[[], None]) -> None:
        change()
        self._enabled, self._busy_until_us = False, until_us
        self.version += 1
        self._streams.clear()

    def _set_status(self, sent: bytes) -> None:
        """Status 2 by its own command, or as status 1's second byte; the chip's protections are not modelled."""
        if sent[0] == Opcode.WRITE_STATUS_2 or len(sent) == 3:
            self._status_2 = sent[-1]

    def _program(self, address: int, data: bytes) -> None:
        """Bits fall; past a page's end it goes on at its beginning, and only the last 256 bytes count."""
        page = address // PAGE_BYTES * PAGE_BYTES
        self._reach(page + PAGE_BYTES)
        for at, byte in enumerate(data):
            self._data[page + (address + at) % PAGE_BYTES] &= byte

    def _erase(self, first: int, size: int) -> None:
        end = min(first + size, len(self._data))
        if end > first:
            self._data[first:end] = b"\xff" * (end - first)

    def _reach(self, size: int) -> None:
        self._data.extend(b"\xff" * (size - len(self._data)))

    def _read(self, address: int, count: int) -> bytes:
        """Past the chip's end it goes on at its beginning."""
        parts = []
        while count:
            part = self._data[address : address + min(count, FLASH_BYTES - address)]
            part = part.ljust(min(count, FLASH_BYTES - address), b"\xff")
            parts.append(bytes(part))
            count -= len(part)
            address = 0
        return b"".join(parts)

    def _status_1(self, busy: bool) -> int:
        return busy * _BUSY | self._enabled * _WRITE_ENABLED | (busy * _WRITE_ENABLED)


def _address(sent: bytes) -> int:
    return int.from_bytes(sent[1:4], "big") % FLASH_BYTES
