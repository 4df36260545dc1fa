"""Where the Sun is, to about 0.001 deg.

Frame of every inertial vector in this package: mean equator and equinox of date. Precession (0.014 deg a
year) is in it by definition; nutation (below 0.005 deg) is left out. Greenwich mean sidereal time turns it
into the Earth-fixed frame.
"""

from datetime import datetime

import numpy as np
import numpy.typing as npt

from ascnode.sky.constants import ASTRONOMICAL_UNIT_KM, DAYS_PER_JULIAN_CENTURY, SECONDS_PER_DAY
from ascnode.sky.sun_series import DISTANCE, LONGITUDE, series_sum
from ascnode.sky.time import days_since_j2000
from ascnode.sky.vectors import Floats, dot

MEAN_SUN_DEG_DAY = 0.9856474  # mean motion of the Sun, same source as mean_sun_deg
_TT_MINUS_UTC_S = 69.184  # since 2017; a second more or less moves the Sun by 1e-5 deg
_ABERRATION_RAD = np.radians(20.4955 / 3600)


def sun_direction(epoch: datetime, t_s: npt.ArrayLike = 0.0) -> Floats:
    """Unit vectors from the Earth's centre to the Sun, aberration included: (..., 3) for t_s (...).

    The Sun's ecliptic latitude, below 0.0003 deg, is left out. Obliquity: IAU 2006, linear term.
    """
    millennia = _millennia(epoch, t_s)
    longitude = series_sum(LONGITUDE, millennia) + np.pi - _ABERRATION_RAD
    obliquity = np.radians(23.439279 - 0.130102 * millennia)
    across = np.sin(longitude)
    return np.stack([np.cos(longitude), np.cos(obliquity) * across, np.sin(obliquity) * across], axis=-1)


def sun_distance_km(epoch: datetime, t_s: npt.ArrayLike = 0.0) -> Floats:
    """From the Earth's centre to the Sun's, good to 3e-5 of it: (...) for t_s (...)."""
    return ASTRONOMICAL_UNIT_KM * series_sum(DISTANCE, _millennia(epoch, t_s))


def _millennia(epoch: datetime, t_s: npt.ArrayLike) -> Floats:
    """Thousand Julian years of terrestrial time since J2000."""
    days = days_since_j2000(epoch, t_s) + _TT_MINUS_UTC_S / SECONDS_PER_DAY
    return np.asarray(days / (10 * DAYS_PER_JULIAN_CENTURY))


def mean_sun_deg(epoch: datetime) -> float:
    """Mean longitude of the Sun, deg: the right ascension of the Sun that mean solar time follows.

    Astronomical Almanac, section C, "low precision formulas for the Sun".
    """
    return float(280.460 + MEAN_SUN_DEG_DAY * days_since_j2000(epoch)) % 360


def beta_deg(plane_normal: Floats, sun_unit: Floats) -> Floats:
    """Angles of the Sun above orbit planes, deg, positive on the normal's side: (..., 3) to (...)."""
    return np.degrees(np.arcsin(np.clip(dot(plane_normal, sun_unit), -1.0, 1.0)))
