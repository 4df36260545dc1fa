"""An image on its way up: chunks in any order, gathered to blocks of which each is a file, and a head that names it.

A block's file is written when the block is whole, or when a chunk of another one comes: the flash sees about one write
a block, and a power cut loses the chunks of one. What is there follows from the files; there is no journal beside them.
"""

import hashlib
import struct
from binascii import crc32
from collections import namedtuple

from ascnode_fw.compat import const
from ascnode_fw.flight import update_words as u_
from ascnode_fw.flight.slots import UPDATE_HEAD as HEAD
from ascnode_fw.wire import dictionary as d

TYPE_CHECKING = False  # type checkers take it for true
if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterator
    from typing import NamedTuple

    from ascnode_fw.protocols import Store

    class Head(NamedTuple):
        kind: int
        key: int
        size: int
        hash: bytes
        signature: bytes

else:
    Head = namedtuple("Head", ("kind", "key", "size", "hash", "signature"))

CHUNK = const(504)  # eight of them, and the byte that says which are there, fit a flash block of 4,096
CHUNKS = const(8)
BLOCK = const(4032)
BLOCKS_MAX = const(255)

FOLDER = "update"
_HEAD_FORMAT = ">BHI32s16s"  # then CRC-32
_ENOSPC = const(28)


class Transfer:
    """`buffer` holds the block that is being gathered: its mask of chunks, then its bytes. The rest is in the store."""

    def __init__(self, store: "Store", words: "array[int]", buffer: bytearray) -> None:
        self.store = store
        self.words = words
        self.buffer = buffer  # of 1 + BLOCK bytes
        self._view = memoryview(self.buffer)
        self.head: "Head | None" = None
        self.masks = bytearray()  # of the blocks in the store
        self._cached = -1  # the block in `buffer` while an image is read

    def look(self) -> None:
        # What the store holds.
        self._cached = -1
        self.masks = bytearray()
        self.head = head = _head(self.store.read(HEAD))
        if head is None:
            return
        self.masks = bytearray((head.size + BLOCK - 1) // BLOCK)
        first = bytearray(1)
        for block in range(len(self.masks)):
            if self.store.read_into(_name(block), first) == 1:
                self.masks[block] = first[0] & self._whole(block)

    def begin(self, head: Head) -> None:
        # Goes on with what is there of the same image; anything else is thrown away first. OSError as of the store.
        if self.head == head:
            return
        self.drop()
        data = struct.pack(_HEAD_FORMAT, *head)
        self.store.write(HEAD, data + struct.pack(">I", crc32(data)))
        self.look()

    def drop(self) -> None:
        # The head first: blocks without one are nothing.
        self.store.remove(HEAD)
        self.head = None
        self.masks = bytearray()
        self._forget()
        for name in self.store.names(FOLDER):
            self.store.remove(name)

    def chunk(self, offset: int, data: memoryview) -> int:
        # OK also when it is there already. NOT_STORED and UPDATE_NO_ROOM: its block's chunks have to come again.
        assert self.head is not None  # the caller has looked
        at = offset % BLOCK
        if at % CHUNK or offset >= self.head.size or len(data) != min(CHUNK, self.head.size - offset):
            return d.BAD_ARGUMENTS
        block = offset // BLOCK
        bit = 1 << at // CHUNK
        if self.mask(block) & bit:
            return d.OK
        code = self._hold(block)
        if code:
            return code
        self._view[1 + at : 1 + at + len(data)] = data
        self.words[u_.MASK] |= bit
        return self._keep() if self.words[u_.MASK] == self._whole(block) else d.OK

    def mask(self, block: int) -> int:
        w = self.words
        return w[u_.MASK] if w[u_.BLOCK] == block + 1 else self.masks[block]

    def complete(self) -> bool:
        for block in range(len(self.masks)):
            if self.mask(block) != self._whole(block):
                return False
        return bool(self.masks)

    def _whole(self, block: int) -> int:
        # The mask of a block that is all there.
        return (1 << (self._size(block) + CHUNK - 1) // CHUNK) - 1

    def _size(self, block: int) -> int:
        assert self.head is not None
        return min(BLOCK, self.head.size - block * BLOCK)

    def _hold(self, block: int) -> int:
        # Makes it the block in memory.
        w = self.words
        if w[u_.BLOCK] == block + 1:
            return d.OK
        code = self._keep() if w[u_.BLOCK] else d.OK
        if code:
            return code
        self._cached = -1
        if self.masks[block]:
            self.store.read_into(_name(block), self.buffer)
        w[u_.BLOCK] = block + 1
        w[u_.MASK] = self.masks[block]
        return d.OK

    def _keep(self) -> int:
        # Puts the block in memory into the store.
        block = self.words[u_.BLOCK] - 1
        mask = self.buffer[0] = self.words[u_.MASK]
        self._forget()
        try:
            self.store.write(_name(block), self._view[: 1 + self._size(block)])
        except OSError as error:
            return code_of(error)
        self.masks[block] = mask
        return d.OK

    def _forget(self) -> None:
        self.words[u_.BLOCK] = self.words[u_.MASK] = 0

    # --- reading a complete image

    def parts(self, at: int, size: int) -> "Iterator[memoryview]":
        # Its bytes from an offset on, as they lie in the blocks; each is valid until the next one.
        while size > 0:
            n = min(size, BLOCK - at % BLOCK)
            self._cache(at // BLOCK)
            yield self._view[1 + at % BLOCK : 1 + at % BLOCK + n]
            at += n
            size -= n

    def read(self, at: int, size: int) -> bytes:
        # ValueError past the image's end.
        assert self.head is not None
        if size < 0 or at + size > self.head.size:
            raise ValueError("image cut short")
        out = bytearray(size)
        to = 0
        for part in self.parts(at, size):
            out[to : to + len(part)] = part
            to += len(part)
        return bytes(out)

    def _cache(self, block: int) -> None:
        if self._cached != block:
            if self.store.read_into(_name(block), self.buffer) != 1 + self._size(block):
                raise ValueError("block cut short")
            self._cached = block

    def digest(self) -> bytes:
        assert self.head is not None
        h = hashlib.sha256()
        self._cached = -1  # of what the flash holds, not of what was read once
        for part in self.parts(0, self.head.size):
            h.update(part)
        return h.digest()


def signed_text(head: Head) -> bytes:
    # What a signature is over: kind, size and hash of the image.
    return struct.pack(">11sBI32s", b"ascnode_fw1", head.kind, head.size, head.hash)


def code_of(error: OSError) -> int:
    return d.UPDATE_NO_ROOM if error.args[0] == _ENOSPC else d.NOT_STORED


def _name(block: int) -> str:
    return "%s/%03d" % (FOLDER, block)


def _head(data: "bytes | None") -> "Head | None":
    if data is None or len(data) != struct.calcsize(_HEAD_FORMAT) + 4:
        return None
    if struct.pack(">I", crc32(data[:-4])) != data[-4:]:
        return None
    head = Head(*struct.unpack(_HEAD_FORMAT, data[:-4]))
    return head if 0 < head.size <= BLOCKS_MAX * BLOCK and head.kind <= d.UPDATE_FIRMWARE else None
