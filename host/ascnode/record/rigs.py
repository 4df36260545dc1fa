"""Boards that a record can be replayed on: a twin, a virtual or emulated board, a real one. All take SIM frames."""

import asyncio
import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self
from zlib import crc32

from ascnode.boards.accelerators import AcceleratorKind, Accelerators
from ascnode.boards.firmware import BOARD_ID_FILE, board_files
from ascnode.boards.flash_image import build_image
from ascnode.boards.process_board import ProcessBoard
from ascnode.boards.runtime import Runtime, board_of, flash_blocks_of, march_of, patience_of
from ascnode.boards.serial import board_on
from ascnode.errors import ReplayError, SessionError
from ascnode.record.requests import Request, upset_of_weights
from ascnode.session import messages
from ascnode.session.messages import Identity
from ascnode.session.port import Port
from ascnode.session.session import Session
from ascnode.session.watch import watch
from ascnode.twin.engine import engine_of
from ascnode.twin.twin import Twin
from ascnode_fw import link
from ascnode_fw.accel import kernel_portable
from ascnode_fw.accel.image import Image
from ascnode_fw.accel.software import SoftwareAccelerator
from ascnode_fw.wire import dictionary as d

SIM_CAPABILITY = "sim"
_FLASH_IT = "flash it for the run first (ascnode flash --scenario FILE --node N)"


class Rig(Protocol):
    """One board. Use as an async context: at its end nothing is left running."""

    restarts: bool  # whether `start` can be called again, with other files
    own_flash: bool  # whether the board keeps its flash as it is: keys among it

    async def __aenter__(self) -> Self:
        """Ready to start."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends it."""

    async def start(self, files: Mapping[str, bytes]) -> None:
        """Power on, or off and on again, with these files of a node on its flash. ReplayError when it cannot be."""

    async def ask(self, request: Request) -> list[bytes]:
        """The frames of its answer. SessionError when it refuses or does not answer."""


class TwinRig:
    """The firmware in CPython, with its own CPU inference."""

    restarts = True
    own_flash = False

    def __init__(self, unique_id: bytes) -> None:
        self._unique_id = unique_id
        self._twin: Twin | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._twin = None

    async def start(self, files: Mapping[str, bytes]) -> None:
        """As Rig.start."""
        self._twin = twin_of(files, self._unique_id)

    async def ask(self, request: Request) -> list[bytes]:
        """As Rig.ask."""
        assert self._twin is not None  # started
        if self._twin.engine is None and upset_of_weights(request):
            raise ReplayError(
                "an upset of the model's weights, which a twin does not keep in a memory of its own"
            )
        if self._twin.engine is not None:
            self._twin.engine.follow(request.outcomes)
        replies: list[bytes] = []
        for frame in request.frames:
            replies = self._twin.handle(messages.numbered(frame, 0, 0))
        if replies and replies[-1][:2] == bytes((d.LINK, link.REFUSED)):
            raise SessionError(
                f"the twin refused: {replies[-1][link.SIM_BYTES :].decode('utf-8', 'replace')}"
            )
        return replies


def twin_of(files: Mapping[str, bytes], unique_id: bytes) -> Twin:
    """A twin with these files; ReplayError when a node cannot start from them."""
    try:
        model = SoftwareAccelerator(files.get("model.bin", b""), kernel_portable)
        return Twin(files, model, unique_id, engine_of(files, lambda data: _answer(model, data)))
    except (ValueError, IndexError) as e:
        raise ReplayError(f"a node cannot start from the recorded flash: {e}") from None


def _answer(model: SoftwareAccelerator, data: bytes) -> bytes:
    output = bytearray(model.output_size)
    model.run(data, output)
    return bytes(output)


class _SessionRig:
    # What talks over a port.

    def __init__(self) -> None:
        self._session: Session | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def ask(self, request: Request) -> list[bytes]:
        """As Rig.ask."""
        assert self._session is not None  # started
        return await self._session.request(request.frames)


class ProcessRig(_SessionRig):
    """Real firmware in a process: a virtual board, or an emulated Pico. `profile` and `accelerator` are those of the
    recorded run."""

    restarts = True
    own_flash = False

    def __init__(
        self, unique_id: bytes, runtime: Runtime, profile: str, accelerator: AcceleratorKind = "none"
    ) -> None:
        super().__init__()
        self._unique_id = unique_id
        self._runtime = runtime
        self._profile = profile
        self._accelerators = self._stack.enter_context(Accelerators(accelerator))
        self._board: ProcessBoard | None = None

    async def start(self, files: Mapping[str, bytes]) -> None:
        """As Rig.start."""
        if self._board is None:
            self._board = self._made(files)
        else:
            self._board.cut()
            self._write(self._board.flash, files)
        await self._connect(self._board)

    def _made(self, files: Mapping[str, bytes]) -> ProcessBoard:
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="ascnode-")))
        flash = folder / "replay.flash"
        self._write(flash, files)
        link = self._accelerators.link()
        return self._stack.enter_context(board_of(self._runtime, flash, self._profile, accelerator=link))

    def _write(self, flash: Path, files: Mapping[str, bytes]) -> None:
        content = {**board_files(march_of(self._runtime)), **files, BOARD_ID_FILE: self._unique_id}
        flash.write_bytes(build_image(content, flash_blocks_of(self._runtime, self._profile)))

    async def _connect(self, board: ProcessBoard) -> None:
        loop = asyncio.get_running_loop()
        self._close()
        board.power_on(wait=False)
        port = Port(board.port, loop)
        watch(board, port)
        if self._session is None:
            session = Session(port, patience=patience_of(self._runtime))
            self._stack.callback(loop.remove_reader, board.fileno())
            self._stack.callback(self._close)
        else:
            session = self._session.moved(port)
        self._session = session
        await session.connect()

    def _close(self) -> None:
        if self._session is not None:
            self._session.close()


class SerialRig(_SessionRig):
    """The board on a port, as it is: its flash is its own, so it has to have the recorded node's plant and model, and
    the bench's key."""

    restarts = False
    own_flash = True

    def __init__(self, port: str) -> None:
        super().__init__()
        self._port = port

    async def start(self, files: Mapping[str, bytes]) -> None:
        """As Rig.start."""
        board = await self._stack.enter_async_context(await asyncio.to_thread(board_on, self._port))
        self._session = await board.connect()
        identity = self._session.identity
        assert identity is not None  # connected
        if reason := unfit(identity, files):
            raise ReplayError(f"{self._port}: {reason}")


def unfit(identity: Identity, files: Mapping[str, bytes]) -> str:
    """Why a board as it stands cannot be what was recorded; "" when it can."""
    if SIM_CAPABILITY not in identity.capabilities:
        return "this is a flight build: it has no SIM plane to restore a state through, or to be driven by"
    if identity.plant_crc != crc32(files.get("plant.bin", b"")[:-4]):
        return f"its plant is not the recorded node's: {_FLASH_IT}"
    if identity.model_id != Image(files["model.bin"]).model_id:
        return f"its model is not the recorded node's: {_FLASH_IT}"
    return ""
