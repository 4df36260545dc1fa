"""Small files that are old or new after a power cut, never torn. Runs on littlefs boards and on CPython."""

import os

_TEMPORARY = ".new"


class FileStore:
    """Named byte strings in one folder."""

    def __init__(self, root: str) -> None:
        self._root = root.rstrip("/")

    def read(self, name: str) -> bytes | None:
        # None: no such file. Anything else (a broken flash) is the caller's to see.
        try:
            file = open(self._root + "/" + name, "rb")
        except OSError as error:
            if error.args[0] == 2:  # ENOENT
                return None
            raise
        # Closed on every path: a finaliser that reaches a block device during a collection fails.
        try:
            return file.read()
        finally:
            file.close()

    def read_at(self, name: str, at: int, into: memoryview) -> int:
        # A part of it, from byte `at` on; how many bytes there were.
        file = open(self._root + "/" + name, "rb")
        try:
            file.seek(at)
            return file.readinto(into)
        finally:
            file.close()

    def write(self, name: str, data: bytes) -> None:
        # littlefs commits a file at close and a rename at once, replacing its target.
        path = self._root + "/" + name
        temporary = path + _TEMPORARY
        file = open(temporary, "wb")
        try:
            file.write(data)
            file.flush()
        finally:
            file.close()
        os.rename(temporary, path)
