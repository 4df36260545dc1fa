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

from ascnode.sky.compiled import compiled
from ascnode.sky.constellation import Constellation, Satellites
from ascnode.sky.stations import Station, azimuth_elevation_deg, earth_fixed, horizon_frames
from ascnode.sky.time import gmst_rad
from ascnode.sky.vectors import Floats, Integers, dot, norm

Vector = tuple[float, float, float]

_ROUNDING = 1e-9  # of a slot: the ends of an arc are looked at anyway


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
    size = _near(normal, planes.shell, up, reach)
    slots = (planes.per_plane, *satellites.slots)
    return Arcs(*_arcs(normal, radius * a, radius * b, planes.shell, slots, (site, up, sine), reach, size))


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
        _members(
            satellites.planes.first,
            satellites.planes.per_plane,
            found.plane,
            found.slot,
            found.count,
            satellite,
        )
    else:
        sine = _sin_elevations(ground, min_elevation_deg)
        begin, satellite = _look_at_all(position_km, *ground.inertial(epoch, t_s), sine)
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


@compiled
def _row(vectors: Floats, i: int) -> Vector:
    return vectors[i, 0], vectors[i, 1], vectors[i, 2]


@compiled
def _dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@compiled
def _is_up(satellite: Vector, site: Vector, up: Vector, sine: float) -> bool:
    """Whether a satellite is as high over the horizon as it has to be."""
    sight = (satellite[0] - site[0], satellite[1] - site[1], satellite[2] - site[2])
    return _dot(sight, up) >= sine * math.sqrt(_dot(sight, sight))


@compiled
def _on_circle(a: Vector, b: Vector, cosine: float, sine: float) -> Vector:
    return a[0] * cosine + b[0] * sine, a[1] * cosine + b[1] * sine, a[2] * cosine + b[2] * sine


@compiled
def _near(normal: Floats, shell: Integers, up: Floats, reach: Floats) -> int:
    """How many planes come within reach of a station, over all stations: no fewer than there are arcs."""
    near = 0
    for m in range(len(up)):
        vertical = _row(up, m)
        for p in range(len(normal)):
            near += abs(_dot(_row(normal, p), vertical)) <= reach[shell[p], m]
    return near


@compiled
def _half_arc(a: Vector, b: Vector, site: Vector, up: Vector, sine: float) -> tuple[float, float]:
    """Middle and half width, rad from slot 0, of an arc that holds all that is up; a negative width for none.

    a and b are the places in km of slot 0 and 90 deg ahead. With phi from the middle, a satellite's height is
    A cos phi - h and its distance squared D - 2 B cos(phi - delta), at least D - 2 B (|sin delta| + cos phi): then
    height = sine * distance is a quadratic in cos phi.
    """
    a_up, b_up, a_site, b_site = _dot(a, up), _dot(b, up), _dot(a, site), _dot(b, site)
    highest = math.sqrt(a_up * a_up + b_up * b_up)
    nearest = (a_up * a_site + b_up * b_site) / highest  # B cos delta
    sideways = abs(a_up * b_site - b_up * a_site) / highest  # B |sin delta|
    square = _dot(a, a) + _dot(site, site) - 2 * sideways
    h, s2 = _dot(site, up), sine * sine
    half = highest * h - s2 * nearest
    root = half * half - highest * highest * (h * h - s2 * square)
    cosine = (half + math.sqrt(max(root, 0.0))) / (highest * highest)
    if cosine <= 1:
        return math.atan2(b_up, a_up), math.acos(cosine)
    return 0.0, -1.0


