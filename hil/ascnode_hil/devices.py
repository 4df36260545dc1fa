"""The kinds of board: a twin alone, a virtual or emulated board, a real one; all but the first with a twin beside."""

import asyncio
import struct
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

from ascnode.boards.accelerators import Accelerators
from ascnode.boards.bench import load as load_bench
from ascnode.boards.emulated_image import find_image
from ascnode.boards.firmware import BOARD_ID_FILE, board_files
from ascnode.boards.flash_image import build_image
from ascnode.boards.interpreter import require_interpreter
from ascnode.boards.process_board import ProcessBoard
from ascnode.boards.runtime import Runtime, board_of, flash_blocks_of, kind_of, march_of, patience_of
from ascnode.boards.serial import SerialBoard, board_named, board_on
from ascnode.faults.board import Control, TwinControl, VirtualControl
from ascnode.faults.wire import FaultyLine
from ascnode.scenario.hangar import ReferenceAccelerator
from ascnode.scenario.provision import unique_id
from ascnode.session.port import Port
from ascnode.session.request import Patience
from ascnode.session.session import Session
from ascnode.session.watch import watch
from ascnode.twin.alone import TwinAlone
from ascnode.twin.engine import engine_of
from ascnode.twin.pair import Pair
from ascnode.twin.store import MemoryStore
from ascnode.twin.twin import Twin
from ascnode_fw.accel import kernel_portable
from ascnode_fw.accel.software import SoftwareAccelerator
from ascnode_fw.flight.params import Params
from ascnode_fw.wire import dictionary as d
from ascnode_hil.errors import BlockedError
from ascnode_hil.rig import Device, Setup
from ascnode_hil.target import Target

if TYPE_CHECKING:
    from ascnode_gateware.device.fault import Fault

_PATIENCE = Patience(first_s=0.25, most_s=1.0, tries=10)  # a lost cable is told within ten seconds


def make_device(target: Target, setup: Setup, node: int, bench_file: Path | None) -> Device:
    """The board of that number of a target, not yet open; BlockedError when the target has fewer."""
    if target.kind == "twin":
        return TwinDevice(setup, node, f"twin-{node}")
    if target.kind == "virtual":
        return ProcessDevice(setup, node, f"virtual-{node}", require_interpreter())
    if target.kind == "emulated":
        return ProcessDevice(setup, node, f"emulated-{node}", find_image(setup.uf2))
    if node >= len(target.names):
        raise BlockedError(f"the test needs {node + 1} boards, and --ascnode-board names {len(target.names)}")
    name = target.names[node]
    if target.kind == "serial":
        return SerialDevice(setup, node, name, lambda: board_on(name))
    if bench_file is None:
        raise BlockedError("bench:NAME needs --ascnode-bench-file: `ascnode boards map` writes one")
    return SerialDevice(setup, node, name, lambda: board_named(load_bench(bench_file), name, _nobody))


def _nobody(sentence: str) -> None:
    raise BlockedError(f"{sentence}: a person is this board's switch, and pytest asks none")


class TwinDevice(Device):
    """The firmware in CPython, with its own inference."""

    kind = "twin"

    async def open(self) -> None:
        """Makes the twin."""
        kernel = SoftwareAccelerator(self.setup.payload.image, kernel_portable)
        files = self.setup.files(self.node)
        engine = engine_of(files, self.setup.payload.answer)
        twin = Twin(files, kernel, unique_id(self.setup.seed, self.node), engine)
        self.flyer = TwinAlone(self.name, twin)
        self.control = TwinControl(self.flyer)

    async def close(self) -> None:
        """Nothing to give back."""


class _Paired(Device):
    """A board that is not in this process; its twin's inference is the reference model's."""

    def _pair(self, session: Session, files: dict[str, bytes], uid: bytes) -> Pair:
        accelerator = ReferenceAccelerator(self.setup.payload)
        self.line = FaultyLine(session.port, self.setup.seed)
        session.port = self.line
        session.patience = self._patience
        twin = Twin(files, accelerator, uid, engine_of(files, self.setup.payload.answer))
        return Pair(self.name, session, twin, self.setup.scenario.step_ms * 1000)

    @property
    def _patience(self) -> Patience:
        return _PATIENCE

    @property
    def _says(self) -> str:
        assert isinstance(self.flyer, Pair) and self.flyer.session.identity is not None
        identity = self.flyer.session.identity
        able = " ".join(sorted(identity.capabilities))
        return f"firmware {identity.version}, chip {identity.unique_id.hex()}, {able}"

    @property
    def version(self) -> str:
        """What the board says of itself."""
        return self._says


