"""The ground's side of an update, over a node in this process: commands go up, packets come down, time passes."""

import struct
from dataclasses import dataclass, field
from zlib import crc32

from ascnode.models.image import compile_image
from ascnode.models.project import load_project_model
from ascnode.push.package import Package, firmware_package, model_package
from ascnode.scenario.hardware import Hardware
from ascnode.scenario.provision import bench_key, node_files, unique_id
from ascnode.session import messages, telemetry
from ascnode.session.commanding import Commander
from ascnode.session.telemetry import Packet
from ascnode.twin.store import MemoryStore
from ascnode.twin.twin import Twin
from ascnode_fw.accel import kernel_portable
from ascnode_fw.accel.software import SoftwareAccelerator
from ascnode_fw.flight import slots
from ascnode_fw.flight.transfer import CHUNKS
from ascnode_fw.wire import dictionary as d
from ascnode_fw.wire.frame import MAX_BODY

S = 1_000_000
KEY = bench_key(1, 0)
CODE = {name: number for number, name in d.CODES}
EVENT = {row[1]: row[0] for row in d.EVENTS}
_FULL_CONTACT = struct.pack(">II", 0, 1 << 29)
_AT_ONCE = 6  # chunks that one exchange takes


def image() -> bytes:
    """The project's model as a node runs it."""
    return compile_image(load_project_model())


def other_image() -> bytes:
    """The same under another model id: bytes 12 to 15, and the CRC at the end follows."""
    changed = bytearray(image())
    changed[12] ^= 1
    return bytes(changed[:-4]) + struct.pack("<I", crc32(changed[:-4]))


def answer(model: bytes, data: bytes) -> bytes:
    """What the model gives."""
    accelerator = SoftwareAccelerator(model, kernel_portable)
    output = bytearray(accelerator.output_size)
    accelerator.run(data, output)
    return bytes(output)


INPUT = bytes(range(64))


def other_model(expected: bytes | None = None) -> Package:
    """A model to push; `expected` of its self-test, the right answer by default."""
    model = other_image()
    return model_package(model, INPUT, answer(model, INPUT) if expected is None else expected)


