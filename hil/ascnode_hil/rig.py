"""A board under test, whatever it is: with a twin that agrees with it, a plant here or there, and faults between."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ascnode.boards.accelerators import AcceleratorKind
from ascnode.errors import BoardError
from ascnode.faults.board import Control
from ascnode.faults.injector import Injector
from ascnode.faults.schedule import Injection, Schedule
from ascnode.faults.wire import FaultyLine
from ascnode.scenario.payload import Payload, load_payload
from ascnode.scenario.provision import node_files
from ascnode.scenario.scenario import Scenario
from ascnode.session.messages import Event
from ascnode.twin.alone import TwinAlone
from ascnode.twin.hosted import HostedPlant
from ascnode.twin.pair import Pair
from ascnode.twin.twin import Twin
from ascnode_fw import __version__
from ascnode_hil.errors import BlockedError

if TYPE_CHECKING:
    from ascnode_gateware.device.fault import Fault

POWER_ON, RESET, POWER_CUT = 0, 1, 2  # places in the dictionary's RESET_CAUSES


@dataclass(frozen=True)
class Setup:
    """What is the same for all boards of a test session."""

    scenario: Scenario
    seed: int
    plant: str  # "board" or "host"
    folder: Path
    accelerator: AcceleratorKind = "none"  # beside each board in a process; a real one has what it has
    uf2: Path | None = None  # image of emulated boards

    @cached_property
    def payload(self) -> Payload:
        """The model that every node runs, and the images that are sent to it."""
        return load_payload(self.scenario.payload, self.scenario.folder)

    def files(self, node: int, accelerated: bool | None = None) -> dict[str, bytes]:
        """What lies on a node's flash beside the firmware; a real board says itself whether it has an accelerator."""
        if accelerated is None:
            accelerated = self.accelerator != "none"
        program = self.payload.program_image if accelerated else None
        model = self.payload.image
        return node_files(self.scenario.node, model, self.seed, node, self.scenario.step_ms, program)


class Device(ABC):
    """One board. `control` is its switch and reset line, `line` the cable where there is one."""

    kind: str
    flyer: Pair | TwinAlone
    control: Control
    line: FaultyLine | None = None
    slower = 1.0  # than a board at its own speed: how many times longer it may take

    def __init__(self, setup: Setup, node: int, name: str) -> None:
        self.setup = setup
        self.node = node
        self.name = name
        self.boots = 0
        self.injector: Injector | None = None
        self._hosted: HostedPlant | None = None

    @abstractmethod
    async def open(self) -> None:
        """Makes the board ready; what goes wrong here is the rig's."""

    @abstractmethod
    async def close(self) -> None:
        """Gives the board back; may be called twice."""

    # --- what it is

    @property
    def capabilities(self) -> frozenset[str]:
        """Of the rig with it: "reset", "power", "write" for a cut at a flash write, "wire" for a faulty cable."""
        return self.control.capabilities | ({"wire"} if self.line else frozenset())

    @property
    def hosted(self) -> HostedPlant | None:
        """The plant, when it runs here."""
        if self._hosted is None and self.setup.plant == "host":
            self._hosted = HostedPlant(self.flyer, self.setup.files(self.node)["plant.bin"])
        return self._hosted

    @property
    def stepper(self) -> Pair | TwinAlone | HostedPlant | Injector:
        """What takes exchanges."""
        return self.injector or self.hosted or self.flyer

    @property
    def twin(self) -> Twin:
        """The twin; every exchange has shown that the board agrees with it."""
        return self.flyer.twin

    @property
    def version(self) -> str:
        """Of board and firmware, for reports."""
        return f"firmware {__version__} in CPython"

    # --- time

    async def begin(self) -> None:
        """Starts afresh at time 0, without faults; what earlier tests left on the flash stays there."""
        self.injector = None
        if self.line:
            self.line.set()
        await self.stepper.begin(0, boots=self.boots)

    async def begin_with(self, schedule: Schedule, injected: list[Injection]) -> None:
        """The same, under a schedule of faults; BlockedError when the rig cannot inject one."""
        flyer = self.hosted or self.flyer
        control_us = self.setup.scenario.step_ms * 1000
        injector = Injector(flyer, schedule, control_us, injected.append, self.line, self.control)
        lacking = injector.unsupported()
        if lacking:
            raise BlockedError(f"{self.name}: {lacking[0]}")
        self.injector = injector
        await injector.begin(0, boots=self.boots)

    # --- its accelerator

    def spoil_accelerator(self, faults: "Iterable[Fault]") -> None:
        """Faults between the board and its accelerator, or in it, in place of those so far; BlockedError where the rig
        cannot do that."""
        raise BlockedError(f"{self.name}: the rig cannot spoil an accelerator")

    # --- power and reset

    async def restart(self, now_us: int, cause: int) -> None:
        """Resets the board, or cuts its power and gives it back, and goes on at that time with the same plant."""
        self._need("power" if cause == POWER_CUT else "reset")
        self.boots += 1
        if cause == POWER_CUT:
            await self.control.off()
        (self.hosted or self.flyer).coast(now_us, now_us)  # an exchange in which it died has not happened
        await (self.control.on if cause == POWER_CUT else self.control.reset)(now_us, cause, self.boots)

    async def cut_at_write(self, until_us: int, events: Sequence[Event], write: int, halves: int) -> bool:
        """An exchange in which power goes at that flash write; False when there were fewer, and it has happened."""
        self._need("write")
        self.control.cut_at_write(write, halves)
        try:
            await self.stepper.exchange(until_us, events, False)
        except BoardError:
            return True
        self.control.cut_at_write(_NEVER, 0)
        return False

    def _need(self, what: str) -> None:
        if what not in self.capabilities:
            switch = {
                "power": "no power switch",
                "reset": "no reset line",
                "write": "no power cut at a write",
            }[what]
            raise BlockedError(f"{self.name}: the rig has {switch} for this board")


_NEVER = 1 << 20  # more writes than any exchange makes
