"""A bench's power switches: how a board's supply goes off and on without a hand, or with one."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from typing import Annotated, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from ascnode.errors import BoardError, BoardTimeoutError

COMMAND_S = 20.0
OFF_S = 1.0  # decoupling capacitors have run down by then

Ask = Callable[[str], None]
Run = Callable[[Sequence[str]], None]


class PowerSwitch(Protocol):
    """`capabilities` holds "power" when off() and on() do something; tests that need power are blocked without."""

    capabilities: frozenset[str]

    def off(self) -> None:
        """Takes the power away; BoardError when the switch fails."""

    def on(self) -> None:
        """Gives the power back."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Uhubctl(_Entry):
    """A USB hub that switches its ports; `location` and `port` as `uhubctl` lists them."""

    switch: Literal["uhubctl"]
    location: Annotated[str, Field(pattern=r"^[0-9]+(-[0-9]+(\.[0-9]+)*)?$")]
    port: Annotated[int, Field(ge=1, le=32)]

    @property
    def commands(self) -> tuple[list[str], list[str]]:
        """The commands that take and give power."""
        base = ["uhubctl", "-l", self.location, "-p", str(self.port), "-a"]
        return [*base, "off"], [*base, "on"]


class Relay(_Entry):
    """Two commands, each a list of words: no shell reads them."""

    switch: Literal["relay"]
    off: Annotated[list[str], Field(min_length=1)]
    on: Annotated[list[str], Field(min_length=1)]

    @property
    def commands(self) -> tuple[list[str], list[str]]:
        """The commands that take and give power."""
        return self.off, self.on


class Manual(_Entry):
    """A person pulls the plug when asked."""

    switch: Literal["manual"]


class NoSwitch(_Entry):
    """Nothing switches this board."""

    switch: Literal["none"] = "none"


Power = Annotated[Uhubctl | Relay | Manual | NoSwitch, Field(discriminator="switch")]


class CommandSwitch:
    """A switch that programs work."""

    capabilities = frozenset({"power"})

    def __init__(self, off: Sequence[str], on: Sequence[str], run: Run | None = None) -> None:
        self._off, self._on = off, on
        self._run = run or run_command

    def off(self) -> None:
        """Takes the power away."""
        self._run(self._off)

    def on(self) -> None:
        """Gives the power back."""
        self._run(self._on)


class ManualSwitch:
    """A switch that a person is."""

    capabilities = frozenset({"power", "manual"})

    def __init__(self, name: str, ask: Ask) -> None:
        self._name, self._ask = name, ask

    def off(self) -> None:
        """Asks, and waits for the answer."""
        self._ask(f"Take the power from board {self._name}, then press Enter")

    def on(self) -> None:
        """Asks, and waits for the answer."""
        self._ask(f"Give power to board {self._name}, then press Enter")


class AbsentSwitch:
    """No switch: whoever asks for power gets an error that says so."""

    capabilities: frozenset[str] = frozenset()

    def __init__(self, name: str) -> None:
        self._name = name

    def off(self) -> None:
        """BoardError, always."""
        raise BoardError(f"board {self._name} has no power switch in the bench file")

    on = off


def switch_of(
    name: str, power: Uhubctl | Relay | Manual | NoSwitch, ask: Ask, run: Run | None = None
) -> PowerSwitch:
    """The switch of a bench file's entry; `ask` shows a sentence and returns when a person has done it."""
    if isinstance(power, Manual):
        return ManualSwitch(name, ask)
    if isinstance(power, NoSwitch):
        return AbsentSwitch(name)
    return CommandSwitch(*power.commands, run)


def cycle(switch: PowerSwitch, off_s: float = OFF_S) -> None:
    """Off, long enough to be felt, and on."""
    switch.off()
    time.sleep(off_s)
    switch.on()


def run_command(command: Sequence[str]) -> None:
    """BoardError with the program's last words when it fails, BoardTimeoutError when it does not end."""
    shown = " ".join(command)
    try:
        run = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=COMMAND_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BoardTimeoutError(f"the power switch did not answer within {COMMAND_S:g} s: {shown}") from None
    except OSError as error:
        raise BoardError(f"the power switch cannot be run: {shown}: {error.strerror}") from None
    if run.returncode:
        words = (run.stderr or run.stdout).strip().splitlines()
        raise BoardError(
            f"the power switch failed: {shown}: {words[-1] if words else f'status {run.returncode}'}"
        )
