"""Parameters that the ground sets: limits checked, kept in flash, whole after a power cut at any moment."""

import struct
from array import array
from binascii import crc32

from ascnode_fw.compat import const
from ascnode_fw.wire.dictionary import NOT_STORED, OK, OUT_OF_LIMITS, UNKNOWN_PARAMETER

TYPE_CHECKING = False  # type checkers take it for true
if TYPE_CHECKING:
    from ascnode_fw.protocols import Store

# File: magic, version u8, rows u16, then (id u16, value i32) a row, then CRC-32 of all that; little-endian.
_MAGIC = const(0x50)
_VERSION = const(1)
_HEADER_BYTES = const(4)
_ROW_BYTES = const(6)
_CRC_BYTES = const(4)


class Params:
    """Values by parameter id. The file holds only what was set, so new firmware brings its own defaults."""

    def __init__(
        self,
        store: "Store",
        definitions: "tuple[tuple[int, str, int, int, int, str], ...]",
        name: str = "params",
    ) -> None:
        # definitions: rows (id u16, name, default, low, high, unit), limits inclusive and within 31 bits.
        self._store = store
        self._definitions = definitions
        self._name = name
        self._slots = {row[0]: slot for slot, row in enumerate(definitions)}
        self.values = array("i", [row[2] for row in definitions])  # in the order of the definitions
        self._is_set = bytearray(len(definitions))
        self.corrupt = 0  # file unreadable, damaged or of another version: defaults are in force
        self.unknown = 0  # stored ids that this firmware does not define
        self.out_of_limits = 0  # stored values outside this firmware's limits: their defaults are in force
        self._load()

    def get(self, parameter_id: int) -> int:
        # KeyError when there is no such parameter.
        return self.values[self._slots[parameter_id]]

    def set(self, parameter_id: int, value: int) -> int:
        # OK (0), the value in force and stored; or why not, and nothing has changed.
        slot = self._slots.get(parameter_id)
        if slot is None:
            return UNKNOWN_PARAMETER
        if not self._allows(slot, value):
            return OUT_OF_LIMITS
        before, was_set = self.values[slot], self._is_set[slot]
        if was_set and before == value:
            return OK  # spares the flash
        self.values[slot] = value
        self._is_set[slot] = 1
        try:
            self._store.write(self._name, self._pack())
        except OSError:
            self.values[slot] = before
            self._is_set[slot] = was_set
            return NOT_STORED
        return OK

    def _allows(self, slot: int, value: int) -> bool:
        row = self._definitions[slot]
        return row[3] <= value <= row[4]

    def _pack(self) -> bytes:
        rows = sum(self._is_set)
        image = bytearray(_HEADER_BYTES + rows * _ROW_BYTES + _CRC_BYTES)
        struct.pack_into("<BBH", image, 0, _MAGIC, _VERSION, rows)
        at = _HEADER_BYTES
        for slot, row in enumerate(self._definitions):
            if self._is_set[slot]:
                struct.pack_into("<Hi", image, at, row[0], self.values[slot])
                at += _ROW_BYTES
        struct.pack_into("<I", image, at, crc32(memoryview(image)[:at]))
        return bytes(image)

    def _load(self) -> None:
        try:
            image = self._store.read(self._name)
        except OSError:
            image = b""
        if image is None:
            return
        if not _is_intact(image):
            self.corrupt += 1
            return
        for at in range(_HEADER_BYTES, len(image) - _CRC_BYTES, _ROW_BYTES):
            parameter_id, value = struct.unpack_from("<Hi", image, at)
            self._restore(parameter_id, value)

    def _restore(self, parameter_id: int, value: int) -> None:
        slot = self._slots.get(parameter_id)
        if slot is None:
            self.unknown += 1
        elif not self._allows(slot, value):
            self.out_of_limits += 1
        else:
            self.values[slot] = value
            self._is_set[slot] = 1


def _is_intact(image: bytes) -> bool:
    end = len(image) - _CRC_BYTES
    if end < _HEADER_BYTES or crc32(memoryview(image)[:end]) != struct.unpack_from("<I", image, end)[0]:
        return False
    magic, version, rows = struct.unpack_from("<BBH", image, 0)
    return (magic, version, _HEADER_BYTES + rows * _ROW_BYTES) == (_MAGIC, _VERSION, end)
