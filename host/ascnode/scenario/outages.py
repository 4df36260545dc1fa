"""What is out in each slot: the scenario's faults, those at a time and those at a rate, as one schedule."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from ascnode.errors import ScenarioError
from ascnode.scenario.tables.policy import Fault
from ascnode.sky.constants import SECONDS_PER_DAY


@dataclass(frozen=True)
class Spell:
    """Something is out from start_s to before end_s: a satellite, a link (a, b), or a gateway's number."""

    kind: str
    start_s: float
    end_s: float
    what: tuple[int, ...]


@dataclass(frozen=True)
class Out:
    """What is out at one time; `failed` never comes back."""

    failed: frozenset[int] = field(default_factory=frozenset)
    away: frozenset[int] = field(default_factory=frozenset)
    gateways: frozenset[int] = field(default_factory=frozenset)

    @property
    def satellites(self) -> frozenset[int]:
        """All that are off the links."""
        return self.failed | self.away


class Schedule:
    """All spells of a run, in order. ScenarioError for a fault of what is not there."""

    def __init__(
        self, faults: Sequence[object], satellites: int, gateways: Sequence[str], length_s: float, seed: int
    ) -> None:
        self.spells: list[Spell] = []
        for number, fault in enumerate(faults):
            if isinstance(fault, Fault):  # the others are the boards' own
                rng = np.random.default_rng([seed, 4, number])
                self.spells += _spells(f"fault.{number}", fault, satellites, gateways, length_s, rng)
        self.spells.sort(key=lambda spell: (spell.start_s, spell.kind, spell.what))

    def at(self, t_s: float) -> Out:
        """What is out then; links are the laser mesh's own matter."""
        now = [spell for spell in self.spells if spell.start_s <= t_s < spell.end_s]

        def those(*kinds: str) -> frozenset[int]:
            return frozenset(spell.what[0] for spell in now if spell.kind in kinds)

        return Out(those("failure"), those("outage", "manoeuvre"), those("gateway"))

    def links(self) -> Iterator[Spell]:
        """The spells of links."""
        return (spell for spell in self.spells if spell.kind == "link")


def _spells(
    key: str,
    fault: Fault,
    satellites: int,
    gateways: Sequence[str],
    length_s: float,
    rng: np.random.Generator,
) -> Iterable[Spell]:
    for_s = float("inf") if fault.kind == "failure" else fault.for_s
    if fault.at_s is not None:
        what = _named(key, fault, satellites, gateways)
        return [Spell(fault.kind, fault.at_s, fault.at_s + for_s, what)]
    if fault.kind == "link":
        raise ScenarioError(f"{key}.rate_per_day: links fail at random by lasers.outage_share")
    count = len(gateways) if fault.kind == "gateway" else satellites
    expected = (fault.rate_per_day or 0.0) * length_s / SECONDS_PER_DAY * count
    times = rng.uniform(0, length_s, rng.poisson(expected))
    return [Spell(fault.kind, float(t), float(t) + for_s, (int(rng.integers(count)),)) for t in times]


def _named(key: str, fault: Fault, satellites: int, gateways: Sequence[str]) -> tuple[int, ...]:
    if fault.gateway is not None:
        if fault.gateway not in gateways:
            raise ScenarioError(f"{key}.gateway: {fault.gateway!r} is not a gateway of this scenario")
        return (gateways.index(fault.gateway),)
    ends = tuple(end for end in (fault.satellite, fault.other) if end is not None)
    if beyond := [end for end in ends if end >= satellites]:
        raise ScenarioError(f"{key}.satellite: {beyond[0]} is not among {satellites} satellites")
    return ends
