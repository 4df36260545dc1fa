"""Scenario time: seconds t_s since a UTC epoch, as Julian date and as the turn of the Earth.

UTC stands in for UT1. They differ by less than 0.9 s: 0.004 deg of Earth rotation, 0.4 km on the ground.
"""

from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from ascnode.sky.constants import DAYS_PER_JULIAN_CENTURY, J2000_JULIAN_DATE, SECONDS_PER_DAY
from ascnode.sky.vectors import Floats

_J2000 = datetime(2000, 1, 1, 12, tzinfo=UTC)


def days_since_j2000(epoch: datetime, t_s: npt.ArrayLike = 0.0) -> Floats:
    """Days of 86,400 s from 2000-01-01 12:00 UTC to t_s (any shape) after the epoch; good to 1 us.

    Raises ValueError when the epoch has no time zone.
    """
    if epoch.utcoffset() is None:
        raise ValueError(f"the epoch {epoch.isoformat()} has no time zone: give it in UTC")
    seconds = (epoch - _J2000).total_seconds()
    return (seconds + np.asarray(t_s, dtype=np.float64)) / SECONDS_PER_DAY


def julian_date(epoch: datetime, t_s: npt.ArrayLike = 0.0) -> Floats:
    """Julian date (UTC) of t_s (any shape) after the epoch; a float64 of this size resolves 40 us."""
    return J2000_JULIAN_DATE + days_since_j2000(epoch, t_s)


def gmst_rad(epoch: datetime, t_s: npt.ArrayLike = 0.0) -> Floats:
    """Greenwich mean sidereal time, rad in 0..2 pi: IAU 1982 (Vallado, 4th ed., eq. 3-47)."""
    days = days_since_j2000(epoch, t_s)
    centuries = days / DAYS_PER_JULIAN_CENTURY
    # The formula's 876600 h a century are the days themselves: added as days, they keep their digits.
    seconds = 67310.54841 + 8640184.812866 * centuries + 0.093104 * centuries**2 - 6.2e-6 * centuries**3
    turns = np.mod(seconds / SECONDS_PER_DAY, 1.0) + np.mod(days, 1.0)
    angle: Floats = 2 * np.pi * np.mod(turns, 1.0)
    return angle


def check_window(start_s: float, end_s: float) -> None:
    """Raises ValueError unless start_s < end_s and both are finite."""
    if not -np.inf < start_s < end_s < np.inf:
        raise ValueError(f"the interval from {start_s} s to {end_s} s is empty or not finite")
