"""Makes the boards of a scenario ready to fly: flash images, processes, sessions, twins."""

import asyncio
import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self

from ascnode.boards.accelerators import Accelerators
from ascnode.boards.firmware import BOARD_ID_FILE, board_files, of_node
from ascnode.boards.flash_image import build_image, read_files
from ascnode.boards.process_board import ProcessBoard
from ascnode.boards.runtime import Runtime, board_of, flash_blocks_of, kind_of, march_of, patience_of
from ascnode.boards.virtual import PROFILES
from ascnode.errors import ScenarioError
from ascnode.faults.board import Control, TwinControl, VirtualControl
from ascnode.faults.injector import Injector
from ascnode.faults.rig import unsupported
from ascnode.faults.schedule import Schedule, Wire
from ascnode.faults.wire import FaultyLine
from ascnode.record.database import Record
from ascnode.scenario.board import Flyer
from ascnode.scenario.hardware import power_scale_k
from ascnode.scenario.injected import Injected
from ascnode.scenario.payload import Payload
from ascnode.scenario.provision import node_files, unique_id
from ascnode.scenario.recording import record_flash
from ascnode.scenario.scenario import Scenario
from ascnode.session.port import Port
from ascnode.session.request import Patience
from ascnode.session.session import Listener, Session
from ascnode.session.watch import watch
from ascnode.twin.alone import TwinAlone
from ascnode.twin.engine import engine_of
from ascnode.twin.hosted import HostedPlant
from ascnode.twin.pair import Pair
from ascnode.twin.twin import Twin
from ascnode_fw import __version__, link
from ascnode_fw.flight import layout as f_
from ascnode_fw.wire import dictionary as d

_BEGIN = bytes((d.SIM, link.BEGIN))


class ReferenceAccelerator:
    """The twin's accelerator: the host's NumPy model of the same .tflite, an implementation of its own."""

    def __init__(self, payload: Payload) -> None:
        model = payload.model
        self.model_id = model.model_id
        self.macs = payload.macs
        self.input_size = model.input.size
        self.output_size = model.output.size
        self._answer = payload.answer

    def run(self, data: memoryview, output: bytearray) -> None:
        """One inference; int8 in and out."""
        output[:] = self._answer(bytes(data))


def check_faults(scenario: Scenario, runtime: Runtime | None) -> Schedule:
    """The faults of the scenario's boards; ScenarioError for one that these, or twins alone, cannot be given."""
    schedule = scenario.board_faults()
    boards = runtime is not None
    kind = f"board of kind {kind_of(runtime)}" if runtime else "twin alone"
    have = (VirtualControl if boards else TwinControl).capabilities
    for board in scenario.space.boards:
        name = scenario.space.name(board)
        if reasons := unsupported(schedule.of_node(name), have, boards, boards):
            raise ScenarioError(f"{reasons[0]} ({name}, a {kind})")
    return schedule


