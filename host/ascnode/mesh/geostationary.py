"""The geostationary arc as a ground station sees it, and which satellites are too close to it to be used.

Satellites in low orbit must not shine into the dishes that point at that arc (ITU Radio Regulations, article 22).
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ascnode.sky.vectors import Floats, norm

GEOSTATIONARY_RADIUS_KM = 42164.17  # one turn a sidereal day (86,164.0905 s): (mu (T / 2 pi)^2)^(1/3)
_STEP_DEG = 0.25


@dataclass(frozen=True)
class Arc:
    """Unit vectors (p, 3), Earth-fixed, from a site to the points of the arc above its horizon; maybe none."""

    towards: Floats

    @classmethod
    def seen_from(cls, position_km: Floats, up: Floats) -> "Arc":
        """For a site at position_km (3,) with upward normal (3,), Earth-fixed.

        A point at longitude l is above the horizon where (point - site) . up >= 0: within one arc around the site's
        meridian, whose ends are among the points.
        """
        cosine = float(position_km @ up) / (GEOSTATIONARY_RADIUS_KM * max(math.hypot(up[0], up[1]), 1e-9))
        if cosine > 1:
            return cls(np.empty((0, 3)))
        half = math.acos(cosine)
        steps = 2 * math.ceil(math.degrees(half) / _STEP_DEG)
        longitude = math.atan2(up[1], up[0]) + np.linspace(-half, half, steps + 1)
        points = np.stack([np.cos(longitude), np.sin(longitude), np.zeros_like(longitude)], axis=-1)
        sight_km = GEOSTATIONARY_RADIUS_KM * points - position_km
        return cls(sight_km / norm(sight_km)[:, np.newaxis])

    def angle_deg(self, sight: Floats) -> Floats:
        """Least angles (n,) between the arc and lines of sight (n, 3), Earth-fixed; 180 where no arc is in view.

        The points are a quarter of a degree apart: beyond 10 deg the angle is at most 0.001 deg too large.
        """
        if len(self.towards) == 0:
            return np.full(len(sight), 180.0)
        cosine = (sight / norm(sight)[:, np.newaxis]) @ self.towards.T
        least: Floats = np.degrees(np.arccos(np.clip(np.max(cosine, axis=1), -1.0, 1.0)))
        return least


def clear_of_arc(arc: Arc, sight: Floats, angle_deg: float) -> npt.NDArray[np.bool_]:
    """Which lines of sight (n, 3) keep this angle from the arc."""
    return np.asarray(arc.angle_deg(sight) >= angle_deg)