@dataclass
class Ground:
    """A node and what its radio has said. `store`: its flash, with the node's files in it."""

    store: MemoryStore = field(default_factory=lambda: MemoryStore(files()))
    heard: list[Packet] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.commander = Commander(KEY)
        self.now_s = 0
        accelerator = SoftwareAccelerator(image(), kernel_portable)
        self.twin = Twin({}, accelerator, unique_id(1, 0), store=self.store)
        self.begin()

    @property
    def node(self):  # type: ignore[no-untyped-def]
        return self.twin.node

    def begin(self) -> None:
        self.twin.handle(messages.begin(self.now_s * S, 0, 1, 0))
        self.commander.sequence = self.twin.last_sequence
        plan = self.commander.packet("plan_add", d.PLAN_CONTACTS, data=_FULL_CONTACT)
        self.heard = []
        self._exchange([messages.radio_lock(self.now_s * S, True), messages.packet(self.now_s * S, plan)], 3)

    def reset(self) -> None:
        """As a board's reset."""
        self.twin.reset()
        self.begin()

    def _exchange(self, events: list[messages.Event], seconds: int) -> int:
        self.now_s += seconds
        replies: list[bytes] = []
        for body in messages.exchange(self.now_s * S, events, 0, MAX_BODY):
            replies = self.twin.handle(body)
        done = messages.whole_done(replies)
        self.heard += [telemetry.decode(output.packet) for output in done.outputs]
        return done.stop

    def wait(self, seconds: int) -> int:
        """Time passes; why it stopped."""
        return self._exchange([], seconds)

    def send(self, *packets: bytes, seconds: int = 2) -> list[Packet]:
        """Telecommands that come at once; what is heard within the seconds."""
        self.heard = []
        self._exchange([messages.packet(self.now_s * S, packet) for packet in packets], seconds)
        return self.heard

    def run(self, name: str, *arguments: int, data: bytes = b"") -> tuple[int, int]:
        """(acceptance's code, completion's; -1 for none)."""
        packet = self.commander.packet(name, *arguments, data=data)
        sequence = self.commander.sequence
        heard = self.send(packet)
        return self._code(heard, d.TM_ACCEPT, sequence), self._code(heard, d.TM_COMPLETE, sequence)

    @staticmethod
    def _code(heard: list[Packet], kind: int, sequence: int) -> int:
        return next(
            (p.fields["code"] for p in heard if p.kind == kind and p.fields["sequence"] == sequence), -1
        )

    def begin_update(self, package: Package, key: bytes = KEY, index: int = 0) -> int:
        data = package.signed(key, index)
        return self.run("update_begin", package.kind, index, len(package.data), data=data)[0]

    def chunk(self, offset: int, data: bytes) -> int:
        return self.run("update_chunk", offset, data=data)[0]

    def chunks(self, package: Package) -> set[int]:
        """Sends all; the codes they were accepted with."""
        chunks = package.chunks()
        codes: set[int] = set()
        for at in range(0, len(chunks), _AT_ONCE):
            packets = [
                self.commander.packet("update_chunk", offset, data=data)
                for offset, data in chunks[at : at + _AT_ONCE]
            ]
            codes |= {p.fields["code"] for p in self.send(*packets) if p.kind == d.TM_ACCEPT}
        return codes

    def status(self, first: int = 0) -> Packet:
        """The node's status packet."""
        heard = self.send(self.commander.packet("update_status", first))
        return next(packet for packet in heard if packet.kind == d.TM_UPDATE)

    def missing(self, package: Package) -> list[int]:
        """Numbers of the chunks that the node has not."""
        here = self.status().data
        return [i for i in range(len(package.chunks())) if not here[i // CHUNKS] >> i % CHUNKS & 1]

    def push(self, package: Package, boots: int = 3, trial_s: int = 600) -> tuple[int, int]:
        """Begin, chunks, verify, commit: the commit's codes."""
        assert self.begin_update(package) == d.OK
        assert self.chunks(package) == {d.OK}
        assert self.run("update_verify") == (d.OK, d.OK)
        self.run("update_commit", boots, trial_s)
        sequence = self.commander.sequence
        heard = list(self.heard)
        self.wait(60)
        heard += self.heard
        return self._code(heard, d.TM_ACCEPT, sequence), self._code(heard, d.TM_COMPLETE, sequence)

    def events(self, name: str) -> list[int]:
        """Values of the events of that name heard since the last command."""
        return [
            packet.fields["value"]
            for packet in self.heard
            if packet.kind == d.TM_EVENT and packet.fields["event"] == EVENT[name]
        ]

    def model(self) -> int:
        return int(self.node.accelerator.model_id)

    def staged(self) -> list[str]:
        """What lies on the flash of an update that is not over, or of a slot that is not in use."""
        use = slots.MODELS[slots.model(self.store)]
        kept = {f"{use}.bin", "model.bin", "keys.bin", "plant.bin", "params", "sequence0"}
        chosen = slots.firmware(self.store)
        folder = slots.FIRMWARES[chosen.trial or chosen.confirmed] or "none"
        left = set(self.store.files) - kept - {slots.MODEL_FILE, slots.FIRMWARE_FILE}
        return sorted(name for name in left if not name.startswith(f"{folder}/"))


def small_firmware() -> Package:
    """Three small files: the node here runs on whatever is chosen."""
    names = ("__init__", "main", "flight/modes")
    content = {f"lib/ascnode_fw/{name}.mpy": f"# {name}\n".encode() * 40 for name in names}
    return firmware_package(content, 0, "0.0.1")


def files() -> dict[str, bytes]:
    """A node's flash."""
    return node_files(Hardware(), image(), 1, 0, 1000)
