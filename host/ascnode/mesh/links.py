"""Laser links between satellites: the rules of a link, its geometry, and nearest neighbours."""

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ascnode.sky.compiled import compiled
from ascnode.sky.constants import EARTH_RADIUS_KM
from ascnode.sky.vectors import Floats, Integers

Flags = npt.NDArray[np.bool_]
Positions = Floats  # (n, 3), inertial, km
_NEAREST_TRIED = 16


@dataclass(frozen=True)
class LinkRules:
    """What a laser link must keep. Raises ValueError for a limit that makes no sense.

    The beam stays `grazing_altitude_km` above a sphere of the equatorial radius, 6378.137 km: up to 21 km
    stricter than the ellipsoid near the poles. 80 km is the top of the mesosphere, above which air no longer
    bends or blocks a beam [S: S. Kassing et al., "Exploring the Internet from space with Hypatia", IMC 2020,
    use the same]. Four terminals [A] and 12 s to acquire [A: reports of some seconds to some tens].
    """

    max_range_km: float = math.inf
    grazing_altitude_km: float = 80.0
    terminals: int = 4
    acquisition_s: float = 12.0

    def __post_init__(self) -> None:
        if not self.max_range_km > 0:
            raise ValueError(f"max_range_km is {self.max_range_km}: a link has a length")
        if not math.isfinite(self.grazing_altitude_km) or self.grazing_altitude_km < -EARTH_RADIUS_KM:
            raise ValueError(f"grazing_altitude_km is {self.grazing_altitude_km}: it is a finite altitude")
        if self.terminals < 0:
            raise ValueError(f"terminals is {self.terminals}: it is 0 or more")
        if not 0 <= self.acquisition_s < math.inf:
            raise ValueError(f"acquisition_s is {self.acquisition_s}: it is 0 or more")

    @property
    def clearance_km(self) -> float:
        """How far from the Earth's centre every beam stays."""
        return EARTH_RADIUS_KM + self.grazing_altitude_km


@dataclass(frozen=True)
class Links:
    """Links that carry data: pairs (m, 2), lower index first, and length_km (m,).

    `down` counts the other candidates by the first cause that applies: range, grazing, outage, acquiring.
    """

    pairs: Integers
    length_km: Floats
    down: dict[str, int] = field(default_factory=dict)


def capped(pairs: Integers, terminals: Integers) -> Integers:
    """The pairs (m, 2), taken in order, that still find a free one of `terminals` (n,) at both ends."""
    kept: Integers = pairs[_grant(np.ascontiguousarray(pairs), terminals.copy())]
    return kept


def nearest_pairs(
    positions_km: Positions, free: Integers, rules: LinkRules, held: Integers | None = None
) -> Integers:
    """Shortest first, the pairs (m, 2) that free terminals (n,) can form within range and above the ground.

    Each satellite tries its 16 nearest that have a free terminal, save those it is linked to by `held` (k, 2).
    Ties go to the lower indices.
    """
    from scipy.spatial import cKDTree  # half a second that a +grid does not need

    open_ends = np.flatnonzero((free > 0) & np.isfinite(positions_km[:, 0]))
    tried = min(_NEAREST_TRIED, len(open_ends) - 1)
    if tried < 1:
        return np.empty((0, 2), dtype=np.int64)
    tree = cKDTree(positions_km[open_ends])
    _, index = tree.query(positions_km[open_ends], k=tried + 1)
    a = np.repeat(open_ends, tried + 1)
    b = open_ends[index.ravel()]
    keys = np.unique(_keys(np.stack([np.minimum(a, b), np.maximum(a, b)], axis=-1)[a != b]))
    if held is not None:
        keys = np.setdiff1d(keys, _keys(held), assume_unique=True)
    pairs = np.stack([keys >> 32, keys & 0xFFFFFFFF], axis=-1)
    length_km, closest_km = lengths_km(positions_km, pairs)
    good = (length_km <= rules.max_range_km) & (closest_km >= rules.clearance_km)
    pairs, length_km = pairs[good], length_km[good]
    return capped(pairs[np.lexsort((pairs[:, 1], pairs[:, 0], length_km))], free)


def _keys(pairs: Integers) -> Integers:
    """One integer a pair, in the order of the pairs."""
    return (pairs[:, 0] << 32) | pairs[:, 1]


def lengths_km(positions_km: Positions, pairs: Integers) -> tuple[Floats, Floats]:
    """Length of each pair's segment, and its least distance from the Earth's centre: both (m,)."""
    length, closest = np.empty(len(pairs)), np.empty(len(pairs))
    _measure(positions_km, pairs, length, closest)
    return length, closest


@compiled
def _measure(positions_km: Positions, pairs: Integers, length_km: Floats, closest_km: Floats) -> None:
    for i in range(len(pairs)):
        a, b = pairs[i, 0], pairs[i, 1]
        ax, ay, az = positions_km[a, 0], positions_km[a, 1], positions_km[a, 2]
        dx, dy, dz = positions_km[b, 0] - ax, positions_km[b, 1] - ay, positions_km[b, 2] - az
        squared = dx * dx + dy * dy + dz * dz
        along = -(ax * dx + ay * dy + az * dz)
        share = 0.0 if along <= 0 else (1.0 if along >= squared else along / squared)
        x, y, z = ax + share * dx, ay + share * dy, az + share * dz
        length_km[i] = math.sqrt(squared)
        closest_km[i] = math.sqrt(x * x + y * y + z * z)


@compiled
def _grant(pairs: Integers, free: Integers) -> Flags:
    """Which pairs are granted, in order; `free` is used up."""
    granted = np.zeros(len(pairs), dtype=np.bool_)
    for i in range(len(pairs)):
        a, b = pairs[i, 0], pairs[i, 1]
        if free[a] > 0 and free[b] > 0:
            granted[i] = True
            free[a] -= 1
            free[b] -= 1
    return granted
