"""A twin's flash: files in memory."""


class MemoryStore:
    """The firmware's storage protocol over a dict."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = dict(files)

    def read(self, name: str) -> bytes | None:
        """The bytes, or None when there is no such file."""
        return self.files.get(name)

    def write(self, name: str, data: bytes) -> None:
        """Replaces the file."""
        self.files[name] = bytes(data)
