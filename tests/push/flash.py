"""Flash in memory that is full at a point, as a board's is."""

import errno
from collections.abc import Iterable

from ascnode.twin.store import MemoryStore


class FullStore(MemoryStore):
    """Takes no file that would make all files together larger than `room` bytes, old and new one counted."""

    room = 1 << 30

    def used(self) -> int:
        return sum(map(len, self.files.values()))

    def write_parts(self, name: str, parts: Iterable[bytes | memoryview]) -> None:
        data = b"".join(bytes(part) for part in parts)
        if name != "sequence0" and self.used() + len(data) > self.room:
            raise OSError(errno.ENOSPC, "no space", name)
        super().write_parts(name, (data,))
