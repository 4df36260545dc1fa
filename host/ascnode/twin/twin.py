"""The twin of a board: the same firmware in CPython, fed the same frames, compared at every exchange."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ascnode.twin.store import MemoryStore

if TYPE_CHECKING:
    from ascnode_fw.protocols import Accelerator
from ascnode_fw.node import Node


class Twin:
    """One node of firmware without a port."""

    def __init__(self, files: Mapping[str, bytes], accelerator: "Accelerator", unique_id: bytes) -> None:
        self._sent: list[bytes] = []
        self._store = MemoryStore(dict(files))
        self._accelerator = accelerator
        self._unique_id = unique_id
        self.reset()

    def reset(self) -> None:
        """As a board's reset: memory is lost, flash is kept."""
        self.node = Node(self._store, self._accelerator, self._unique_id, self._send)

    def _send(self, body: memoryview | bytes) -> None:
        self._sent.append(bytes(body))

    def handle(self, body: bytes) -> list[bytes]:
        """Obeys a frame's body; the bodies of its replies."""
        self._sent = []
        self.node.handle(memoryview(body))
        return self._sent

    def snapshot(self) -> list[bytes]:
        """All mutable state, buffer by buffer."""
        return [bytes(buffer) for _, buffer, _ in self.node.buffers()]

    def names(self) -> list[tuple[str, tuple[str, ...], int]]:
        """Of each buffer: its name, the names of its words, and the size of a word in bytes."""
        return [
            (name, words, 1 if isinstance(buffer, bytearray) else 4)
            for name, buffer, words in self.node.buffers()
        ]
