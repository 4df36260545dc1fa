"""Which satellites stations see: of a plane, one arc of neighbours; of element sets, whichever are up.

A circular orbit is cut by a station's cone of sight in one arc. Its ends come in closed form from a horizon that is
opened just far enough for the tilt between the geodetic and the geocentric vertical; then satellites at both ends
that are not truly up are dropped. So the result is that of looking at every satellite, at a cost per plane.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from ascnode.sky.constellation import Constellation, Satellites
from ascnode.sky.stations import Station, azimuth_elevation_deg, earth_fixed, horizon_frames
from ascnode.sky.time import gmst_rad
from ascnode.sky.vectors import Floats, Integers, dot, norm
from ascnode.sky.visibility_kernels import find_arcs, look_at_all, members, near_pairs, sights


@dataclass(frozen=True)
class Ground:
    """m stations, Earth-fixed: positions in km and upward unit normals, both (m, 3)."""

    position_km: Floats
    up: Floats

    @classmethod
    def of(cls, stations: Sequence[Station]) -> "Ground":
        """Raises ValueError, naming the station, for one off the Earth."""
        return cls(*earth_fixed(stations))

    @property
    def count(self) -> int:
        """Number of stations."""
        return len(self.up)

    def inertial(self, epoch: datetime, t_s: float) -> tuple[Floats, Floats]:
        """Positions in km and normals, both (m, 3), in the satellites' frame."""
        turn = float(gmst_rad(epoch, t_s))
        cosine, sine = math.cos(turn), math.sin(turn)
        rotation = np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]])  # of rows
        return self.position_km @ rotation, self.up @ rotation


@dataclass(frozen=True)
class Arcs:
    """k arcs, by station, then by plane: slots slot, slot + 1, ... (modulo the plane's size), count of them.

    Those of station i are begin[i] .. begin[i + 1] - 1; begin is (m + 1,), all else (k,).
    """

    begin: Integers
    plane: Integers
    slot: Integers
    count: Integers


@dataclass(frozen=True)
class Visible:
    """v sightings, by station, then by satellite; those of station i are begin[i] .. begin[i + 1] - 1.

    satellite is (v,); sight_km (v, 3) points east, north and up at the station.
    """

    begin: Integers
    satellite: Integers
    sight_km: Floats

    @property
    def station(self) -> Integers:
        """The station of each sighting, (v,)."""
        return np.repeat(np.arange(len(self.begin) - 1), np.diff(self.begin))

    @property
    def range_km(self) -> Floats:
        """(v,)"""
        return norm(self.sight_km)

    @property
    def elevation_deg(self) -> Floats:
        """(v,), geometric: no refraction."""
        return azimuth_elevation_deg(self.sight_km)[1]

    @property
    def azimuth_deg(self) -> Floats:
        """(v,), from north over east, 0..360."""
        return azimuth_elevation_deg(self.sight_km)[0]


def arcs(
    satellites: Constellation,
    ground: Ground,
    epoch: datetime,
    t_s: float,
    min_elevation_deg: npt.ArrayLike = 25.0,
) -> Arcs:
    """Slots that each station sees at min_elevation_deg (one, or one a station) or above.

    Raises ValueError for an elevation outside 0..90 deg.
    """
    sine = _sin_elevations(ground, min_elevation_deg)
    site, up = ground.inertial(epoch, t_s)
    planes, (a, b) = satellites.planes, satellites.plane_axes(t_s)
    normal, radius = np.cross(a, b), planes.radius_km[:, np.newaxis]
    reach = _reach(np.array([shell.orbit(0, 0).radius_km for shell in satellites.shells]), site, up, sine)
    size = near_pairs(normal, planes.shell, up, reach)
    slots = (planes.per_plane, *satellites.slots)
    return Arcs(
        *find_arcs(normal, radius * a, radius * b, planes.shell, slots, (site, up, sine), reach, size)
    )


def visible(
    satellites: Satellites,
    ground: Ground,
    epoch: datetime,
    t_s: float,
    min_elevation_deg: npt.ArrayLike = 25.0,
) -> Visible:
    """All sightings at min_elevation_deg (one, or one a station) or above, with their lines of sight.

    Raises ValueError for an elevation outside 0..90 deg.
    """
    position_km = satellites.positions_km(epoch, t_s)
    if isinstance(satellites, Constellation):
        found = arcs(satellites, ground, epoch, t_s, min_elevation_deg)
        begin = np.concatenate([[0], np.cumsum(found.count)])[found.begin]
        satellite = np.empty(begin[-1], dtype=np.int64)
        members(
            satellites.planes.first,
            satellites.planes.per_plane,
            found.plane,
            found.slot,
            found.count,
            satellite,
        )
    else:
        sine = _sin_elevations(ground, min_elevation_deg)
        begin, satellite = look_at_all(position_km, *ground.inertial(epoch, t_s), sine)
    return Visible(begin, satellite, _sights_km(position_km, ground, epoch, t_s, begin, satellite))


def _sin_elevations(ground: Ground, min_elevation_deg: npt.ArrayLike) -> Floats:
    degrees = np.broadcast_to(np.asarray(min_elevation_deg, dtype=np.float64), ground.count)
    wrong = degrees[~((degrees >= 0) & (degrees < 90))]
    if len(wrong):
        raise ValueError(f"min_elevation_deg is {wrong[0]}: it lies from 0 to below 90")
    return np.sin(np.radians(degrees))


def _reach(radius_km: Floats, site_km: Floats, up: Floats, sine: Floats) -> Floats:
    """Sine of the farthest that a plane of each shell may lie off a station's vertical, (shells, m).

    A satellite psi off the vertical through the Earth's centre has tan(elevation) <= (R cos psi - h) / (R sin psi - w),
    where the station is h up along that vertical and w beside it: R cos(psi + e) >= h cos e - w sin e.
    """
    height = dot(site_km, up)
    beside = norm(site_km - height[:, np.newaxis] * up)
    cosine = np.sqrt(1 - sine**2)
    ratio = (height * cosine - beside * sine) / radius_km[:, np.newaxis]
    psi = np.arccos(np.clip(ratio, -1, 1)) - np.arcsin(sine)
    # psi < 0: a station above the shell, or one whose cone is empty; a hair more for what rounding takes.
    return np.where(psi < -1e-9, -1.0, np.sin(np.clip(psi, 0, np.pi / 2)) + 1e-9)


def _sights_km(
    position_km: Floats, ground: Ground, epoch: datetime, t_s: float, begin: Integers, satellite: Integers
) -> Floats:
    """Lines of sight (v, 3), east, north and up at each station."""
    site, up = ground.inertial(epoch, t_s)
    return sights(position_km, site, horizon_frames(up), begin, satellite)
