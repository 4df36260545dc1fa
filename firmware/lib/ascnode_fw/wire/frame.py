"""Frames on the wire: COBS(body + CRC-32 of the body, little-endian) and a zero byte as delimiter.

COBS: S. Cheshire and M. Baker, "Consistent Overhead Byte Stuffing", IEEE/ACM Trans. Networking 7(2), 1999.
Both directions work in place and a block at a time, so that a board does not loop over every byte.
"""

import struct
from binascii import crc32

from ascnode_fw.compat import const

MAX_BODY = const(1024)
MAX_FRAME = const(1034)  # frame_size(MAX_BODY)

_CRC_BYTES = const(4)
_FULL_BLOCK = const(255)  # code of a block of 254 bytes with no zero behind it
_CRC_RESIDUE = const(0x2144DF1C)  # CRC-32 of anything followed by its own CRC-32, little-endian
_SLACK = const(512)  # room behind the longest frame, so that small chunks rarely move what is held
_ZERO = b"\0"


def frame_size(body_bytes: int) -> int:
    # Most bytes a frame of such a body can take, delimiter included: one code byte per 254 begun.
    return body_bytes + _CRC_BYTES + 2 + (body_bytes + _CRC_BYTES - 1) // 254


def encode(body: "bytes | bytearray | memoryview", out: bytearray) -> int:
    # Writes one frame, delimiter included, to the start of `out` and returns its length in bytes.
    # ValueError when the body is empty or over MAX_BODY, or when `out` could be too short.
    size = len(body)
    if not 0 < size <= MAX_BODY:
        raise ValueError("body of %d bytes, allowed are 1 to %d" % (size, MAX_BODY))
    if frame_size(size) > len(out):
        raise ValueError("frame needs up to %d bytes, the buffer has %d" % (frame_size(size), len(out)))
    out[1 : size + 1] = body
    struct.pack_into("<I", out, size + 1, crc32(body))
    return _stuff(out, size + 1 + _CRC_BYTES)


def _stuff(out: bytearray, end: int) -> int:
    # Turns out[1:end] into COBS from out[0] on: each zero becomes the distance to the next one.
    code_at = 0
    while True:
        stop = code_at + _FULL_BLOCK if code_at + _FULL_BLOCK < end else end
        zero_at = out.find(_ZERO, code_at + 1, stop)
        if zero_at >= 0:
            out[code_at] = zero_at - code_at
            code_at = zero_at
            continue
        out[code_at] = stop - code_at
        if stop == end:
            break
        view = memoryview(out)
        view[stop + 1 : end + 1] = view[stop:end]
        end += 1
        code_at = stop
    out[end] = 0
    return end + 1


class Deframer:
    """Cuts a byte stream into the bodies of intact frames; counts what it drops."""

    def __init__(self, max_body: int = MAX_BODY) -> None:
        self.frames = 0  # intact
        self.bad_crc = 0  # also frames too short to hold a body and a CRC
        self.bad_cobs = 0
        self.too_long = 0
        self._max_body = max_body
        self._longest = frame_size(max_body) - 1  # bytes between two delimiters
        self._raw = bytearray(self._longest + _SLACK)
        self._view = memoryview(self._raw)
        self._start = 0  # the frame under way is raw[start:end]
        self._scan = 0  # there is no delimiter in raw[start:scan]
        self._end = 0
        self._skipping = False  # inside a frame already counted as too long
        self._rest: "bytes | bytearray | memoryview | None" = None  # of the chunk, does not fit yet

    def push(self, data: "bytes | bytearray | memoryview") -> None:
        # Takes the next chunk, of any size. A chunk that does not fit is kept by reference: leave it
        # as it is until pop() has returned None. Memory stays bounded when every push is popped dry.
        if self._rest is not None:
            data = bytes(self._rest) + bytes(data)
        self._rest = data
        self._fill()

    def pop(self) -> "memoryview | None":
        # The body of the next intact frame, valid until the next push or pop; None when there is none.
        while True:
            stop = self._raw.find(_ZERO, self._scan, self._end)
            if stop >= 0:
                start = self._start
                self._start = self._scan = stop + 1
                body = self._close(start, stop)
                if body is not None:
                    return body
                continue
            self._scan = self._end
            self._drop_overlong()
            if self._rest is None:
                return None
            self._fill()

    def _fill(self) -> None:
        # Moves as much of the chunk as fits behind the frame under way.
        data = self._rest
        if data is None:
            return
        size = len(data)
        if size > len(self._raw) - self._end or self._start == self._end:
            self._move_to_front()
        end = self._end
        room = len(self._raw) - end
        if size <= room:
            self._view[end : end + size] = data
            self._end = end + size
            self._rest = None
        else:
            rest = memoryview(data)
            self._view[end:] = rest[:room]
            self._end = end + room
            self._rest = rest[room:]

    def _move_to_front(self) -> None:
        held = self._end - self._start
        if held and self._start:
            self._view[:held] = self._view[self._start : self._end]
        self._scan -= self._start
        self._start = 0
        self._end = held

    def _drop_overlong(self) -> None:
        # Forgets a frame under way that can no longer be one; the next delimiter ends the skipping.
        if not self._skipping and self._end - self._start > self._longest:
            self._skipping = True
            self.too_long += 1
        if self._skipping:
            self._start = self._scan = self._end = 0

    def _close(self, start: int, stop: int) -> "memoryview | None":
        # Judges the frame raw[start:stop], delimiter excluded.
        if self._skipping or start == stop:
            self._skipping = False
            return None
        if stop - start > self._longest:
            self.too_long += 1
            return None
        first = self._unstuff(start, stop)
        if first < 0:
            self.bad_cobs += 1
            return None
        body_bytes = stop - first - _CRC_BYTES
        if body_bytes > self._max_body:
            self.too_long += 1
            return None
        checked = self._view[first:stop]
        if body_bytes < 1 or crc32(checked) != _CRC_RESIDUE:
            self.bad_crc += 1
            return None
        self.frames += 1
        return checked[:body_bytes]

    def _unstuff(self, start: int, stop: int) -> int:
        # Decodes raw[start:stop] in place, its end staying; returns where it begins then, -1 if no COBS.
        # A code byte stands where the zero was; behind a full block there was none, and the gap is closed.
        raw = self._raw
        code = raw[start]
        at = start + code
        while at < stop:
            if code == _FULL_BLOCK:
                code = raw[at]
                self._view[start + 1 : at + 1] = self._view[start:at]
                start += 1
            else:
                code = raw[at]
                raw[at] = 0
            at += code
        return start + 1 if at == stop else -1
