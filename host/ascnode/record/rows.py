"""Rows of a record as a reader gives them: fields as the columns in record/schema.py, JSON and blobs opened."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]


class Board(NamedTuple):
    """A row of `boards`."""

    node: int
    satellite: int
    name: str
    kind: str
    unique_id: str
    version: str
    dictionary: str
    power_scale: int


class Slot(NamedTuple):
    """A row of `slots`."""

    number: int
    start_us: int
    end_us: int
    links: int
    users_served: int
    satellites_out: int
    parcels_waiting: int
    bytes_waiting: int
    jobs: int
    charge_min: float
    charge_mean: float
    accelerator_max_k: float
    radiator_max_k: float
    load_w: float


class Query(NamedTuple):
    """A row of `queries`."""

    job: int
    kind: str
    node: int
    place: str
    image: int
    label: int
    priority: int
    sent_us: int
    deadline_s: int
    uplink_us: int
    mesh_us: int
    queue_us: int
    compute_us: int
    wait_us: int
    downlink_us: int
    answered_us: int | None
    guess: int | None
    energy_j: float | None
    tries: int
    cause: str
    revision: int

    @property
    def status(self) -> str:
        """answered, lost or open."""
        if self.answered_us is not None:
            return "answered"
        return "lost" if self.cause else "open"

    @property
    def late(self) -> bool:
        """Answered after its deadline."""
        return self.answered_us is not None and self.answered_us > self.deadline_s * 1_000_000

    @property
    def known_until_us(self) -> int:
        """Where its accounted time ends: of an answered query the answer, of a lost one about where it was lost."""
        parts = (self.uplink_us, self.mesh_us, self.queue_us, self.compute_us, self.wait_us, self.downlink_us)
        return self.sent_us + sum(parts)


class Telemetry(NamedTuple):
    """A row of `telemetry`; fields by name in the dictionary's units."""

    node: int
    number: int
    sent_us: int
    made_us: int
    name: str
    fields: dict[str, Any]
    data: bytes
    packet: bytes


class Event(NamedTuple):
    """A telemetry packet of kind event, by the dictionary's names; severity 1 (information) to 4 (high)."""

    node: int
    number: int
    sent_us: int
    made_us: int
    name: str
    severity: int
    value: int


class Fault(NamedTuple):
    """A row of `faults`."""

    node: int
    number: int
    time_us: int
    kind: str
    target: str
    detail: str
    mode: str


class Frame(NamedTuple):
    """A row of `frames` or `link_frames`."""

    node: int
    number: int
    time_us: int
    direction: str
    body: bytes


class Node(NamedTuple):
    """A row of `nodes`."""

    node: int
    name: str
    answers: int
    bytes: int
    charge_min: float
    charge_end: float
    accelerator_max_k: float
    radiator_max_k: float


class Measured(NamedTuple):
    """A row of `measurements`."""

    name: str
    value: float
    unit: str
    low: float | None
    high: float | None
    outcome: str


class Snapshot(NamedTuple):
    """A row of `snapshots`; data None: the file is gone."""

    node: int
    time_us: int
    name: str
    data: bytes | None


@dataclass(frozen=True, eq=False)
class Service:
    """The network during a slot. serving (users,): satellite of each user, -1 without one; gateway: the gateway that
    a satellite hands down to; lasers (m, 2): pairs that carry data; out, gateways_out: what is out of service."""

    serving: Integers
    gateway: dict[int, int]
    lasers: Integers
    lasers_out: Integers
    out: frozenset[int]
    gateways_out: frozenset[int]


@dataclass(frozen=True)
class Cursor:
    """How far a follower has read: the next number of each board's telemetry and faults, the time of the last slot,
    the last revision of queries. Plain values: dataclasses.asdict makes JSON of it."""

    telemetry: dict[int, int]
    faults: dict[int, int]
    slots_us: int = -1
    queries: int = 0

    @classmethod
    def start(cls) -> "Cursor":
        """Before everything."""
        return cls({}, {})

    @classmethod
    def of(cls, plain: Any) -> "Cursor":
        """From JSON, whose keys are text. ValueError for what is no cursor."""
        try:
            telemetry, faults = (
                {int(node): int(number) for node, number in plain[name].items()}
                for name in ("telemetry", "faults")
            )
            return cls(telemetry, faults, int(plain["slots_us"]), int(plain["queries"]))
        except (KeyError, TypeError, AttributeError) as e:
            raise ValueError(f"no cursor: {e}") from None


class News(NamedTuple):
    """What is new since a cursor; `whole` once the run has ended and nothing more will come."""

    telemetry: list[Telemetry]
    faults: list[Fault]
    slots: list[Slot]
    queries: list[Query]
    whole: bool