class Hangar:
    """Flyers of a scenario, in order. Use as an async context: at its end no board is left running."""

    def __init__(
        self,
        scenario: Scenario,
        payload: Payload,
        runtime: Runtime | None,
        record: Record,
        flash: Path | None = None,
    ) -> None:
        """`flash`: a folder where the boards' flash is kept, and found again by the next hangar."""
        self.flyers: list[Flyer] = []
        self.boards: list[ProcessBoard] = []
        self.kind = kind_of(runtime) if runtime else "twin"
        self.model_image = payload.image
        self._scenario = scenario
        self._runtime = runtime
        self.injected = Injected(record)
        self._record = record
        self._kept = flash
        self._flash: dict[int, dict[str, bytes]] = {}  # as the record has it
        self._faults = check_faults(scenario, runtime)
        self._payload = payload
        self._accelerator = ReferenceAccelerator(payload)
        self._stack = AsyncExitStack()
        self._accelerators = self._stack.enter_context(Accelerators(scenario.accelerator))

    async def __aenter__(self) -> Self:
        try:
            await self._prepare()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()
        if self._kept and self._runtime is None:
            for node, flyer in enumerate(self.flyers):
                image = build_image(flyer.twin.files(), PROFILES[self._scenario.profile].flash_blocks)
                self._flash_file(self._kept, node).write_bytes(image)

    async def _prepare(self) -> None:
        files = [self._files(node) for node in range(len(self._scenario.space.boards))]
        runtime = self._runtime
        if runtime is None:
            self.flyers = [self._twin_alone(node, content) for node, content in enumerate(files)]
        else:
            firmware = board_files(march_of(runtime))
            folder = self._kept or Path(
                self._stack.enter_context(tempfile.TemporaryDirectory(prefix="ascnode-"))
            )
            self.boards = [
                self._power_on(runtime, folder, n, {**firmware, **content}) for n, content in enumerate(files)
            ]
            patience = patience_of(runtime)
            self.flyers = [
                await self._connect(n, board, content, patience)
                for n, (board, content) in enumerate(zip(self.boards, files, strict=True))
            ]
        for node, flyer in enumerate(self.flyers):
            self._introduce(node, flyer)

    def _files(self, node: int) -> dict[str, bytes]:
        scenario = self._scenario
        if self._kept:
            self._kept.mkdir(parents=True, exist_ok=True)
            flash = self._flash_file(self._kept, node)
            if flash.exists():
                return of_node(read_files(flash.read_bytes()))
        program = self._payload.program_image if scenario.accelerator != "none" else None
        return node_files(scenario.node, self.model_image, scenario.seed, node, scenario.step_ms, program)

    def _flash_file(self, folder: Path, node: int) -> Path:
        return folder / f"{self._name(node)}{'' if self._runtime else '.twin'}.flash"

    def _name(self, node: int) -> str:
        return self._scenario.space.name(self._scenario.space.boards[node])

    def _listener(self, node: int) -> Listener:
        def heard(direction: str, body: bytes) -> None:
            # how often a board says hello after a reset is a matter of wall time
            table = "frames" if body[0] == d.SIM else "link_frames"
            self._record.numbered(table, node, self._now_us(node), direction, body)
            if direction == "up" and body[:2] == _BEGIN:
                self._keep_flash(node)

        return heard

    def _keep_flash(self, node: int) -> None:
        # A twin's flash is its board's; what a reset or a cut has made of it decides what follows.
        twin, before = self.flyers[node].twin, self._flash.get(node, {})
        self._flash[node] = files = twin.files()
        record_flash(self._record, node, self._now_us(node), self._scenario.seed, files, before)

    def _now_us(self, node: int) -> int:
        # Where the board stands; its hello comes before it stands anywhere.
        f = self.flyers[node].twin.node.computer.f if node < len(self.flyers) else None
        return (f[f_.NOW_S] * 1000 + f[f_.NOW_MS]) * 1000 if f else 0

    def _twin(self, node: int, files: Mapping[str, bytes]) -> Twin:
        engine = engine_of(files, self._payload.answer)
        mpy = getattr(self._runtime, "mpy", 0)
        uid = unique_id(self._scenario.seed, node)
        return Twin(files, self._accelerator, uid, engine, image=self.model_image, mpy=mpy)

    def _twin_alone(self, node: int, files: Mapping[str, bytes]) -> Flyer:
        alone = TwinAlone(self._name(node), self._twin(node, files), self._listener(node))
        return self._flown(node, alone, TwinControl(alone))

    def _power_on(
        self, runtime: Runtime, folder: Path, node: int, files: Mapping[str, bytes]
    ) -> ProcessBoard:
        # Does not wait: the boards boot beside each other.
        profile = self._scenario.profile
        flash = self._flash_file(folder, node)
        if not flash.exists():
            content = {**files, BOARD_ID_FILE: unique_id(self._scenario.seed, node)}
            flash.write_bytes(build_image(content, flash_blocks_of(runtime, profile)))
        link = self._accelerators.link(seed=self._scenario.seed + node)
        board = board_of(runtime, flash, profile, self._name(node), accelerator=link)
        self._stack.enter_context(board)
        board.power_on(wait=False)
        return board

    async def _connect(
        self, node: int, board: ProcessBoard, files: Mapping[str, bytes], patience: Patience
    ) -> Flyer:
        loop = asyncio.get_running_loop()
        port = Port(board.port, loop)
        self._stack.callback(port.close)
        watch(board, port)
        self._stack.callback(loop.remove_reader, board.fileno())
        session = Session(port, self._listener(node), patience)
        await session.connect()
        pair = Pair(self._name(node), session, self._twin(node, files), self._scenario.step_ms * 1000)
        self._stack.callback(lambda: pair.session.close())  # after a power cut another one
        return self._flown(node, pair, VirtualControl(pair, board))

    def _flown(self, node: int, bare: Pair | TwinAlone, control: Control) -> Flyer:
        # With its plant in the host, and behind an injector, where the scenario says so.
        flyer: Pair | TwinAlone | HostedPlant = bare
        if self._scenario.plant == "host":
            flyer = HostedPlant(bare, bare.twin.files()["plant.bin"])
        concerned = self._faults.of_node(bare.name)
        if not concerned:
            return flyer
        line = None
        if isinstance(bare, Pair) and any(isinstance(one, Wire) for _, one in concerned):
            line = bare.session.port = FaultyLine(bare.session.port, self._faults.seed)
        control_us = self._scenario.step_ms * 1000
        return Injector(flyer, self._faults, control_us, self.injected.listener(node), line, control)

    def _introduce(self, node: int, flyer: Flyer) -> None:
        scale = power_scale_k(self._scenario.node, self._scenario.step_ms)
        uid, version = flyer.twin.node.unique_id.hex(), __version__
        satellite = self._scenario.space.boards[node]
        self._record.add(
            "boards", node, satellite, flyer.name, self.kind, uid, version, d.digest().hex(), scale
        )
