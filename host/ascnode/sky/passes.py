"""When ground stations see a satellite, how high, and how far away.

Elevations are geometric: no refraction (0.04 deg at 25 deg), and no light time (the satellite moves 30 m).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from ascnode.sky.crossings import positive_spans
from ascnode.sky.orbit import Orbit
from ascnode.sky.stations import (
    Station,
    azimuth_elevation_deg,
    earth_fixed,
    horizon_frames,
    to_earth_fixed,
)
from ascnode.sky.time import check_window, gmst_rad
from ascnode.sky.vectors import Floats, Integers, dot, norm

_GRID_POINTS_PER_ORBIT = 192


@dataclass(frozen=True)
class Pass:
    """A station sees the satellite from rise_s to set_s, highest at culmination_s (all after the epoch)."""

    station: Station
    rise_s: float
    culmination_s: float
    set_s: float
    max_elevation_deg: float


def passes(
    orbit: Orbit,
    stations: Sequence[Station],
    epoch: datetime,
    start_s: float,
    end_s: float,
    min_elevation_deg: float = 25.0,
) -> list[Pass]:
    """Passes over all stations within start_s..end_s, ordered by rise, to a microsecond of the model.

    One under way at either end is cut there, and its maximum is that of the part within.
    Raises ValueError for an empty interval, an elevation outside 0..90 deg or a station off the Earth.
    """
    check_window(start_s, end_s)
    if not 0 <= min_elevation_deg < 90:
        raise ValueError(f"min_elevation_deg is {min_elevation_deg}: it lies from 0 to below 90")
    if not stations:
        return []
    site_km, up = earth_fixed(stations)
    threshold = math.sin(math.radians(min_elevation_deg))

    def above(t_s: Floats, row: Integers) -> Floats:
        return _sin_elevation(_line_of_sight_km(orbit, site_km[row], epoch, t_s), up[row]) - threshold

    spans = positive_spans(above, len(stations), start_s, end_s, step_s=orbit.turn_s / _GRID_POINTS_PER_ORBIT)
    return [
        Pass(stations[span.row], span.start_s, span.peak_s, span.end_s, _arcsin_deg(span.peak + threshold))
        for span in spans
    ]


def elevation_deg(orbit: Orbit, station: Station, epoch: datetime, t_s: npt.ArrayLike) -> Floats:
    """Elevations of the satellite over the station's horizon, deg, (...) for t_s (...)."""
    site_km, up = earth_fixed([station])
    sine = _sin_elevation(_line_of_sight_km(orbit, site_km[0], epoch, t_s), up[0])
    return np.degrees(np.arcsin(np.clip(sine, -1.0, 1.0)))


def range_km(orbit: Orbit, station: Station, epoch: datetime, t_s: npt.ArrayLike) -> Floats:
    """Slant ranges station to satellite, (...) for t_s (...); by SPEED_OF_LIGHT_KM_S, the one-way delay."""
    site_km, _ = earth_fixed([station])
    return norm(_line_of_sight_km(orbit, site_km[0], epoch, t_s))


def look_angles(
    orbit: Orbit, station: Station, epoch: datetime, t_s: npt.ArrayLike
) -> tuple[Floats, Floats, Floats]:
    """Azimuths (from north over east) and elevations in deg and slant ranges in km, each (...) for t_s (...)."""
    site_km, up = earth_fixed([station])
    sight_km = _line_of_sight_km(orbit, site_km[0], epoch, t_s) @ horizon_frames(up[0]).T
    return *azimuth_elevation_deg(sight_km), norm(sight_km)


def _line_of_sight_km(orbit: Orbit, site_km: Floats, epoch: datetime, t_s: npt.ArrayLike) -> Floats:
    """From sites (..., 3) to the satellite at t_s (...), Earth-fixed, broadcast: (..., 3)."""
    return to_earth_fixed(orbit.position_km(t_s), gmst_rad(epoch, t_s)) - site_km


def _sin_elevation(line_of_sight_km: Floats, up: Floats) -> Floats:
    return dot(line_of_sight_km, up) / norm(line_of_sight_km)


def _arcsin_deg(sine: float) -> float:
    return math.degrees(math.asin(min(sine, 1.0)))
