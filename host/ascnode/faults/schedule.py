"""Faults on one schedule: what, which node, when, in which modes, with which seed. TOML `[[fault]]` tables, or Python.

[[fault]]
kind = "radio"
way = "down"
effect = "drop"
rate = 0.2
start_s = 600
end_s = 1200
modes = ["DOWNLINK"]
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from ascnode.errors import ScenarioError
from ascnode.faults.noise import Noise, generator
from ascnode_fw.wire import dictionary as d

Mode = Literal["SAFE", "CHARGE", "COMPUTE", "DOWNLINK"]
Way = Literal["up", "down", "both"]
Seconds = Annotated[float, Field(ge=0)]
_Index = Annotated[int, Field(ge=0)]
Node = str | _Index | tuple[_Index, _Index] | tuple[_Index, _Index, _Index]
SENSOR_NAMES = tuple(row[0] for row in d.SENSORS)


@dataclass(frozen=True)
class Injection:
    """One thing that a fault did."""

    time_us: int
    node: str
    kind: str
    target: str
    detail: str
    mode: str = ""


Listener = Callable[[Injection], None]


class BoardFault(BaseModel):
    """When and where. A `trigger` is a condition that, once met within [start_s, end_s), sets the fault off; with
    `duration_s` the fault ends so long after it began. Modes: it acts only in periods that begin in one of them."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    node: Annotated[
        Node,
        Field(description='a board\'s name, or its satellite as in constellation.boards; "*": all boards'),
    ] = "*"
    start_s: Seconds = 0.0
    end_s: Annotated[Seconds | None, Field(description="without it, it lasts")] = None
    duration_s: Annotated[
        Annotated[float, Field(gt=0)] | None, Field(description="ends so long after it began")
    ] = None
    trigger: Annotated[
        Literal["", "contact", "eclipse", "job", "trip", "answer"],
        Field(description="begins when that is first met from start_s on"),
    ] = ""
    modes: Annotated[tuple[Mode, ...], Field(description="acts in these modes alone")] = ()
    seed: Annotated[int, Field(ge=0, lt=1 << 32, description="beside the run's")] = 0

    @model_validator(mode="after")
    def _ordered(self) -> "BoardFault":
        if self.end_s is not None and self.end_s <= self.start_s:
            raise ValueError(f"end_s = {self.end_s:g} is not after start_s = {self.start_s:g}")
        return self

    @property
    def watched(self) -> bool:
        """Whether it depends on what the node does, so that periods have to be looked at one by one."""
        return bool(self.modes or self.trigger)


class Radio(BoardFault, Noise):
    """FLIGHT packets, before they enter the wire. On the way down a damaged packet is lost: the ground's frame check,
    below the packets that are modelled, drops it. On the way up the node itself judges it."""

    kind: Literal["radio"]
    way: Way = "both"


class Wire(BoardFault):
    """The bench's cable, both planes. `losses` ends it after so many lost frames; a stall holds bytes for `stall_s` of
    wall time. Losing what is never answered is a blocked run."""

    kind: Literal["wire"]
    effect: Literal["bit_errors", "burst", "drop", "duplicate", "reorder", "delay", "cut", "stall"]
    rate: Annotated[float, Field(ge=0, le=1)] = 1.0
    burst_bits: Annotated[int, Field(ge=1, le=8192)] = 32
    delay_s: Annotated[float, Field(gt=0, le=5)] = 0.05
    stall_s: Annotated[float, Field(gt=0, le=60)] = 0.5
    losses: Annotated[int, Field(ge=1)] | None = None
    way: Way = "both"


class Board(BoardFault):
    """The board itself, once at start_s or at its trigger. Power returns after `off_s` of simulated time.

    power_cut at the `write`-th flash write after that time when given, of which `halves` are stored.
    """

    kind: Literal["board"]
    effect: Literal["power_cut", "brown_out", "reset", "watchdog"]
    off_s: Seconds = 0.0
    write: Annotated[int, Field(ge=1)] | None = None
    halves: Literal[0, 1, 2] = 0

    @model_validator(mode="after")
    def _makes_sense(self) -> "Board":
        if self.write is not None and self.effect != "power_cut":
            raise ValueError(f"write is for power_cut, not for {self.effect}")
        if self.off_s and self.effect in ("reset", "watchdog"):
            raise ValueError(f"a {self.effect} takes no power away: off_s has to be 0")
        return self