class ProcessDevice(_Paired):
    """A virtual or emulated board."""

    def __init__(self, setup: Setup, node: int, name: str, runtime: Runtime) -> None:
        super().__init__(setup, node, name)
        self.kind = kind_of(runtime)
        self.slower = patience_of(runtime).slower
        self._runtime = runtime
        self._stack = AsyncExitStack()
        self.link: int | None = None
        self.accelerators = self._stack.enter_context(Accelerators(setup.accelerator))

    async def open(self) -> None:
        """Starts the process from a flash image of its own."""
        uid = unique_id(self.setup.seed, self.node)
        files = self.setup.files(self.node)
        self.board = board = self._start({**files, BOARD_ID_FILE: uid})
        loop = asyncio.get_running_loop()
        port = Port(board.port, loop)
        self._stack.callback(port.close)
        watch(board, port)
        session = Session(port, patience=self._patience)
        self._stack.callback(loop.remove_reader, board.fileno())
        await session.connect()
        self.flyer = pair = self._pair(session, files, uid)
        self._stack.callback(lambda: pair.session.close())
        self.control: Control = VirtualControl(pair, board)

    @property
    def version(self) -> str:
        """What the board says of itself, and what it runs on."""
        return f"{self.kind} {self.setup.scenario.profile}, MicroPython {self._runtime.version}, {self._says}"

    @property
    def _patience(self) -> Patience:
        return _PATIENCE if self.kind == "virtual" else patience_of(self._runtime)

    def spoil_accelerator(self, faults: "Iterable[Fault]") -> None:
        """As Device.spoil_accelerator."""
        assert self.link is not None  # the test has looked
        self.accelerators.plant(self.link, faults)

    @property
    def process_id(self) -> int:
        """Of the board's own process."""
        return int(
            next(event for event in reversed(self.board.events) if event.kind == "boot").details["pid"]
        )

    def _start(self, files: dict[str, bytes]) -> ProcessBoard:
        runtime, profile = self._runtime, self.setup.scenario.profile
        flash = self.setup.folder / f"{self.name}.flash"
        firmware = board_files(march_of(runtime))
        flash.write_bytes(build_image({**firmware, **files}, flash_blocks_of(runtime, profile)))
        self.link = self.accelerators.link(seed=self.setup.seed + self.node)
        made = board_of(runtime, flash, profile, self.name, accelerator=self.link)
        board = self._stack.enter_context(made)
        board.power_on()
        return board

    async def close(self) -> None:
        """Ends the process."""
        await self._stack.aclose()


class SerialDevice(_Paired):
    """A real board, whose flash holds the scenario's node (`ascnode flash --scenario`); its lock is held."""

    kind = "serial"

    def __init__(self, setup: Setup, node: int, name: str, find: Callable[[], SerialBoard]) -> None:
        super().__init__(setup, node, name)
        self._find = find
        self._board: SerialBoard | None = None

    async def open(self) -> None:
        """Locks and greets the board, and takes over what its flash holds."""
        board = await asyncio.to_thread(self._find)
        await board.__aenter__()
        self._board = board
        session = await board.connect()
        assert session.identity is not None
        self._check(session.identity.plant_crc)
        self.flyer = self._pair(session, await self._flash(session), session.identity.unique_id)
        self.control = _SwitchControl(self, board)

    def _check(self, plant_crc: int) -> None:
        if plant_crc != crc32(self.setup.files(self.node)["plant.bin"][:-4]):
            raise BlockedError(
                f"{self.name}: the plant on the board is not that of scenario {self.setup.scenario.name!r}: name the "
                "scenario that it was flashed with (--ascnode-scenario), or flash it"
            )

    async def _flash(self, session: Session) -> dict[str, bytes]:
        # The node's files, with the command counter and the parameters that earlier runs left on the board.
        assert session.identity is not None
        sequence = session.identity.sequence
        await session.begin(0)
        files = self.setup.files(self.node, "accelerator" in session.identity.capabilities)
        empty = Twin(files, _NoModel(), bytes(8))
        index = [name for name, _, _ in empty.names()].index("params")
        sizes = [len(buffer) for buffer in empty.snapshot()][: index + 1]
        values = struct.unpack(f"<{len(d.PARAMETERS)}i", (await session.snapshot(sizes))[index])
        await session.reconnect()  # a twin joins a session at its first request
        store = MemoryStore({})
        params = Params(store, d.PARAMETERS)
        for row, value in zip(d.PARAMETERS, values, strict=True):
            params.set(row[0], value)
        return {**files, **store.files, "sequence0": _mark(sequence)}

    async def back(self, now_us: int, cause: int, boots: int) -> None:
        """Finds the board again after its power was away, and goes on."""
        assert self._board is not None and isinstance(self.flyer, Pair)
        session = await self._board.connect()
        flash = await self._flash(session)
        self.line = FaultyLine(session.port, self.setup.seed)
        session.port = self.line
        session.patience = _PATIENCE
        await self.flyer.resume(now_us, cause, boots, session, flash)

    async def close(self) -> None:
        """Gives port and lock back."""
        if self._board is not None:
            self._board.close()


class _SwitchControl:
    """A real board's power, by the bench's switch. Nothing pulls its reset line, and no switch meets a write."""

    def __init__(self, device: SerialDevice, board: SerialBoard) -> None:
        self._device = device
        self._board = board
        self.capabilities = board.capabilities & {"power"}

    async def reset(self, now_us: int, cause: int, boots: int) -> None:
        """BlockedError."""
        raise BlockedError(f"{self._board.chip_id}: nothing pulls this board's reset line")

    async def off(self) -> None:
        """As Control.off."""
        await asyncio.to_thread(self._board.power.off)

    async def on(self, now_us: int, cause: int, boots: int) -> None:
        """As Control.on."""
        await asyncio.to_thread(self._board.power.on)
        await self._device.back(now_us, cause, boots)

    def cut_at_write(self, number: int, halves: int) -> None:
        """BlockedError."""
        raise BlockedError(f"{self._board.chip_id}: no switch meets a single write")


class _NoModel:
    model_id = macs = input_size = output_size = 0

    def run(self, data: memoryview, output: bytearray) -> None: ...


def _mark(sequence: int) -> bytes:
    # As the firmware keeps a counter: two copies, each with its CRC.
    copy = struct.pack("<I", sequence)
    return (copy + struct.pack("<I", crc32(copy))) * 2
