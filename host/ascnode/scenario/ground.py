"""The ground as one satellite meets it: which station hears it, and how long light takes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from ascnode.sky.constants import SPEED_OF_LIGHT_KM_S
from ascnode.sky.orbit import CircularOrbit
from ascnode.sky.passes import Pass, range_km
from ascnode.sky.plans import Window, merged
from ascnode.sky.vectors import Floats


@dataclass(frozen=True)
class Ground:
    """Passes of one satellite over all stations. Any station takes any answer; what lies behind it is not modelled."""

    orbit: CircularOrbit
    epoch: datetime
    passes: Sequence[Pass]
    _cache: dict[Pass, tuple[Floats, Floats]] = field(default_factory=dict, repr=False, compare=False)

    def contacts(self) -> list[Window]:
        """Windows in which at least one station sees the satellite."""
        return merged((one.rise_s, one.set_s) for one in self.passes)

    def heard_by(self, time_us: int) -> Pass | None:
        """The pass under way that culminates highest; None when no station sees the satellite."""
        t_s = time_us / 1e6
        under_way = [one for one in self.passes if one.rise_s <= t_s <= one.set_s]
        return max(under_way, key=lambda one: one.max_elevation_deg, default=None)

    def of_city(self, city: str, time_us: int) -> Pass | None:
        """The pass under way over a city."""
        t_s = time_us / 1e6
        return next((p for p in self.passes if p.station.name == city and p.rise_s <= t_s <= p.set_s), None)

    def light_us(self, one: Pass, time_us: int) -> int:
        """One-way light time between station and satellite during a pass, to a tenth of a us."""
        t_s, range_km = self._ranges(one)
        return round(float(np.interp(time_us / 1e6, t_s, range_km)) / SPEED_OF_LIGHT_KM_S * 1e6)

    def _ranges(self, one: Pass) -> tuple[Floats, Floats]:
        # Every second of a pass; between them a straight line is within 7 m.
        if one not in self._cache:
            t_s = np.append(np.arange(one.rise_s, one.set_s), one.set_s)
            self._cache[one] = t_s, range_km(self.orbit, one.station, self.epoch, t_s)
        return self._cache[one]
