"""A twin's flash: files in memory."""

import errno

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

    def read_at(self, name: str, at: int, into: memoryview) -> int:
        """A part of a file; how many bytes there were. OSError when there is no such file."""
        if name not in self.files:
            raise OSError(errno.ENOENT, "no such file", name)
        part = self.files[name][at : at + len(into)]
        into[: len(part)] = part
        return len(part)

    def write(self, name: str, data: bytes) -> None:
        """Replaces the file; BoardError when power fails here."""
        self._cut_in -= 1
        if self._cut_in or self._new:
            self.files[name] = bytes(data)
        if self._cut_in == 0:
            raise BoardError(f"it lost power as it wrote {name}")
