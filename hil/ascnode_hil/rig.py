"""Boards under test as a node steps them: a twin alone, or a virtual or real board with its twin beside it."""

import asyncio
import random
import struct
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from zlib import crc32

from ascnode.boards.bench import load as load_bench
from ascnode.boards.firmware import BOARD_ID_FILE, architecture, board_files
from ascnode.boards.flash_image import build_image, read_files
from ascnode.boards.interpreter import require_interpreter
from ascnode.boards.serial import SerialBoard, board_named, board_on
from ascnode.boards.virtual import PROFILES, VirtualBoard
from ascnode.errors import BoardError
from ascnode.models.image import compile_image
from ascnode.models.project import load_project_model
from ascnode.scenario.hangar import ReferenceAccelerator, watch
from ascnode.scenario.provision import node_files, unique_id
from ascnode.scenario.scenario import Scenario
from ascnode.session.messages import Event
from ascnode.session.port import Port
from ascnode.session.session import Session
from ascnode.twin.alone import TwinAlone
from ascnode.twin.hosted import HostedPlant
from ascnode.twin.pair import Pair
from ascnode.twin.store import MemoryStore
from ascnode.twin.twin import Twin
from ascnode_fw.accel import kernel_portable
from ascnode_fw.accel.image import Image
from ascnode_fw.accel.software import SoftwareAccelerator
from ascnode_fw.flight.params import Params
from ascnode_fw.wire import dictionary as d
from ascnode_gateware.model.layers import Model
from ascnode_hil.errors import Blocked
from ascnode_hil.target import Target

POWER_ON, RESET, POWER_CUT = 0, 1, 2  # places in the dictionary's RESET_CAUSES


@dataclass(frozen=True)
class Setup:
    """What is the same for all boards of a test session."""

    scenario: Scenario
    seed: int
    plant: str  # "board" or "host"
    folder: Path

    @cached_property
    def model(self) -> Model:
        """The model that every node runs."""
        return load_project_model()

    @cached_property
    def model_image(self) -> bytes:
        """The same, as the nodes' flash holds it."""
        return compile_image(self.model)

    def files(self, node: int) -> dict[str, bytes]:
        """What lies on a node's flash beside the firmware."""
        return node_files(self.scenario.node, self.model_image, self.seed, node, self.scenario.step_ms)


class Device(ABC):
    """One board. `capabilities` holds "power" when its power can be cut, "reset" when it can be reset."""

    kind: str
    capabilities: frozenset[str] = frozenset()

    def __init__(self, setup: Setup, node: int, name: str) -> None:
        self.setup = setup
        self.node = node
        self.name = name
        self.boots = 0
        self.hosted: HostedPlant | None = None
        self.flyer: Pair | TwinAlone

    async def open(self) -> None:
        """Makes the board ready; what goes wrong here is the rig's."""
        await self._open()
        if self.setup.plant == "host":
            self.hosted = HostedPlant(self.flyer, self.setup.files(self.node)["plant.bin"])

    @property
    def stepper(self) -> Pair | TwinAlone | HostedPlant:
        """What takes exchanges."""
        return self.hosted or self.flyer

    @property
    def twin(self) -> Twin:
        """The twin; every exchange has shown that the board agrees with it."""
        return self.flyer.twin

    @property
    def version(self) -> str:
        """Of firmware and board, for reports."""
        return f"{self.kind}, firmware {_version()}"

    async def begin(self) -> None:
        """Starts afresh at time 0; what earlier tests left on the flash stays there."""
        await self.stepper.begin(0, boots=self.boots)

    async def restart(self, now_us: int, cause: int) -> None:
        """Resets the board, or cuts its power and gives it back, and goes on at that time with the same plant."""
        need = "power" if cause == POWER_CUT else "reset"
        if need not in self.capabilities:
            raise Blocked(f"{self.name}: the rig has no {need} switch for this board")
        self.boots += 1
        self.stepper.coast(now_us)  # an exchange in which the board died has not happened
        await self._restart(now_us, cause)

    async def cut_while(self, until_us: int, events: Sequence[Event], point: int) -> None:
        """An exchange in which the power goes; it has not happened. `point` is one of cut_points()."""
        if "power" not in self.capabilities:
            raise Blocked(f"{self.name}: the rig has no power switch for this board")
        await self._cut_while(until_us, events, point)

    @abstractmethod
    def cut_points(self, rng: random.Random, count: int) -> list[int]:
        """That many moments at which cut_while() can take the power."""

    @abstractmethod
    async def _cut_while(self, until_us: int, events: Sequence[Event], point: int) -> None: ...

    @abstractmethod
    async def _open(self) -> None: ...

    @abstractmethod
    async def _restart(self, now_us: int, cause: int) -> None: ...

    @abstractmethod
    async def close(self) -> None:
        """Gives the board back; may be called twice."""


