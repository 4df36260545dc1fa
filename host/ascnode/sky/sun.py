"""Where the Sun is, to about 0.01 deg.

Frame of every inertial vector in this package: mean equator and equinox of date. Precession (0.014 deg a
year) is in it by definition; nutation (below 0.005 deg) is left out. Greenwich mean sidereal time turns it
into the Earth-fixed frame.
"""

from datetime import datetime

import numpy as np
import numpy.typing as npt

from ascnode.sky.time import days_since_j2000
from ascnode.sky.vectors import Floats, dot


def sun_direction(epoch: datetime, t_s: npt.ArrayLike = 0.0) -> Floats:
    """Unit vectors from the Earth's centre to the Sun, aberration included: (..., 3) for t_s (...).

    Astronomical Almanac, section C, "low precision formulas for the Sun": 0.01 deg between 1950 and 2050.
    """
    days = days_since_j2000(epoch, t_s)
    mean_anomaly = np.radians(357.528 + 0.9856003 * days)
    longitude = np.radians(
        280.460 + 0.9856474 * days + 1.915 * np.sin(mean_anomaly) + 0.020 * np.sin(2 * mean_anomaly)
    )
    obliquity = np.radians(23.439 - 0.0000004 * days)
    across = np.sin(longitude)
    return np.stack([np.cos(longitude), np.cos(obliquity) * across, np.sin(obliquity) * across], axis=-1)


def mean_sun_deg(epoch: datetime) -> float:
    """Mean longitude of the Sun, deg, which is the right ascension of mean solar time's Sun (same source)."""
    return float(280.460 + 0.9856474 * days_since_j2000(epoch)) % 360


def beta_deg(plane_normal: Floats, sun_unit: Floats) -> Floats:
    """Angles of the Sun above orbit planes, deg, positive on the normal's side: (..., 3) to (...)."""
    return np.degrees(np.arcsin(np.clip(dot(plane_normal, sun_unit), -1.0, 1.0)))
