"""The Earth's shadow: conical, on a spherical Earth of equatorial radius, without its atmosphere.

The Sun is a disc of finite radius. Instants take its distance of the day; illumination takes one astronomical
unit unless it is told another: the year's 1.7 % move the edges of the penumbra by about 0.1 s in low orbit.
"""

import math
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from ascnode.sky.constants import ASTRONOMICAL_UNIT_KM, EARTH_MU_KM3_S2, EARTH_RADIUS_KM, SUN_RADIUS_KM
from ascnode.sky.crossings import RowFunction, Span, positive_spans
from ascnode.sky.orbit import Orbit
from ascnode.sky.sun import sun_direction, sun_distance_km
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


def illumination(
    position_km: Floats, sun_unit: Floats, sun_distance_km: npt.ArrayLike = ASTRONOMICAL_UNIT_KM
) -> Floats:
    """Visible fraction of the solar disc from inertial positions (..., 3) and Sun directions (..., 3).

    Exactly 1 in full sun and exactly 0 in the umbra; between them the overlap of two discs in the plane
    (Montenbruck & Gill, Satellite Orbits, section 3.4.2), good to 3e-4 in low orbit.
    Raises ValueError when a position lies below the surface.
    """
    sun, earth, apart = _discs(position_km, sun_unit, sun_distance_km)
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


def eclipses(orbit: Orbit, epoch: datetime, start_s: float, end_s: float) -> list[Eclipse]:
    """Eclipses within start_s..end_s (seconds after the epoch), in order, to a microsecond of the model.

    One under way at either end is cut there. Raises ValueError when the interval is empty.
    """

    def depth_rad(t_s: Floats, row: Integers) -> Floats:
        sun_unit, distance_km = sun_direction(epoch, t_s), sun_distance_km(epoch, t_s)
        return _depth_rad(orbit.position_km(t_s), sun_unit, distance_km, row)

    return _eclipses(depth_rad, orbit.turn_s, start_s, end_s)


def whole_eclipses(orbit: Orbit, epoch: datetime, start_s: float, end_s: float) -> list[Eclipse]:
    """Those of `eclipses` that touch start_s..end_s, whole: the first and the last may reach beyond it."""
    check_window(start_s, end_s)
    found = eclipses(orbit, epoch, start_s - orbit.period_s, end_s + orbit.period_s)
    return [one for one in found if one.penumbra_end_s > start_s and one.penumbra_start_s < end_s]


def eclipse_at_beta(altitude_km: float, beta_deg: float) -> Eclipse | None:
    """The eclipse of a Keplerian circular orbit under a Sun that stands still at one astronomical unit.

    Instants count from orbit noon, where the satellite is nearest to the Sun. None without an eclipse.
    Raises ValueError for an altitude below the surface or a beta beyond 90 deg.
    """
    eclipse_fraction(altitude_km, beta_deg)  # refuses both
    radius_km, period_s = EARTH_RADIUS_KM + altitude_km, keplerian_period_s(altitude_km)
    beta = math.radians(beta_deg)
    sun_unit = np.array([math.cos(beta), 0.0, math.sin(beta)])

    def depth_rad(t_s: Floats, row: Integers) -> Floats:
        turn = 2 * math.pi * t_s / period_s
        circle = np.stack([np.cos(turn), np.sin(turn), np.zeros_like(turn)], axis=-1)
        return _depth_rad(radius_km * circle, sun_unit, ASTRONOMICAL_UNIT_KM, row)

    found = _eclipses(depth_rad, period_s, 0.0, period_s)
    return found[0] if found else None


def keplerian_period_s(altitude_km: float) -> float:
    """Period of a circular orbit without J2, whose effect depends on the inclination."""
    return 2 * math.pi * math.sqrt((EARTH_RADIUS_KM + altitude_km) ** 3 / EARTH_MU_KM3_S2)


def _eclipses(depth_rad: RowFunction, turn_s: float, start_s: float, end_s: float) -> list[Eclipse]:
    """From depths (penumbra in row 0, umbra in row 1) of an orbit that turns once in turn_s where it is fastest."""
    check_window(start_s, end_s)
    spans = positive_spans(depth_rad, 2, start_s, end_s, turn_s / _GRID_POINTS_PER_ORBIT)
    umbras = [span for span in spans if span.row == 1]
    return [_eclipse(penumbra, umbras) for penumbra in spans if penumbra.row == 0]


def _eclipse(penumbra: Span, umbras: list[Span]) -> Eclipse:
    for umbra in umbras:
        if penumbra.start_s <= umbra.start_s <= penumbra.end_s:
            return Eclipse(penumbra.start_s, umbra.start_s, umbra.end_s, penumbra.end_s)
    return Eclipse(penumbra.start_s, None, None, penumbra.end_s)


def _depth_rad(
    position_km: Floats, sun_unit: Floats, sun_distance_km: npt.ArrayLike, row: Integers
) -> Floats:
    """How far the Sun's disc is behind the Earth's limb: its first edge in row 0, its last in row 1."""
    sun, earth, apart = _discs(position_km, sun_unit, sun_distance_km)
    return earth - apart + np.where(row == 0, sun, -sun)


def _discs(
    position_km: Floats, sun_unit: Floats, sun_distance_km: npt.ArrayLike
) -> tuple[Floats, Floats, Floats]:
    """Apparent radii of the Sun and the Earth and the angle between their centres, rad, each (...)."""
    radius = norm(position_km)
    if np.any(radius < EARTH_RADIUS_KM):
        raise ValueError(
            f"a position lies {np.min(radius):.3f} km from the Earth's centre, below the surface"
        )
    to_sun = np.asarray(sun_distance_km)[..., np.newaxis] * sun_unit - position_km
    sun = np.arcsin(SUN_RADIUS_KM / norm(to_sun))
    return sun, np.arcsin(EARTH_RADIUS_KM / radius), angle(to_sun, -position_km)
