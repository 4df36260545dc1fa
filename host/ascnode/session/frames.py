"""Frames on the host's side: COBS by the `cobs` package, CRC-32 by zlib; the firmware has its own of both."""

import struct
import zlib

from cobs import cobs

from ascnode_fw.wire.frame import MAX_BODY

# The longest a frame may be before its delimiter: body, CRC, and a stuffing byte for every 254.
LONGEST = (MAX_BODY + 4) + (MAX_BODY + 4) // 254 + 1


def encode(body: bytes) -> bytes:
    """A frame with its delimiter; ValueError when the body is too long."""
    if len(body) > MAX_BODY:
        raise ValueError(f"a body of {len(body)} bytes is longer than {MAX_BODY}")
    return bytes(cobs.encode(body + struct.pack("<I", zlib.crc32(body)))) + b"\0"


class Deframer:
    """Cuts a stream into bodies; what is damaged is counted and dropped. Holds at most one frame's bytes."""

    def __init__(self) -> None:
        self._rest = b""
        self.bad = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The intact bodies that end in this chunk."""
        pieces = (self._rest + data).split(b"\0")
        self._rest = pieces.pop()
        if len(self._rest) > LONGEST:
            self._rest = self._rest[: LONGEST + 1]
        bodies = []
        for piece in pieces:
            if not piece:
                continue
            body = self._body(piece)
            if body is None:
                self.bad += 1
            else:
                bodies.append(body)
        return bodies

    @property
    def trailing_text(self) -> str:
        """What came after the last delimiter, as text: where a board says why it left its firmware."""
        text = self._rest.decode("ascii", "replace")
        return " ".join("".join(c if c.isprintable() and c != "\ufffd" else " " for c in text).split())

    @staticmethod
    def _body(piece: bytes) -> bytes | None:
        if len(piece) > LONGEST:
            return None
        try:
            data = bytes(cobs.decode(piece))
        except cobs.DecodeError:
            return None
        if len(data) < 4 or struct.pack("<I", zlib.crc32(data[:-4])) != data[-4:]:
            return None
        return data[:-4]