class TwinDevice(Device):
    """The firmware in CPython, with its own inference. Power goes at the n-th write."""

    kind = "twin"
    capabilities = frozenset({"power", "reset"})

    async def _open(self) -> None:
        accelerator = SoftwareAccelerator(self.setup.model_image, kernel_portable)
        twin = Twin(self.setup.files(self.node), accelerator, unique_id(self.setup.seed, self.node))
        self.flyer = TwinAlone(self.name, twin)

    def cut_points(self, rng: random.Random, count: int) -> list[int]:
        """Each write in turn, before and after it took effect: littlefs tears none."""
        return list(range(2, count + 2))

    async def _cut_while(self, until_us: int, events: Sequence[Event], point: int) -> None:
        self.twin.cut_at_write(point // 2, bool(point % 2))
        with suppress(BoardError):
            await self.stepper.exchange(until_us, events, False)
        self.twin.cut_at_write(0, True)

    async def _restart(self, now_us: int, cause: int) -> None:
        await self.flyer.resume(now_us, cause, self.boots)

    async def close(self) -> None:
        """Nothing to give back."""


class PairedDevice(Device):
    """A board that is not in this process; its twin's inference is the reference model's."""

    def _pair(self, session: Session, files: dict[str, bytes], uid: bytes) -> Pair:
        model = self.setup.model
        accelerator = ReferenceAccelerator(model, Image(self.setup.model_image).macs)
        twin = Twin(files, accelerator, uid)
        return Pair(self.name, session, twin, self.setup.scenario.step_ms * 1000)


class VirtualDevice(PairedDevice):
    """MicroPython in a process."""

    kind = "virtual"
    capabilities = frozenset({"power", "reset"})

    async def _open(self) -> None:
        interpreter = require_interpreter()
        uid = unique_id(self.setup.seed, self.node)
        files = self.setup.files(self.node)
        profile = PROFILES[self.setup.scenario.profile]
        flash = self.setup.folder / f"{self.name}.flash"
        content = {**board_files(architecture(interpreter)), **files, BOARD_ID_FILE: uid}
        flash.write_bytes(build_image(content, profile.flash_blocks))
        self._board = VirtualBoard(flash, profile.name, interpreter, name=self.name)
        self._board.start()
        self._board.power_on()
        self.flyer = self._pair(await self._session(), files, uid)

    async def _session(self) -> Session:
        loop = asyncio.get_running_loop()
        session = Session(Port(self._board.port, loop))
        watch(self._board, session.port)  # type: ignore[arg-type]
        await session.connect()
        return session

    def cut_points(self, rng: random.Random, count: int) -> list[int]:
        """Wall time in 0.1 ms: a few writes take some ms."""
        return [rng.randrange(400) for _ in range(count)]

    async def _cut_while(self, until_us: int, events: Sequence[Event], point: int) -> None:
        exchange = asyncio.ensure_future(self.stepper.exchange(until_us, events, False))
        await asyncio.wait([exchange], timeout=point / 10_000)
        self._leave()
        self._board.cut()
        await asyncio.gather(exchange, return_exceptions=True)

    def _leave(self) -> None:
        assert isinstance(self.flyer, Pair)
        asyncio.get_running_loop().remove_reader(self._board.fileno())
        self.flyer.session.port.fail(f"board {self.name} is restarted")
        self.flyer.session.close()

    async def _restart(self, now_us: int, cause: int) -> None:
        assert isinstance(self.flyer, Pair)
        self._leave()
        flash = None
        if cause == POWER_CUT:
            if self._board.alive:
                self._board.cut()
            flash = read_files(self._board.flash.read_bytes())
            self._board.power_on()
        else:
            self._board.reset()
        await self.flyer.resume(now_us, cause, self.boots, await self._session(), flash)

    async def close(self) -> None:
        """Ends the process."""
        if hasattr(self, "_board"):
            if hasattr(self, "flyer"):
                assert isinstance(self.flyer, Pair)
                self.flyer.session.close()
            asyncio.get_running_loop().remove_reader(self._board.fileno())
            self._board.close()


class SerialDevice(PairedDevice):
    """A real board, whose flash holds the scenario's node (`ascnode flash --scenario`)."""

    kind = "serial"

    def __init__(self, setup: Setup, node: int, name: str, find: Callable[[], SerialBoard]) -> None:
        super().__init__(setup, node, name)
        self._find = find
        self._board: SerialBoard | None = None

    async def _open(self) -> None:
        board = await asyncio.to_thread(self._find)
        await board.__aenter__()
        self._board = board
        self.capabilities = board.capabilities
        session = await board.connect()
        identity = session.identity
        assert identity is not None
        files = self.setup.files(self.node)
        if identity.plant_crc != crc32(files["plant.bin"]):
            raise Blocked(
                f"{self.name}: the plant on the board is not that of scenario {self.setup.scenario.name!r}: "
                "name the scenario it was flashed with (--ascnode-scenario), or flash it"
            )
        files["sequence0"] = _mark(identity.sequence)
        files.update(await self._params(session))
        self.flyer = self._pair(session, files, identity.unique_id)

    async def _params(self, session: Session) -> dict[str, bytes]:
        # What earlier runs stored on the board.
        await session.begin(0)
        twin = Twin(self.setup.files(self.node), _NoModel(), bytes(8))
        index = [name for name, _, _ in twin.names()].index("params")
        sizes = [len(buffer) for buffer in twin.snapshot()][: index + 1]
        stored = struct.unpack(f"<{len(d.PARAMETERS)}i", (await session.snapshot(sizes))[index])
        store = MemoryStore({})
        params = Params(store, d.PARAMETERS)
        for (number, *_), value in zip(d.PARAMETERS, stored, strict=True):
            params.set(number, value)
        return store.files

    def cut_points(self, rng: random.Random, count: int) -> list[int]:
        """Wall time in 0.1 ms, as well as a switch keeps it."""
        return [rng.randrange(2000) for _ in range(count)]

    async def _cut_while(self, until_us: int, events: Sequence[Event], point: int) -> None:
        assert self._board is not None
        exchange = asyncio.ensure_future(self.stepper.exchange(until_us, events, False))
        await asyncio.wait([exchange], timeout=point / 10_000)
        await asyncio.to_thread(self._board.power.off)
        exchange.cancel()
        await asyncio.gather(exchange, return_exceptions=True)

    async def _restart(self, now_us: int, cause: int) -> None:
        assert self._board is not None and isinstance(self.flyer, Pair)
        await asyncio.to_thread(self._board.power.off)
        await asyncio.to_thread(self._board.power.on)
        session = await self._board.connect()
        flash = await self._params(session)
        identity = await session.reconnect()
        flash["sequence0"] = _mark(identity.sequence)
        await self.flyer.resume(now_us, cause, self.boots, session, flash)

    async def close(self) -> None:
        """Gives port and lock back."""
        if self._board is not None:
            self._board.close()


class _NoModel:
    model_id = macs = input_size = output_size = 0

    def run(self, data: memoryview, output: bytearray) -> None: ...


def _mark(sequence: int) -> bytes:
    # As the firmware keeps a counter: two copies, each with its CRC.
    copy = struct.pack("<I", sequence)
    return (copy + struct.pack("<I", crc32(copy))) * 2


def _version() -> str:
    from ascnode_fw import __version__

    return __version__


def make_device(target: Target, setup: Setup, node: int, bench_file: Path | None) -> Device:
    """The board of that number of a target, not yet open; Blocked when the target has fewer."""
    if target.kind == "twin":
        return TwinDevice(setup, node, f"twin-{node}")
    if target.kind == "virtual":
        return VirtualDevice(setup, node, f"virtual-{node}")
    if node >= len(target.names):
        raise Blocked(f"the test needs {node + 1} boards, and --ascnode-board names {len(target.names)}")
    name = target.names[node]
    if target.kind == "serial":
        return SerialDevice(setup, node, name, lambda: board_on(name))
    if bench_file is None:
        raise Blocked("--ascnode-board bench:NAME needs a bench file: write one with `ascnode boards map`")
    return SerialDevice(setup, node, name, lambda: board_named(load_bench(bench_file), name, _ask))


def _ask(sentence: str) -> None:
    raise Blocked(f"{sentence}: a person is the switch of this board, and pytest asks none")
