"""Small files that are old or new after a power cut, never torn. Runs on littlefs boards and on CPython."""

import os
from binascii import crc32

TYPE_CHECKING = False  # type checkers take it for true
if TYPE_CHECKING:
    from collections.abc import Iterable
    from io import BufferedReader, BufferedWriter

_TEMPORARY = ".new"
_FOLDER = 0x4000  # of a mode
_PIECE = 512  # read at once for a CRC


class FileStore:
    """Named byte strings in one folder; a name may hold folders of its own, which are made as needed."""

    def __init__(self, root: str) -> None:
        self._root = root.rstrip("/")

    def read(self, name: str) -> bytes | None:
        # None: no such file. Anything else (a broken flash) is the caller's to see.
        file = self._open(name)
        if file is None:
            return None
        # Closed on every path: a finaliser that reaches a block device during a collection fails.
        try:
            return file.read()
        finally:
            file.close()

    def read_into(self, name: str, buf: "bytearray | memoryview") -> int:
        # As many bytes as there are and fit; how many. -1: no such file.
        file = self._open(name)
        if file is None:
            return -1
        try:
            return file.readinto(buf)
        finally:
            file.close()

    def crc(self, name: str) -> int:
        # CRC-32 of a file, a piece at a time; -1: no such file.
        file = self._open(name)
        if file is None:
            return -1
        piece = memoryview(bytearray(_PIECE))
        crc = 0
        try:
            n = file.readinto(piece)
            while n:
                crc = crc32(piece[:n], crc)
                n = file.readinto(piece)
        finally:
            file.close()
        return crc

    def _open(self, name: str) -> "BufferedReader | None":
        try:
            return open(self._root + "/" + name, "rb")
        except OSError as error:
            if error.args[0] == 2:  # ENOENT
                return None
            raise

    def write(self, name: str, data: "bytes | memoryview") -> None:
        self.write_parts(name, (data,))

    def read_at(self, name: str, at: int, into: memoryview) -> int:
        # A part of it, from byte `at` on; how many bytes there were.
        file = open(self._root + "/" + name, "rb")
        try:
            file.seek(at)
            return file.readinto(into)
        finally:
            file.close()

    def write_parts(self, name: str, parts: "Iterable[bytes | memoryview]") -> None:
        # littlefs commits a file at close and a rename at once, replacing its target.
        path = self._root + "/" + name
        temporary = path + _TEMPORARY
        file = self._create(temporary)
        try:
            try:
                for part in parts:
                    file.write(part)
                file.flush()
            finally:
                file.close()
            os.rename(temporary, path)
        except OSError:
            _remove(temporary)  # a full flash is not to stay full
            raise

    def _create(self, path: str) -> "BufferedWriter":
        try:
            return open(path, "wb")
        except OSError as error:
            if error.args[0] != 2:
                raise
        self._make_folders(path)
        return open(path, "wb")

    def _make_folders(self, path: str) -> None:
        at = path.find("/", len(self._root) + 1)
        while at >= 0:
            try:
                os.mkdir(path[:at])
            except OSError as error:
                if error.args[0] != 17:  # EEXIST
                    raise
            at = path.find("/", at + 1)

    def remove(self, name: str) -> None:
        # Nothing happens when it is not there.
        _remove(self._root + "/" + name)

    def names(self, folder: str) -> "list[str]":
        # Of all files in the folder and below, sorted: whoever goes through them does it in the same order everywhere.
        found: "list[str]" = []
        try:
            entries = os.listdir(self._root + "/" + folder)
        except OSError as error:
            if error.args[0] == 2:
                return found
            raise
        for entry in sorted(entries):
            name = folder + "/" + entry
            if os.stat(self._root + "/" + name)[0] & _FOLDER:
                found.extend(self.names(name))
            else:
                found.append(name)
        return found


def _remove(path: str) -> None:
    try:
        os.remove(path)
    except OSError as error:
        if error.args[0] != 2:
            raise
