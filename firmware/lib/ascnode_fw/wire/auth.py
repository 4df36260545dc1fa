"""Who may command: HMAC-SHA256 (RFC 2104) cut to 16 bytes, and a replay counter that survives power cuts."""

import hashlib
import struct
from array import array
from binascii import crc32

from ascnode_fw.compat import const
from ascnode_fw.wire.packet import MAC_BYTES, TC, Telecommand, fault, unpack_tc

TYPE_CHECKING = False  # type checkers take it for true
if TYPE_CHECKING:
    from ascnode_fw.protocols import Store

# Why a telecommand was refused; one numbering with the codes of packet.py (1 to 6).
OK = const(0)
UNKNOWN_KEY = const(8)
BAD_MAC = const(9)
REPLAYED = const(10)  # not above the last sequence number accepted
BEYOND_WINDOW = const(11)  # further ahead than the window, or no sequence numbers left
COUNTER_LOST = const(12)  # the stored mark cannot be read: no telecommand can be told from a replay
COUNTER_NOT_STORED = const(13)  # the flash did not take the new mark
CODES = const(16)

AHEAD = const(64)  # sequence numbers reserved per flash write
WINDOW = const(4096)  # a sequence number may be this far ahead of the last accepted
SEQUENCE_MAX = const(0x3FFF0000)  # keeps every mark a small integer on a 32-bit board

_BLOCK_BYTES = const(64)  # of SHA-256
_COPY_BYTES = const(8)  # mark u32, CRC-32 u32, little-endian; stored twice


class Signer:
    """HMAC-SHA256 under one key, its two padded blocks made once."""

    def __init__(self, key: bytes) -> None:
        if len(key) > _BLOCK_BYTES:
            key = hashlib.sha256(key).digest()
        key = key + bytes(_BLOCK_BYTES - len(key))
        self._inner = bytes([byte ^ 0x36 for byte in key])
        self._outer = bytes([byte ^ 0x5C for byte in key])

    def digest(self, message: "bytes | bytearray | memoryview") -> bytes:
        # All 32 bytes.
        inner = hashlib.sha256(self._inner)
        inner.update(message)
        outer = hashlib.sha256(self._outer)
        outer.update(inner.digest())
        return outer.digest()

    def sign(self, packet_without_mac: "bytes | bytearray | memoryview") -> bytes:
        return self.digest(packet_without_mac)[:MAC_BYTES]

    def signed(self, packet: memoryview) -> bool:
        # Whether the packet's last MAC_BYTES are the MAC of what stands before them.
        split = len(packet) - MAC_BYTES
        return same(self.sign(packet[:split]), packet[split:])


def sign(key: bytes, packet_without_mac: "bytes | bytearray | memoryview") -> bytes:
    # The MAC_BYTES to put behind the packet.
    return Signer(key).sign(packet_without_mac)


def seal(key: bytes, packet: memoryview) -> None:
    # Writes the MAC over the last MAC_BYTES of a packet that pack_tc() made.
    split = len(packet) - MAC_BYTES
    packet[split:] = sign(key, packet[:split])


def same(left: "bytes | memoryview", right: "bytes | memoryview") -> bool:
    # Compares in a time that does not depend on where the bytes differ.
    if len(left) != len(right):
        return False
    difference = 0
    for index in range(len(left)):
        difference |= left[index] ^ right[index]
    return difference == 0


class ReplayCounter:
    """Last accepted sequence number of one key. The store holds a mark that no accepted number is above.

    `last` is what a sender has to exceed; a boot raises it to the mark.
    """

    def __init__(self, store: "Store", name: str, ahead: int = AHEAD, window: int = WINDOW) -> None:
        self._store = store
        self._name = name
        self._ahead = ahead
        self._window = window
        self.writes = 0
        self.reserved = self.last = self._load()  # -1: lost

    def accept(self, sequence: int) -> int:
        # Returns OK and takes `sequence` for used, or why not. Call it only with an authentic number.
        if self.last < 0:
            return COUNTER_LOST
        if sequence <= self.last:
            return REPLAYED
        if sequence - self.last > self._window or sequence > SEQUENCE_MAX:
            return BEYOND_WINDOW
        if sequence > self.reserved and not self._reserve(sequence + self._ahead - 1):
            return COUNTER_NOT_STORED
        self.last = sequence
        return OK

    def _reserve(self, mark: int) -> bool:
        # Before the first number it covers is used: a cut in between wastes numbers, and repeats none.
        copy = struct.pack("<I", mark)
        copy += struct.pack("<I", crc32(copy))
        try:
            self._store.write(self._name, copy + copy)
        except OSError:
            return False
        self.writes += 1
        self.reserved = mark
        return True

    def _load(self) -> int:
        # Absent: a new key, from 0. Two copies, so that one flipped bit does not lock the commander out.
        try:
            stored = self._store.read(self._name)
        except OSError:
            return -1
        if stored is None:
            return 0
        return max(_mark(stored[:_COPY_BYTES]), _mark(stored[_COPY_BYTES:]))


def _mark(copy: bytes) -> int:
    # The mark, or -1 when this copy is damaged.
    if len(copy) != _COPY_BYTES:
        return -1
    mark, crc = struct.unpack("<II", copy)
    return mark if crc32(copy[:4]) == crc else -1


class Verifier:
    """Lets a telecommand through once, if a known key signed it; counts refusals by code."""

    def __init__(self, keys: "dict[int, bytes]", counters: "dict[int, ReplayCounter]") -> None:
        # Both by key index; every key needs its counter.
        self._signers = {index: Signer(key) for index, key in keys.items()}
        self._counters = {index: counters[index] for index in keys}
        self.accepted = 0
        self.refusals = array("i", [0] * CODES)
        self.telecommand: "Telecommand | None" = (
            None  # the last one read: not to be trusted unless check() said OK
        )

    def check(self, packet: memoryview) -> int:
        # OK (0) or why the packet is refused: a code of this module or of packet.py.
        code = self._judge(packet)
        if code == OK:
            self.accepted += 1
        else:
            self.refusals[code] = (self.refusals[code] + 1) & 0x3FFFFFFF
        return code

    def _judge(self, packet: memoryview) -> int:
        # The sequence number is looked at last: a forged one must not move anything.
        self.telecommand = None
        code = fault(packet, TC)
        if code:
            return code
        self.telecommand = command = unpack_tc(packet)
        signer = self._signers.get(command.key_index)
        if signer is None:
            return UNKNOWN_KEY
        if not signer.signed(packet):
            return BAD_MAC
        return self._counters[command.key_index].accept(command.sequence)
