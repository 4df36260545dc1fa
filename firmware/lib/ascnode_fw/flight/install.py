"""Unpacks a firmware that came by radio into its slot, a file at a time.

A package: header (magic, version u8, files u16, mpy u16), then of each file the length of its name u8, its size u32,
its CRC-32, its name below the slot's folder, and its bytes; little-endian. `mpy` is the sys.implementation._mpy of the
boards that it is for: their bytecode and machine.
"""

import struct

from ascnode_fw.compat import const
from ascnode_fw.flight import slots
from ascnode_fw.wire import dictionary as d

TYPE_CHECKING = False  # type checkers take it for true
if TYPE_CHECKING:
    from ascnode_fw.flight.transfer import Transfer

MAGIC = b"ACFW"
VERSION = 1
HEADER = "<4sBHH"
HEADER_BYTES = const(9)  # struct.calcsize(HEADER)
ENTRY = "<BII"
_ENTRY_BYTES = struct.calcsize(ENTRY)
PACKAGE = "ascnode_fw/"  # every name begins so


def check(transfer: "Transfer", mpy: int) -> int:
    # Whether it is a package for a board of that `mpy` (0: not known). ValueError when it is cut short.
    assert transfer.head is not None
    magic, version, files, made_for = struct.unpack(HEADER, transfer.read(0, HEADER_BYTES))
    if magic != MAGIC or version != VERSION or (mpy and made_for != mpy):
        return d.UPDATE_BAD_IMAGE
    at = HEADER_BYTES
    for _ in range(files):
        name, size, _ = entry(transfer, at)
        if not _allowed(name):
            return d.UPDATE_BAD_IMAGE
        at += _ENTRY_BYTES + len(name) + size
    return d.OK if at == transfer.head.size else d.UPDATE_BAD_IMAGE


def entry(transfer: "Transfer", at: int) -> "tuple[str, int, int]":
    # Name, size and CRC of the file whose entry is there.
    length, size, crc = struct.unpack(ENTRY, transfer.read(at, _ENTRY_BYTES))
    return transfer.read(at + _ENTRY_BYTES, length).decode(), size, crc


def _allowed(name: str) -> bool:
    return name.startswith(PACKAGE) and ".." not in name and "//" not in name and not name.endswith("/")


def clear(transfer: "Transfer", slot: int) -> None:
    # Empties the slot.
    for name in transfer.store.names(slots.FIRMWARES[slot]):
        transfer.store.remove(name)


def unpack(transfer: "Transfer", slot: int, at: int) -> int:
    # Writes the file whose entry is there, reads it back, and returns where the next one is. OSError as of the store.
    name, size, crc = entry(transfer, at)
    at += _ENTRY_BYTES + len(name)
    path = slots.FIRMWARES[slot] + "/" + name
    transfer.store.write_parts(path, transfer.parts(at, size))
    if transfer.store.crc(path) != crc:
        raise OSError(5)  # EIO: the flash did not keep it
    return at + size
