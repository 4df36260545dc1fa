"""Links between ground stations and the satellites that they may reach at an instant."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from ascnode.mesh.compiled import compiled, in_threads
from ascnode.sky.stations import Station, earth_fixed
from ascnode.sky.time import gmst_rad
from ascnode.sky.vectors import Floats

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


@dataclass(frozen=True)
class Sites:
    """k stations on the turning Earth: positions and upward normals, Earth-fixed, both (k, 3)."""

    position_km: Floats
    up: Floats
    epoch: datetime

    @classmethod
    def of(cls, stations: Sequence[Station], epoch: datetime) -> "Sites":
        """Raises ValueError for a station off the Earth or an epoch without a time zone."""
        return cls(*earth_fixed(stations), epoch)

    def inertial(self, t_s: float) -> tuple[Floats, Floats]:
        """Positions and normals at t_s in the frame of the satellites, both (k, 3)."""
        turn = float(gmst_rad(self.epoch, t_s))
        cosine, sine = math.cos(turn), math.sin(turn)
        rotation = np.array([[cosine, sine, 0.0], [-sine, cosine, 0.0], [0.0, 0.0, 1.0]])
        return self.position_km @ rotation, self.up @ rotation


def ground_links(sites: Sites, t_s: float, positions_km: Floats, rules: GroundRules) -> GroundLinks:
    """What the sites see at t_s of satellites at inertial positions (n, 3)."""
    site_km, up = sites.inertial(t_s)
    least = -2.0 if rules.min_elevation_deg is None else math.sin(math.radians(rules.min_elevation_deg))
    most_km = math.inf if rules.max_range_km is None else rules.max_range_km
    east = np.ascontiguousarray(positions_km.T)
    counts = np.zeros(len(site_km), dtype=np.int32)
    in_threads(lambda a, b: _count(site_km, up, east, least, most_km, a, b, counts), len(site_km))
    first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    satellite = np.empty(first[-1], dtype=np.int32)
    range_km, sine = np.empty(first[-1]), np.empty(first[-1])
    in_threads(
        lambda a, b: _list(site_km, up, east, least, most_km, a, b, first, satellite, range_km, sine),
        len(site_km),
    )
    return GroundLinks(first, satellite, range_km, sine)
