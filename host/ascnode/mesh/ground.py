"""Links between ground stations and the satellites that they may reach at an instant."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from ascnode.mesh.threads import in_threads
from ascnode.sky.compiled import compiled
from ascnode.sky.constellation import Satellites
from ascnode.sky.stations import Station
from ascnode.sky.vectors import Floats, dot, norm
from ascnode.sky.visibility import Ground, visible

Indices = npt.NDArray[np.int32]


@dataclass(frozen=True)
class GroundRules:
    """Which satellites a station may reach: at an elevation (geometric, over the WGS84 horizon) and a range.

    None is no limit. With a range alone even satellites below the horizon count, as in simulators that know
    ranges only. Raises ValueError for a limit that makes no sense, or none.
    """

    min_elevation_deg: float | None = 25.0
    max_range_km: float | None = None

    def __post_init__(self) -> None:
        if self.min_elevation_deg is None and self.max_range_km is None:
            raise ValueError("ground links need a least elevation, a greatest range, or both")
        if self.min_elevation_deg is not None and not -90 <= self.min_elevation_deg < 90:
            raise ValueError(f"min_elevation_deg is {self.min_elevation_deg}: it lies from -90 to below 90")
        if self.max_range_km is not None and not self.max_range_km > 0:
            raise ValueError(f"max_range_km is {self.max_range_km}: a ground link has a length")


@dataclass(frozen=True)
class GroundLinks:
    """What k stations see, as compressed rows in the order of the satellites."""

    first: Indices  # (k + 1,)
    satellite: Indices  # (m,)
    range_km: Floats  # (m,)
    sin_elevation: Floats  # (m,)

    @property
    def stations(self) -> int:
        return len(self.first) - 1

    def seen_by(self, station: int) -> tuple[Indices, Floats]:
        """The satellites that a station sees, and their ranges."""
        rows = slice(int(self.first[station]), int(self.first[station + 1]))
        return self.satellite[rows], self.range_km[rows]

    def only(self, kept: npt.NDArray[np.bool_]) -> "GroundLinks":
        """Those of the links (m,) that are kept."""
        before = np.concatenate([[0], np.cumsum(kept)])
        first = before[self.first].astype(np.int32)
        return GroundLinks(first, self.satellite[kept], self.range_km[kept], self.sin_elevation[kept])


@dataclass(frozen=True)
class Sites:
    """k stations, and the epoch from which their turning counts."""

    ground: Ground
    epoch: datetime

    @classmethod
    def of(cls, stations: Sequence[Station], epoch: datetime) -> "Sites":
        """Raises ValueError for a station off the Earth."""
        return cls(Ground.of(stations), epoch)

    def inertial(self, t_s: float) -> tuple[Floats, Floats]:
        """Positions in km and upward normals at t_s in the frame of the satellites, both (k, 3)."""
        return self.ground.inertial(self.epoch, t_s)


def ground_links(
    satellites: Satellites, sites: Sites, t_s: float, positions_km: Floats, rules: GroundRules
) -> GroundLinks:
    """What the sites see at t_s of the satellites, whose inertial positions then are (n, 3)."""
    least_deg, most_km = rules.min_elevation_deg, rules.max_range_km
    if least_deg is None or least_deg < 0:
        return links_by_search(sites, t_s, positions_km, rules)
    found = visible(satellites, sites.ground, sites.epoch, t_s, least_deg)
    range_km = found.range_km
    links = GroundLinks(
        found.begin.astype(np.int32),
        found.satellite.astype(np.int32),
        range_km,
        found.sight_km[:, 2] / range_km,
    )
    return links if most_km is None else links.only(range_km <= most_km)


def links_by_search(sites: Sites, t_s: float, positions_km: Floats, rules: GroundRules) -> GroundLinks:
    """The same, for any limits, by looking at every satellite; a place of nan is never seen."""
    site_km, up = sites.inertial(t_s)
    least = -2.0 if rules.min_elevation_deg is None else math.sin(math.radians(rules.min_elevation_deg))
    most_km = math.inf if rules.max_range_km is None else rules.max_range_km
    stations, satellites = len(site_km), len(positions_km)
    seen = np.empty((stations, satellites), dtype=np.int32)
    counts = np.zeros(stations, dtype=np.int32)
    in_threads(lambda a, b: _see(site_km, up, positions_km, least, most_km, a, b, seen, counts), stations)
    satellite = np.concatenate([row[:count] for row, count in zip(seen, counts, strict=True)])
    station = np.repeat(np.arange(stations), counts)
    sight_km = positions_km[satellite] - site_km[station]
    range_km = norm(sight_km)
    first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return GroundLinks(first, satellite, range_km, dot(sight_km, up[station]) / range_km)


@compiled
def _see(
    site_km: Floats,
    up: Floats,
    positions_km: Floats,
    least_sine: float,
    most_km: float,
    start: int,
    end: int,
    seen: Indices,
    counts: Indices,
) -> None:
    """For sites start..end: the satellites that keep both limits, in order, and how many they are."""
    for k in range(start, end):
        count = 0
        for i in range(len(positions_km)):
            x = positions_km[i, 0] - site_km[k, 0]
            y = positions_km[i, 1] - site_km[k, 1]
            z = positions_km[i, 2] - site_km[k, 2]
            range_km = math.sqrt(x * x + y * y + z * z)
            height_km = x * up[k, 0] + y * up[k, 1] + z * up[k, 2]
            if range_km <= most_km and height_km >= least_sine * range_km:
                seen[k, count] = i
                count += 1
        counts[k] = count
