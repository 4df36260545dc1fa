"""The laser mesh as time goes on: which links carry data at each step."""

import math
from dataclasses import dataclass, field

import numpy as np

from ascnode.mesh.links import Flags, LinkRules, Links, Positions, capped, lengths_km, nearest_pairs
from ascnode.mesh.outages import Outages
from ascnode.sky.vectors import Integers


@dataclass
class LaserMesh:
    """Links of n satellites. `fixed` (m, 2) are pairs that are always tried, such as a +grid.

    With `fill`, terminals that `fixed` leaves free go to nearest neighbours; such a link stays until it breaks
    a rule. A link that is possible at the first step is up; one that becomes possible later, or again, carries
    data once the acquisition time has passed.
    """

    satellites: int
    rules: LinkRules
    fixed: Integers
    fill: bool = False
    outages: Outages = field(default_factory=Outages)

    def __post_init__(self) -> None:
        self._pairs = capped(self.fixed, np.full(self.satellites, self.rules.terminals))
        self._fixed = len(self._pairs)
        self._ready_s = np.full(self._fixed, np.inf)  # when a candidate carries data; never, if not possible
        self._now_s = -math.inf

    @property
    def planned(self) -> Integers:
        """The pairs (m, 2) of `fixed` that found a free terminal at both ends."""
        planned: Integers = self._pairs[: self._fixed]
        return planned

    def step(self, t_s: float, positions_km: Positions) -> Links:
        """The links at t_s, for positions (n, 3) of that instant. Raises ValueError when time runs back."""
        if t_s < self._now_s:
            raise ValueError(f"the mesh is at {self._now_s} s: it does not go back to {t_s} s")
        if self.fill:
            self._fill(positions_km)
        length_km, closest_km = lengths_km(positions_km, self._pairs)
        far = ~(length_km <= self.rules.max_range_km)  # so is the place of a decayed satellite, nan
        low = ~far & (closest_km < self.rules.clearance_km)
        out = ~(far | low) & self.outages.hit(t_s, self._pairs)
        acquiring = self._acquire(t_s, ~(far | low | out))
        self._now_s = t_s
        up = ~(far | low | out | acquiring)
        causes = {"range": far, "grazing": low, "outage": out, "acquiring": acquiring}
        down = {cause: int(np.count_nonzero(hit)) for cause, hit in causes.items()}
        return Links(self._pairs[up], length_km[up], down)

    def _acquire(self, t_s: float, possible: Flags) -> Flags:
        """Which possible links are still being acquired."""
        wait_s = self.rules.acquisition_s if self._now_s > -math.inf else 0.0
        newly = possible & np.isinf(self._ready_s)
        self._ready_s[newly] = t_s + wait_s
        self._ready_s[~possible] = np.inf
        return possible & (self._ready_s > t_s)

    def _fill(self, positions_km: Positions) -> None:
        """Drops filled links that broke a rule and gives the free terminals to the nearest neighbours."""
        length_km, closest_km = lengths_km(positions_km, self._pairs)
        kept = (length_km <= self.rules.max_range_km) & (closest_km >= self.rules.clearance_km)
        kept[: self._fixed] = True
        held = self._pairs[kept]
        free = np.full(self.satellites, self.rules.terminals)
        free -= np.bincount(held.ravel(), minlength=self.satellites)
        new = nearest_pairs(positions_km, free, self.rules, held)
        self._pairs = np.concatenate([held, new])
        self._ready_s = np.concatenate([self._ready_s[kept], np.full(len(new), np.inf)])
