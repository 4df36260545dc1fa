"""Circular orbits under the secular effect of the Earth's oblateness.

The place along the orbit and the node both move at a constant rate. What is left out: short-periodic J2 terms
(some 10 km at most), drag, and everything smaller; real element sets need SGP4.
"""

import math
from dataclasses import astuple, dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ascnode.sky.constants import EARTH_J2, EARTH_MU_KM3_S2, EARTH_RADIUS_KM
from ascnode.sky.vectors import Floats


class Orbit(Protocol):
    """What passes and eclipses are found from."""

    @property
    def period_s(self) -> float:
        """Time of one revolution."""

    @property
    def turn_s(self) -> float:
        """Time of a revolution at the fastest angular rate: that at perigee."""

    def position_km(self, t_s: npt.ArrayLike) -> Floats:
        """Inertial positions, (..., 3) for t_s (...) seconds after the epoch."""


@dataclass(frozen=True)
class CircularOrbit:
    """Mean elements at the scenario epoch, in the frame of `ascnode.sky.sun`; altitude above 6378.137 km.

    Raises ValueError for an altitude below the surface, an inclination outside 0..180 deg or an element that
    is not finite.
    """

    altitude_km: float
    inclination_deg: float
    raan_deg: float
    argument_of_latitude_deg: float

    def __post_init__(self) -> None:
        if not all(math.isfinite(element) for element in astuple(self)):
            raise ValueError(f"{self} has an element that is not finite")
        if self.altitude_km <= 0:
            raise ValueError(f"altitude_km is {self.altitude_km}: an orbit lies above the surface")
        if not 0 <= self.inclination_deg <= 180:
            raise ValueError(f"inclination_deg is {self.inclination_deg}: it lies between 0 and 180")

    @property
    def radius_km(self) -> float:
        return EARTH_RADIUS_KM + self.altitude_km

    @property
    def node_rate_rad_s(self) -> float:
        """Secular rate of the ascending node (Vallado, 4th ed., section 9.6, at e = 0)."""
        return -self._oblateness_rad_s * math.cos(math.radians(self.inclination_deg))

    @property
    def latitude_rate_rad_s(self) -> float:
        """Secular rate of the argument of latitude, n + k (4 cos^2 i - 1).

        The sum of the secular rates of perigee, k (5 cos^2 i - 1) / 2, and of mean anomaly,
        n + k (3 cos^2 i - 1) / 2 (Vallado, 4th ed., section 9.6, at e = 0), so it counts from node to node.
        """
        cosine = math.cos(math.radians(self.inclination_deg))
        return self._mean_motion_rad_s + self._oblateness_rad_s * (4 * cosine**2 - 1)

    @property
    def period_s(self) -> float:
        """Nodal period: from one ascending node to the next."""
        return 2 * math.pi / self.latitude_rate_rad_s

    @property
    def turn_s(self) -> float:
        """The period: the rate is the same everywhere."""
        return self.period_s

    def position_km(self, t_s: npt.ArrayLike) -> Floats:
        """Inertial positions, (..., 3) for t_s (...) seconds after the epoch."""
        t = np.asarray(t_s, dtype=np.float64)
        latitude = math.radians(self.argument_of_latitude_deg) + self.latitude_rate_rad_s * t
        to_node, ahead_of_node = self._plane(t)
        along, across = np.cos(latitude)[..., np.newaxis], np.sin(latitude)[..., np.newaxis]
        return self.radius_km * (along * to_node + across * ahead_of_node)

    def plane_normal(self, t_s: npt.ArrayLike) -> Floats:
        """Unit vectors along the angular momentum, (..., 3) for t_s (...) seconds after the epoch."""
        return np.cross(*self._plane(np.asarray(t_s, dtype=np.float64)))

    def _plane(self, t: Floats) -> tuple[Floats, Floats]:
        """The orbit plane's unit vectors at argument of latitude 0 and 90 deg."""
        node = math.radians(self.raan_deg) + self.node_rate_rad_s * t
        inclination = math.radians(self.inclination_deg)
        cosine, sine = np.cos(node), np.sin(node)
        rise = np.full_like(node, math.sin(inclination))
        tilt = math.cos(inclination)
        to_node = np.stack([cosine, sine, np.zeros_like(node)], axis=-1)
        return to_node, np.stack([-sine * tilt, cosine * tilt, rise], axis=-1)

    @property
    def _mean_motion_rad_s(self) -> float:
        return math.sqrt(EARTH_MU_KM3_S2 / self.radius_km**3)

    @property
    def _oblateness_rad_s(self) -> float:
        """The k of both rates, 3/2 J2 (Re/a)^2 n."""
        return 1.5 * EARTH_J2 * (EARTH_RADIUS_KM / self.radius_km) ** 2 * self._mean_motion_rad_s


def shell_satellite(
    altitude_km: float,
    inclination_deg: float,
    planes: int,
    per_plane: int,
    phasing: int,
    plane: int,
    slot: int,
) -> CircularOrbit:
    """One satellite of a Walker delta shell i:T/P/F with T = planes * per_plane and F = phasing.

    J. G. Walker, "Satellite constellations", JBIS 37 (1984): nodes evenly over 360 deg, slots evenly in a
    plane, and phasing * 360 / T deg from a satellite to its neighbour in the next plane.
    Raises ValueError for an index outside the shell.
    """
    if planes < 1 or per_plane < 1:
        raise ValueError(f"a shell of {planes} planes with {per_plane} satellites each is empty")
    if not 0 <= phasing < planes:
        raise ValueError(f"phasing is {phasing}: it lies between 0 and {planes - 1}")
    if not 0 <= plane < planes:
        raise ValueError(f"plane {plane} is not in a shell of {planes} planes")
    if not 0 <= slot < per_plane:
        raise ValueError(f"slot {slot} is not in a plane of {per_plane} satellites")
    argument_of_latitude = 360 * slot / per_plane + 360 * phasing * plane / (planes * per_plane)
    return CircularOrbit(altitude_km, inclination_deg, 360 * plane / planes, argument_of_latitude % 360)
