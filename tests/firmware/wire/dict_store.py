"""The firmware's storage protocol on a dictionary; runs on MicroPython and CPython."""


class DictStore:
    """Keeps what was written, counts writes, and fails on request as a full or broken flash does."""

    def __init__(self, files=None):
        self.files = dict(files or {})
        self.writes = 0
        self.failing = False

    def read(self, name):
        if self.failing:
            raise OSError(5)  # EIO
        return self.files.get(name)

    def write(self, name, data):
        if self.failing:
            raise OSError(28)  # ENOSPC
        self.writes += 1
        self.files[name] = bytes(data)
