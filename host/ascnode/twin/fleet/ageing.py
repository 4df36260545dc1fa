"""Ageing of a fleet: the array by years, the radiator's coating by years, the battery by its cycles."""

from dataclasses import dataclass

import numpy as np

from ascnode.sky.vectors import Floats
from ascnode.twin.fleet.fleet import Fleet
from ascnode.twin.fleet.rows import Reals

_END_OF_LIFE_LOSS = 0.2  # of the capacity: where cells count as worn out


@dataclass(frozen=True)
class Wear:
    """How a fleet ages [A]: cycles to the end of life are cycles_at_20 (0.2 / DoD)^exponent."""

    cycles_at_20: float = 30_000.0
    exponent: float = 1.75
    coating_years: float = 5.0  # until it is as at the end of life, evenly

    def cycles(self, depth: Floats) -> Floats:
        """Cycles to the end of life at depths of discharge 0..1 (n,); more than any mission has at 0."""
        return np.asarray(self.cycles_at_20 * (0.2 / np.maximum(depth, 1e-6)) ** self.exponent)


class Ageing:
    """Watches the charge of a fleet step by step, and brings its ageing up to date once an orbit."""

    def __init__(self, fleet: Fleet, wear: Wear | None = None) -> None:
        self.wear = wear or Wear()
        self._fleet = fleet
        self._least: Reals = fleet.charge.copy()
        self._most: Reals = fleet.charge.copy()

    def watch(self) -> None:
        """After each step: remembers the extremes of charge."""
        charge = self._fleet.charge
        np.minimum(self._least, charge, out=self._least)
        np.maximum(self._most, charge, out=self._most)

    def cycle(self, age_years: Floats) -> None:
        """After each orbit: one cycle as deep as was seen, and arrays and coatings of that age (n,)."""
        s, fleet = self._fleet.state, self._fleet
        depth = np.maximum(self._most - self._least, 0).astype(np.float64)
        s.capacity_left[:] -= _END_OF_LIFE_LOSS / self.wear.cycles(depth)
        np.maximum(s.capacity_left, 0.05, out=s.capacity_left)
        loss = np.array([one.hardware.array_loss_per_year for one in fleet.classes])[fleet.class_of]
        s.array_left[:] = (1 - loss) ** age_years
        s.coating_worn[:] = np.clip(age_years / self.wear.coating_years, 0, 1)
        self._least[:] = self._most[:] = fleet.charge
