"""The twin of a board: the same firmware in CPython, fed the same frames, compared at every exchange."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from ascnode.boards.firmware import loader
from ascnode.session import messages
from ascnode.session.messages import Event, Outcome
from ascnode.twin.engine import LoggedEngine, engine_of
from ascnode.twin.plant import coast
from ascnode.twin.store import MemoryStore

if TYPE_CHECKING:
    from ascnode_fw.protocols import Accelerator
from ascnode_fw import link
from ascnode_fw.accel import kernel_portable
from ascnode_fw.accel.software import SoftwareAccelerator
from ascnode_fw.flight import layout as f_
from ascnode_fw.flight import slots
from ascnode_fw.node import Node


class Twin:
    """One node of firmware without a port."""

    def __init__(
        self,
        files: Mapping[str, bytes],
        accelerator: "Accelerator",
        unique_id: bytes,
        engine: LoggedEngine | None = None,
        store: MemoryStore | None = None,
        image: bytes | None = None,
        mpy: int = 0,
    ) -> None:
        """`accelerator` runs the model `image`, by default the one in `files`; `mpy` is the board's beside it."""
        self._sent: list[bytes] = []
        self._files_before: dict[str, bytes] = {}  # as of the last snapshot
        self._store = store or MemoryStore(dict(files))
        self.engine = engine
        self._delivered = accelerator, engine
        self._mpy = mpy
        self._delivered_image = image or self._store.read(slots.MODELS[0] + slots.CPU_IMAGE)
        self._unique_id = unique_id
        self.reset()

    def reset(self) -> None:
        """As a board's reset: memory is lost, flash is kept."""
        if slots.FIRMWARE_FILE in self._store.files:
            loader().start_slot(self._store)
        accelerator, _ = slots.load_model(self._store, self._load)
        self.node = Node(self._store, accelerator, self._unique_id, self._send, self.engine)
        self.node.load_model = self._load
        self.node.restarts = True
        self.node.mpy = self._mpy

    def _load(self, name: str) -> "tuple[Accelerator, LoggedEngine | None]":
        # What it was made with runs the model that it was delivered with; another one runs as firmware does.
        image = self._store.read(name + slots.CPU_IMAGE)
        if image is None or image == self._delivered_image:
            accelerator, self.engine = self._delivered
        else:
            accelerator = SoftwareAccelerator(image, kernel_portable)
            self.engine = engine_of(self._store.files, _answers(accelerator), name + slots.PROGRAM)
        return accelerator, self.engine

    @property
    def now_us(self) -> int:
        """The node's clock."""
        f = self.node.computer.f
        return (f[f_.NOW_S] * 1000 + f[f_.NOW_MS]) * 1000

    @property
    def last_sequence(self) -> int:
        """The last telecommand sequence number that the node took for used, under the bench's key."""
        return max(0, self.node.counters[0].last)

    @property
    def store(self) -> MemoryStore:
        """Its flash."""
        return self._store

    def files(self) -> dict[str, bytes]:
        """What is on its flash."""
        return dict(self._store.files)

    def file(self, name: str) -> bytes | None:
        """One file of its flash."""
        return self._store.read(name)

    def install(self, files: Mapping[str, bytes]) -> None:
        """Makes these its flash, as a board's is; the next reset reads it."""
        self._store.files = dict(files)

    def cut_at_write(self, number: int, new: bool) -> None:
        """Power fails at that write to flash from now on (1 is the next); `new`: what it wrote is there."""
        self._store.cut_at(number, new)

    def load(self, buffers: Sequence[bytes]) -> None:
        """Takes over a snapshot."""
        if len(buffers) < len(self.node.buffers()):
            self.node.update = None  # the module of updates was not there yet
        for (_, buffer, _), data in zip(self.node.buffers(), buffers, strict=True):
            memoryview(buffer).cast("B")[:] = data
        self.node.restored()

    def coast(self, now_us: int, until_us: int, lights: Sequence[Event]) -> None:
        """The node has no power: its plant goes on to that time under the light of these events."""
        coast(self.node.plant, self.node.step_ms, now_us, until_us, lights)

    def _send(self, body: memoryview | bytes) -> None:
        self._sent.append(bytes(body))

    def handle(self, body: bytes) -> list[bytes]:
        """Obeys a frame's body; the bodies of its replies."""
        self._sent = []
        self.node.handle(memoryview(body))
        return self._sent

    def repeat(
        self, before: Sequence[bytes], bodies: Sequence[bytes], outcomes: Sequence[Outcome]
    ) -> list[bytes]:
        """Obeys an exchange's frames again from a snapshot, its accelerator doing what a board's has done."""
        assert self.engine is not None and self.node.sim is not None
        self._store.files = dict(self._files_before)
        self.load(before)
        _, number = messages.request_of(bodies[0])
        self.node.sim.number = (number - 2) % link.NUMBERS + 1  # as if it had not come
        self.node.sim.forget_events()
        self.engine.follow(outcomes)
        try:
            return [reply for body in bodies for reply in self.handle(body)]
        finally:
            self.engine.follow(())

    def snapshot(self) -> list[bytes]:
        """All mutable state, buffer by buffer."""
        self._files_before = dict(self._store.files)
        return [bytes(buffer) for _, buffer, _ in self.node.buffers()]

    def names(self) -> list[tuple[str, tuple[str, ...], int]]:
        """Of each buffer: its name, the names of its words, and the size of a word in bytes."""
        return [
            (name, words, 1 if isinstance(buffer, bytearray) else 4)
            for name, buffer, words in self.node.buffers()
        ]


def _answers(accelerator: SoftwareAccelerator) -> Callable[[bytes], bytes]:
    def answer(data: bytes) -> bytes:
        output = bytearray(accelerator.output_size)
        accelerator.run(data, output)
        return bytes(output)

    return answer
