"""A twin's flash: files in memory."""

import errno
from collections.abc import Callable, Iterable
from zlib import crc32

from ascnode.errors import BoardError


class MemoryStore:
    """The firmware's storage protocol over a dict."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = dict(files)
        self._cut_in = 0
        self._new = False

    def cut_at(self, number: int, new: bool) -> None:
        """BoardError at that write (1 is the next); the file is then old, or new."""
        self._cut_in, self._new = number, new

    def read(self, name: str) -> bytes | None:
        """The bytes, or None when there is no such file."""
        return self.files.get(name)

    def read_into(self, name: str, buf: bytearray | memoryview) -> int:
        """As many bytes as fit; how many, -1 without such a file."""
        data = self.files.get(name)
        if data is None:
            return -1
        size = min(len(data), len(buf))
        buf[:size] = data[:size]
        return size

    def crc(self, name: str) -> int:
        """CRC-32 of the file, -1 without one."""
        return crc32(self.files[name]) if name in self.files else -1

    def names(self, folder: str) -> list[str]:
        """All files in a folder and below, sorted."""
        return sorted(name for name in self.files if name.startswith(f"{folder}/"))

    def read_at(self, name: str, at: int, into: memoryview) -> int:
        """A part of a file; how many bytes there were. OSError when there is no such file."""
        if name not in self.files:
            raise OSError(errno.ENOENT, "no such file", name)
        part = self.files[name][at : at + len(into)]
        into[: len(part)] = part
        return len(part)

    def write(self, name: str, data: bytes | memoryview) -> None:
        """Replaces the file; BoardError when power fails here."""
        self.write_parts(name, (data,))

    def write_parts(self, name: str, parts: Iterable[bytes | memoryview]) -> None:
        """As write(), of a file that comes in parts."""
        data = b"".join(bytes(part) for part in parts)  # each is valid until the next one
        self._lose_power(name, lambda: self.files.__setitem__(name, data))

    def remove(self, name: str) -> None:
        """Forgets the file, if there is one; BoardError when power fails here."""
        if name in self.files:
            self._lose_power(name, lambda: self.files.__delitem__(name))

    def _lose_power(self, name: str, change: Callable[[], None]) -> None:
        self._cut_in -= 1
        if self._cut_in or self._new:
            change()
        if self._cut_in == 0:
            raise BoardError(f"it lost power as it wrote {name}")
