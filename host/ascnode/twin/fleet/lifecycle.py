"""What happens to the satellites of a fleet over the years: failure, de-orbit, replacement, avoidance manoeuvres.

Each event follows from the seed, the satellite and its count alone, so that the same ones happen however time is
cut into steps; what they do to the plant begins with the step after.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ascnode.sky.vectors import Floats, Integers
from ascnode.twin.fleet.fleet import SAFE_HOLD, Fleet
from ascnode.twin.fleet.philox import exponential

YEAR_S = 365.25 * 86400
DAY_S = 86400.0

_FAILURE, _MANOEUVRE, _AGE = 1, 2, 3  # kinds of draws


@dataclass(frozen=True)
class Rates:
    """How often things happen to one satellite; all [A] but the life, which studies put at 5 to 7 years."""

    failures_per_year: float = 0.02
    life_years: float = 5.0
    replacement_days: float = 30.0  # from the loss of a satellite to its successor in place
    manoeuvres_per_year: float = 40.0
    manoeuvre_minutes: float = 20.0  # slew, burn, slew back: no work meanwhile

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 <= value < np.inf:
                raise ValueError(f"{name} is {value}: it is not negative")
        if not self.life_years > 0:
            raise ValueError("life_years is 0: a satellite lives for some time")


class Event(NamedTuple):
    """Something that happened to one satellite; kind: failure, de-orbit, replacement or manoeuvre."""

    t_s: float
    satellite: int
    kind: str


class Lifecycle:
    """Lives of a fleet's satellites. `advance` after each step; `in_service` is what the mesh may use.

    With `steady`, ages at the start are spread over the life, as in a constellation that has long been up.
    """

    def __init__(self, fleet: Fleet, rates: Rates, seed: int, steady: bool = False) -> None:
        count = len(fleet)
        self.rates = rates
        self._fleet = fleet
        self._seed = seed
        self._all = np.arange(count)
        self.generation = np.zeros(count, np.int64)
        self.manoeuvres = np.zeros(count, np.int64)
        life_s = rates.life_years * YEAR_S
        age = np.mod(exponential(seed, _AGE, self._all, 0), 1.0) if steady else np.zeros(count)
        self.launched_s = fleet.now_s - age * life_s
        self.up = np.ones(count, np.bool_)  # neither failed nor de-orbited
        self._fails_s = fleet.now_s + self._wait_s(
            _FAILURE, rates.failures_per_year, self._all, self.generation
        )
        self._manoeuvre_s = fleet.now_s + self._wait_s(
            _MANOEUVRE, rates.manoeuvres_per_year, self._all, self.manoeuvres
        )
        self._busy_until_s = np.full(count, -np.inf)
        self._out = np.zeros(count, np.bool_)  # what holds because of this
        self._turn_s, self._next_s = np.empty(count), np.empty(count)
        self._look_ahead(self._all)

    @property
    def in_service(self) -> npt.NDArray[np.bool_]:
        """Satellites (n,) that are up and not manoeuvring."""
        return self.up & (self._busy_until_s <= self._fleet.now_s)

    @property
    def age_years(self) -> Floats:
        """Time since launch (n,) of the satellite in each place."""
        return np.asarray((self._fleet.now_s - self.launched_s) / YEAR_S)

    def advance(self) -> list[Event]:
        """What happened until the fleet's time, in order of (time, satellite)."""
        events: list[Event] = []
        while len(due := np.flatnonzero(self._next_s <= self._fleet.now_s)):
            # One event of each satellite at a time, in its order: what comes later depends on it.
            turn = self._turn_s[due] <= self._manoeuvre_s[due]
            lost, back = due[turn & self.up[due]], due[turn & ~self.up[due]]
            events += self._lose(lost) + self._replace(back) + self._manoeuvre(due[~turn])
            self._look_ahead(due)
        out = ~self.in_service
        self._fleet.state.hold[self._out & ~out] = 0
        self._fleet.state.hold[out] = SAFE_HOLD
        self._out = out
        return sorted(events)

    def _lose(self, places: Integers) -> list[Event]:
        self.up[places] = False
        failed = self._fails_s[places] <= self._turn_s[places]
        return _events(self._turn_s[places], places, np.where(failed, "failure", "de-orbit"))

    def _replace(self, places: Integers) -> list[Event]:
        self._fleet.renew(places)
        self.up[places] = True
        self.generation[places] += 1
        self.launched_s[places] = self._turn_s[places]
        wait_s = self._wait_s(_FAILURE, self.rates.failures_per_year, places, self.generation[places])
        self._fails_s[places] = self._turn_s[places] + wait_s
        return _events(self._turn_s[places], places, np.full(len(places), "replacement"))

    def _manoeuvre(self, due: Integers) -> list[Event]:
        # Conjunctions come with an orbit, whoever flies there: while nobody does, they are nobody's.
        starts_s, flown = self._manoeuvre_s[due], self.up[due]
        self._busy_until_s[due[flown]] = starts_s[flown] + self.rates.manoeuvre_minutes * 60
        self.manoeuvres[due] += 1
        wait_s = self._wait_s(_MANOEUVRE, self.rates.manoeuvres_per_year, due, self.manoeuvres[due])
        self._manoeuvre_s[due] = starts_s + wait_s
        return _events(starts_s[flown], due[flown], np.full(int(np.sum(flown)), "manoeuvre"))

    def _look_ahead(self, who: Integers) -> None:
        # The next turn of a place: the end of its satellite, or its successor.
        ends_s = np.minimum(self._fails_s[who], self.launched_s[who] + self.rates.life_years * YEAR_S)
        gone_s = np.where(self.up[who], 0.0, self.rates.replacement_days * DAY_S)
        self._turn_s[who] = ends_s + gone_s
        self._next_s[who] = np.minimum(self._turn_s[who], self._manoeuvre_s[who])

    def _wait_s(self, kind: int, per_year: float, who: Integers, number: Integers) -> Floats:
        if not per_year:
            return np.full(len(who), np.inf)
        return exponential(self._seed, kind, who, number) / per_year * YEAR_S


def _events(t_s: Floats, satellites: Integers, kinds: npt.NDArray[np.str_]) -> list[Event]:
    return [Event(*row) for row in zip(t_s.tolist(), satellites.tolist(), kinds.tolist(), strict=True)]
