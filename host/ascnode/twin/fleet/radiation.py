"""Upsets of a fleet's memories: rare over most of the Earth, frequent over the South Atlantic."""

from datetime import datetime

import numpy as np
import numpy.typing as npt

from ascnode.sky.constellation import Satellites
from ascnode.sky.time import gmst_rad
from ascnode.sky.vectors import Floats, Integers
from ascnode.twin.fleet.philox import exponential

# 97.5 % of upsets happen in the anomaly, where a satellite is for about 7 % of its time: 0.975 / 0.07 and 0.025 / 0.93.
INSIDE, OUTSIDE = 13.9, 0.027
# [A] The anomaly at 500 to 600 km as an ellipse in latitude and longitude, sized to 7 % of the time at 53 deg.
CENTRE_DEG, SEMI_AXES_DEG = (-26.0, -45.0), (22.5, 45.0)

_UPSET = 4  # kind of draw
_DAY_S = 86400.0


def in_anomaly(latitude_deg: npt.ArrayLike, longitude_deg: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Whether places on the ground (...) lie below the South Atlantic Anomaly."""
    north = (np.asarray(latitude_deg) - CENTRE_DEG[0]) / SEMI_AXES_DEG[0]
    east = (np.mod(np.asarray(longitude_deg) - CENTRE_DEG[1] + 180, 360) - 180) / SEMI_AXES_DEG[1]
    return np.asarray(north**2 + east**2 < 1)


def upset_factor(satellites: Satellites, epoch: datetime, t_s: float) -> Floats:
    """What the mean upset rate is multiplied by for each satellite (n,): INSIDE or OUTSIDE."""
    x, y, z = satellites.positions_km(epoch, t_s).T
    latitude = np.degrees(np.arctan2(z, np.hypot(x, y)))
    longitude = np.degrees(np.arctan2(y, x) - gmst_rad(epoch, t_s))
    return np.where(in_anomaly(latitude, longitude), INSIDE, OUTSIDE)


class Upsets:
    """Poisson upsets at a rate that follows the anomaly; the same ones for the same seed and instants looked at."""

    def __init__(
        self, satellites: Satellites, epoch: datetime, per_node_day: float, seed: int, now_s: float = 0.0
    ) -> None:
        if not 0 <= per_node_day < np.inf:
            raise ValueError(f"per_node_day is {per_node_day}: it is not negative")
        self.counts = np.zeros(satellites.count, np.int64)
        self.now_s = now_s
        self._satellites, self._epoch = satellites, epoch
        self._per_s, self._seed = per_node_day / _DAY_S, seed
        self._left = exponential(seed, _UPSET, np.arange(satellites.count), 0)

    def advance(self, until_s: float) -> Integers:
        """Satellites that were upset until then, one entry for each upset, in order of number.

        Each is taken to have spent the time where it was in its middle: advance by a minute or less.
        """
        factor = upset_factor(self._satellites, self._epoch, (self.now_s + until_s) / 2)
        self._left -= self._per_s * (until_s - self.now_s) * factor
        self.now_s = until_s
        hit: list[Integers] = []
        while len(due := np.flatnonzero(self._left <= 0)):
            self.counts[due] += 1
            self._left[due] += exponential(self._seed, _UPSET, due, self.counts[due])
            hit.append(due)
        return np.sort(np.concatenate(hit)) if hit else np.zeros(0, np.int64)
