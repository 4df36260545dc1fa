"""The Earth's shadow: conical, on a spherical Earth of equatorial radius, without its atmosphere.

The Sun is a disc of finite radius at one astronomical unit. That its distance changes by 1.7 % over the year
is left out: it moves the edges of the penumbra by about 0.1 s in low orbit.
"""

import math
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from ascnode.sky.constants import ASTRONOMICAL_UNIT_KM, EARTH_RADIUS_KM, SUN_RADIUS_KM
from ascnode.sky.crossings import Span, positive_spans
from ascnode.sky.orbit import CircularOrbit
from ascnode.sky.sun import sun_direction
from ascnode.sky.time import check_window
from ascnode.sky.vectors import Floats, Integers, angle, norm

_GRID_POINTS_PER_ORBIT = 96


@dataclass(frozen=True)
class Eclipse:
    """One eclipse; the umbra instants are None where the Sun's disc stays partly visible."""

    penumbra_start_s: float
    umbra_start_s: float | None
    umbra_end_s: float | None
    penumbra_end_s: float


def illumination(position_km: Floats, sun_unit: Floats) -> Floats:
    """Visible fraction of the solar disc from inertial positions (..., 3) and Sun directions (..., 3).

    Exactly 1 in full sun and exactly 0 in the umbra; between them the overlap of two discs in the plane
    (Montenbruck & Gill, Satellite Orbits, section 3.4.2), good to 3e-4 in low orbit.
    Raises ValueError when a position lies below the surface.
    """
    sun, earth, apart = _discs(position_km, sun_unit)
    # Clipped to touching from outside and to one disc within the other, the overlap formula holds everywhere.
    clipped = np.clip(apart, np.abs(earth - sun), earth + sun)
    chord = (clipped**2 + sun**2 - earth**2) / (2 * clipped)
    half_chord = np.sqrt(np.maximum(sun**2 - chord**2, 0.0))
    hidden = (
        sun**2 * np.arctan2(half_chord, chord)
        + earth**2 * np.arctan2(half_chord, clipped - chord)
        - clipped * half_chord
    )
    visible = np.where(apart < earth + sun, 1 - hidden / (np.pi * sun**2), 1.0)
    return np.clip(np.where(apart > earth - sun, visible, 0.0), 0.0, 1.0)


def eclipse_fraction(altitude_km: float, beta_deg: float) -> float:
    """Part of a circular orbit that lies in a cylindrical shadow, 0..0.5 (closed form).

    acos(sqrt(R^2 - Re^2) / (R cos beta)) / pi, and 0 from the critical beta on.
    Raises ValueError for an altitude below the surface or a beta beyond 90 deg.
    """
    critical = critical_beta_deg(altitude_km)
    if not abs(beta_deg) <= 90:
        raise ValueError(f"beta_deg is {beta_deg}: it lies between -90 and 90")
    if abs(beta_deg) >= critical:
        return 0.0
    return math.acos(math.cos(math.radians(critical)) / math.cos(math.radians(beta_deg))) / math.pi


def critical_beta_deg(altitude_km: float) -> float:
    """Angle of the Sun above the plane, asin(Re/R), from which on a circular orbit has no eclipse.

    Raises ValueError for an altitude below the surface.
    """
    if not 0 < altitude_km < math.inf:
        raise ValueError(f"altitude_km is {altitude_km}: an orbit lies above the surface")
    return math.degrees(math.asin(EARTH_RADIUS_KM / (EARTH_RADIUS_KM + altitude_km)))


def eclipses(orbit: CircularOrbit, epoch: datetime, start_s: float, end_s: float) -> list[Eclipse]:
    """Eclipses within start_s..end_s (seconds after the epoch), in order, to a microsecond.

    One under way at either end is cut there. Raises ValueError when the interval is empty.
    """
    check_window(start_s, end_s)

    def depth_rad(t_s: Floats, row: Integers) -> Floats:
        sun, earth, apart = _discs(orbit.position_km(t_s), sun_direction(epoch, t_s))
        return earth - apart + np.where(row == 0, sun, -sun)

    spans = positive_spans(depth_rad, 2, start_s, end_s, orbit.period_s / _GRID_POINTS_PER_ORBIT)
    umbras = [span for span in spans if span.row == 1]
    return [_eclipse(penumbra, umbras) for penumbra in spans if penumbra.row == 0]


def _eclipse(penumbra: Span, umbras: list[Span]) -> Eclipse:
    for umbra in umbras:
        if penumbra.start_s <= umbra.start_s <= penumbra.end_s:
            return Eclipse(penumbra.start_s, umbra.start_s, umbra.end_s, penumbra.end_s)
    return Eclipse(penumbra.start_s, None, None, penumbra.end_s)


def _discs(position_km: Floats, sun_unit: Floats) -> tuple[Floats, Floats, Floats]:
    """Apparent radii of the Sun and the Earth and the angle between their centres, rad, each (...)."""
    radius = norm(position_km)
    if np.any(radius < EARTH_RADIUS_KM):
        raise ValueError(
            f"a position lies {np.min(radius):.3f} km from the Earth's centre, below the surface"
        )
    to_sun = ASTRONOMICAL_UNIT_KM * sun_unit - position_km
    sun = np.arcsin(SUN_RADIUS_KM / norm(to_sun))
    return sun, np.arcsin(EARTH_RADIUS_KM / radius), angle(to_sun, -position_km)
