"""CCSDS space packets (CCSDS 133.0-B-2), big-endian, packed into and read from buffers that the caller owns.

Telecommand: primary header, key index u16, sequence u32, command u8, arguments, MAC (see auth.py).
Telemetry: primary header, CUC time (u32 s since the scenario's epoch, u16 of 1/65536 s), packet id u8, data.
"""

import struct
from collections import namedtuple

from ascnode_fw.compat import const

TYPE_CHECKING = False  # type checkers take it for true

# Why a packet was refused; one numbering with the codes of auth.py (8 to 15).
SHORT = const(1)
LENGTH_MISMATCH = const(2)
BAD_VERSION = const(3)
WRONG_TYPE = const(4)
NO_SECONDARY_HEADER = const(5)
SEGMENTED = const(6)

MAC_BYTES = const(16)
HEADER_BYTES = const(6)
TC = const(0x1000)  # kinds of packet: the header's type bit
TM = const(0)
TC_BYTES = const(29)  # of a telecommand without arguments
TM_BYTES = const(13)  # of a telemetry packet without data

_SECONDARY = const(0x0800)
_UNSEGMENTED = const(0xC000)
_FIXED_BYTES = const(13)  # headers of either kind, before arguments or data


class PacketError(ValueError):
    """Not a packet of the wanted kind; `code` is one of the numbers above."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


if TYPE_CHECKING:
    from typing import NamedTuple

    class Telecommand(NamedTuple):
        apid: int
        packet_count: int
        key_index: int
        sequence: int
        command: int
        arguments: memoryview

    class Telemetry(NamedTuple):
        apid: int
        packet_count: int
        seconds: int
        ms: int
        packet_id: int
        data: memoryview

else:
    # One block of heap each, where an instance with attributes takes four and leaves holes.
    # `arguments` and `data` are slices of the packet that was read.
    Telecommand = namedtuple(
        "Telecommand", ("apid", "packet_count", "key_index", "sequence", "command", "arguments")
    )
    Telemetry = namedtuple("Telemetry", ("apid", "packet_count", "seconds", "ms", "packet_id", "data"))


def pack_tc(
    out: "bytearray | memoryview",
    apid: int,
    count: int,
    key_index: int,
    sequence: int,
    command: int,
    arguments: "bytes | bytearray | memoryview",
) -> int:
    # Returns the packet's length in bytes, its last MAC_BYTES left for auth.seal() to fill.
    # `count` is taken modulo 2^14. ValueError when `out` is too short or the APID too large.
    end = _FIXED_BYTES + len(arguments)
    total = end + MAC_BYTES
    _check_fit(out, total, apid)
    struct.pack_into(
        ">HHHHIB",
        out,
        0,
        TC | _SECONDARY | apid,
        _UNSEGMENTED | count & 0x3FFF,
        total - HEADER_BYTES - 1,
        key_index,
        sequence,
        command,
    )
    out[_FIXED_BYTES:end] = arguments
    return total


def pack_tm(
    out: "bytearray | memoryview",
    apid: int,
    count: int,
    seconds: int,
    ms: int,
    packet_id: int,
    data: "bytes | bytearray | memoryview",
) -> int:
    # Returns the packet's length in bytes. `count` is taken modulo 2^14, `ms` is 0 to 999.
    # ValueError when `out` is too short or the APID too large.
    total = _FIXED_BYTES + len(data)
    _check_fit(out, total, apid)
    struct.pack_into(
        ">HHHIHB",
        out,
        0,
        TM | _SECONDARY | apid,
        _UNSEGMENTED | count & 0x3FFF,
        total - HEADER_BYTES - 1,
        seconds,
        (ms * 65536 + 500) // 1000,
        packet_id,
    )
    out[_FIXED_BYTES:total] = data
    return total


def fault(packet: memoryview, kind: int) -> int:
    # 0 when `packet` is exactly one packet of `kind` (TC or TM), else why not: a code from above.
    size = len(packet)
    if size < (TC_BYTES if kind == TC else TM_BYTES):
        return SHORT
    word, counted, length = struct.unpack_from(">HHH", packet, 0)
    if word >> 13:
        return BAD_VERSION
    if word & TC != kind:
        return WRONG_TYPE
    if not word & _SECONDARY:
        return NO_SECONDARY_HEADER
    if counted & _UNSEGMENTED != _UNSEGMENTED:
        return SEGMENTED
    return 0 if length + HEADER_BYTES + 1 == size else LENGTH_MISMATCH


def unpack_tc(packet: memoryview) -> Telecommand:
    # PacketError unless `packet` is exactly one telecommand. The MAC is not looked at.
    code = fault(packet, TC)
    if code:
        raise _error(code, packet)
    words = struct.unpack_from(">HHHHIB", packet, 0)
    arguments = packet[_FIXED_BYTES : len(packet) - MAC_BYTES]
    return Telecommand(words[0] & 0x7FF, words[1] & 0x3FFF, words[3], words[4], words[5], arguments)


def unpack_tm(packet: memoryview) -> Telemetry:
    # PacketError unless `packet` is exactly one telemetry packet.
    code = fault(packet, TM)
    if code:
        raise _error(code, packet)
    words = struct.unpack_from(">HHHIHB", packet, 0)
    # Another sender's last 0.5 ms of a second rounds to the next.
    time_ms = (words[4] * 1000 + 32768) // 65536
    data = packet[_FIXED_BYTES:]
    return Telemetry(
        words[0] & 0x7FF, words[1] & 0x3FFF, words[3] + time_ms // 1000, time_ms % 1000, words[5], data
    )


def _check_fit(out: "bytearray | memoryview", total: int, apid: int) -> None:
    if len(out) < total:
        raise ValueError("packet of %d bytes, the buffer has %d" % (total, len(out)))
    if not 0 <= apid <= 0x7FF:
        raise ValueError("APID %d does not fit in 11 bits" % apid)


def _error(code: int, packet: memoryview) -> PacketError:
    size = len(packet)
    if code == SHORT:
        text = "packet of %d bytes; a telecommand has at least %d, telemetry %d" % (size, TC_BYTES, TM_BYTES)
    elif code == LENGTH_MISMATCH:
        said = struct.unpack_from(">H", packet, 4)[0] + HEADER_BYTES + 1
        text = "packet says %d bytes, has %d" % (said, size)
    else:
        text = "packet header %02x%02x %02x%02x is not of the kind wanted" % tuple(packet[:4])
    return PacketError(code, text)