@compiled
def _arcs(
    normal: Floats,
    a: Floats,
    b: Floats,
    shell: Integers,
    slots: tuple[Integers, Integers, Floats],
    ground: tuple[Floats, Floats, Floats],
    reach: Floats,
    size: int,
) -> tuple[Integers, Integers, Integers, Integers]:
    """The columns of Arcs, of at most `size` arcs; a and b (p, 3) in km, as for _half_arc."""
    per_plane, begin_slot, turns = slots
    sites, ups, sines = ground
    begin = np.zeros(len(ups) + 1, dtype=np.int64)
    plane, slot, count = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.int64)
    k = 0
    for m in range(len(ups)):
        site, up, sine = _row(sites, m), _row(ups, m), sines[m]
        for p in range(len(normal)):
            if abs(_dot(_row(normal, p), up)) > reach[shell[p], m]:
                continue
            slot0, ahead = _row(a, p), _row(b, p)
            middle, width = _half_arc(slot0, ahead, site, up, sine)
            if width < 0:
                continue
            n = per_plane[p]
            first, last = _whole_slots(middle, width, n)
            while last >= first:
                i = begin_slot[p] + (first if first < n else first - n)
                if _is_up(_on_circle(slot0, ahead, turns[i, 0], turns[i, 1]), site, up, sine):
                    break
                first += 1
            while last > first:
                i = begin_slot[p] + (last if last < n else last - n)
                if _is_up(_on_circle(slot0, ahead, turns[i, 0], turns[i, 1]), site, up, sine):
                    break
                last -= 1
            if last >= first:
                plane[k], slot[k], count[k] = p, (first if first < n else first - n), last - first + 1
                k += 1
        begin[m + 1] = k
    return begin, plane[:k], slot[:k], count[:k]


@compiled
def _whole_slots(middle: float, width: float, n: int) -> tuple[int, int]:
    """First (0..n-1) and last (below first + n) of n slots that lie in an arc; last < first for none."""
    per_rad = n / (2 * math.pi)
    first = math.ceil((middle - width) * per_rad - _ROUNDING)
    last = math.floor((middle + width) * per_rad + _ROUNDING)
    last = min(last, first + n - 1)
    while first < 0:
        first, last = first + n, last + n
    return first, last


@compiled
def _members(
    first: Integers,
    per_plane: Integers,
    plane: Integers,
    slot: Integers,
    count: Integers,
    satellite: Integers,
) -> None:
    """The satellites of arcs, ascending in each: an arc over the plane's end comes in two parts."""
    k = 0
    for i in range(len(plane)):
        n, begin = per_plane[plane[i]], first[plane[i]]
        over = max(slot[i] + count[i] - n, 0)
        for j in range(over):
            satellite[k + j] = begin + j
        for j in range(over, count[i]):
            satellite[k + j] = begin + slot[i] + j - over
        k += count[i]


@compiled
def _look_at_all(position: Floats, site: Floats, up: Floats, sine: Floats) -> tuple[Integers, Integers]:
    """Sightings without planes to go by: begin (m + 1,) and satellite (v,)."""
    begin = np.zeros(len(up) + 1, dtype=np.int64)
    satellite = np.empty(1024, dtype=np.int64)
    k = 0
    for m in range(len(up)):
        for i in range(len(position)):
            if _is_up(_row(position, i), _row(site, m), _row(up, m), sine[m]):
                if k == len(satellite):
                    satellite = np.concatenate((satellite, np.empty(k, dtype=np.int64)))
                satellite[k] = i
                k += 1
        begin[m + 1] = k
    return begin, satellite[:k]


def _sights_km(
    position_km: Floats, ground: Ground, epoch: datetime, t_s: float, begin: Integers, satellite: Integers
) -> Floats:
    """Lines of sight (v, 3), east, north and up at each station."""
    site, up = ground.inertial(epoch, t_s)
    return _turned(position_km, site, horizon_frames(up), begin, satellite)


@compiled
def _turned(position: Floats, site: Floats, frame: Floats, begin: Integers, satellite: Integers) -> Floats:
    sight = np.empty((len(satellite), 3))
    for m in range(len(site)):
        for v in range(begin[m], begin[m + 1]):
            i = satellite[v]
            x, y, z = position[i, 0] - site[m, 0], position[i, 1] - site[m, 1], position[i, 2] - site[m, 2]
            for axis in range(3):
                sight[v, axis] = frame[m, axis, 0] * x + frame[m, axis, 1] * y + frame[m, axis, 2] * z
    return sight