class Sensor(BoardFault):
    """A sensor that sticks at `value`, or whose 12-bit words are moved by noise of `sigma` counts a period."""

    kind: Literal["sensor"]
    sensor: Literal["cell", "array", "load", "accelerator", "radiator"]
    effect: Literal["stuck", "noisy"]
    value: Annotated[int, Field(ge=0, le=4095)] = 0
    sigma: Annotated[float, Field(gt=0, le=4095)] = 8.0


class Upset(BoardFault):
    """Flipped bits: one at start_s (or the trigger), or `per_hour` on the average until end_s. What is not named is
    drawn: a word of the target, a bit of it. `common`: the twin is hit as well, for what follows rather than parity."""

    kind: Literal["upset"]
    target: Literal["plant", "flight", "params", "queue", "tasks", "model"]
    word: Annotated[int, Field(ge=0)] | None = None
    bit: Annotated[int, Field(ge=0, le=30)] | None = None
    per_hour: Annotated[float, Field(gt=0, le=36_000)] | None = None
    common: bool = False

    @model_validator(mode="after")
    def _bounded(self) -> "Upset":
        if self.per_hour is not None and (self.end_s is None or self.watched):
            raise ValueError("per_hour needs end_s, and neither modes nor a trigger")
        return self


class Sky(BoardFault):
    """An eclipse that no plan knows of, a contact without lock, a gateway that hears and says nothing."""

    kind: Literal["sky"]
    effect: Literal["eclipse", "contact", "gateway"]


class Clock(BoardFault):
    """The node's clock runs `ppm` fast (slow when negative) against the sky's from start_s on."""

    kind: Literal["clock"]
    ppm: Annotated[float, Field(ge=-100_000, le=100_000)]

    @model_validator(mode="after")
    def _plain(self) -> "Clock":
        if self.watched or self.end_s is not None or self.duration_s is not None:
            raise ValueError("a clock drifts from start_s on: it has no end, modes or trigger")
        return self


Fault = Annotated[Radio | Wire | Board | Sensor | Upset | Sky | Clock, Field(discriminator="kind")]
_FAULT: TypeAdapter[Fault] = TypeAdapter(Fault)


class Schedule:
    """Faults in the order in which they were named; `seed` is the run's, which every fault's own adds to.

    `numbers` are their places in the file, where other tables stand between them.
    """

    def __init__(
        self, faults: Iterable[Fault] = (), seed: int = 0, numbers: Sequence[int] | None = None
    ) -> None:
        self.faults = tuple(faults)
        if not all(isinstance(one.node, str) for one in self.faults):
            raise ScenarioError("fault: a satellite in the place of a node's name is for scenario files")
        self.seed = seed
        self._numbers = range(len(self.faults)) if numbers is None else numbers

    @classmethod
    def of(cls, tables: Iterable[Mapping[str, Any]], seed: int = 0) -> "Schedule":
        """From `[[fault]]` tables; ScenarioError that names the table and the key."""
        return cls([fault(number, table) for number, table in enumerate(tables)], seed)

    def of_node(self, name: str) -> list[tuple[int, Fault]]:
        """(number, fault) of those that concern a node."""
        numbered = zip(self._numbers, self.faults, strict=True)
        return [(number, one) for number, one in numbered if one.node in ("*", name)]

    def seed_of(self, number: int) -> int:
        """The seed of one fault."""
        one = self.faults[self._numbers.index(number)]
        return generator(self.seed, number, one.seed).getrandbits(32)


def fault(number: int, table: Mapping[str, Any]) -> Fault:
    """One fault from its table; ScenarioError that names the key."""
    try:
        return _FAULT.validate_python(dict(table))
    except ValidationError as e:
        one = e.errors()[0]
        # The kind comes first in the place that pydantic names, and is none of the user's keys.
        key = ".".join(str(part) for part in one["loc"][1:])
        message = one["msg"].removeprefix("Value error, ")
        where = f"fault[{number}]" + (f".{key}" if key else "")
        raise ScenarioError(f"{where}: {message[0].lower()}{message[1:]}") from None
