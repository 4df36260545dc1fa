"""Places on the ground, on the WGS84 ellipsoid.

The ellipsoid rather than a sphere, because a map's latitude is geodetic: a sphere would tilt the horizon by
up to 0.19 deg and misplace a city by up to 21 km, and it would save nothing.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from ascnode.sky.constants import EARTH_FLATTENING, EARTH_RADIUS_KM
from ascnode.sky.vectors import Floats, norm

_ECCENTRICITY_SQUARED = EARTH_FLATTENING * (2 - EARTH_FLATTENING)

_AT_POLE = 1e-12  # cosine of a latitude that is a pole's but for rounding


class Station(Protocol):
    """Anything with a name and a geodetic place: a city, a gateway."""

    @property
    def name(self) -> str: ...
    @property
    def latitude_deg(self) -> float: ...
    @property
    def longitude_deg(self) -> float: ...
    @property
    def height_m(self) -> float: ...


def earth_fixed(stations: Sequence[Station]) -> tuple[Floats, Floats]:
    """Positions in km and upward unit normals of m stations, both (m, 3), Earth-fixed.

    Raises ValueError, naming the station, for a latitude beyond 90 deg, a longitude beyond 180 deg or a
    height that is not finite.
    """
    for station in stations:
        _check(station)
    places = [(station.latitude_deg, station.longitude_deg, station.height_m) for station in stations]
    latitude_deg, longitude_deg, height_m = np.array(places, dtype=np.float64).reshape(-1, 3).T
    latitude, longitude = np.radians(latitude_deg), np.radians(longitude_deg)
    equatorial = np.cos(latitude)
    up = np.stack([equatorial * np.cos(longitude), equatorial * np.sin(longitude), np.sin(latitude)], axis=-1)
    # Radius of curvature in the prime vertical; the ellipsoid shrinks the part along the axis.
    curvature_km = EARTH_RADIUS_KM / np.sqrt(1 - _ECCENTRICITY_SQUARED * up[:, 2] ** 2)
    shrink = np.array([1.0, 1.0, 1 - _ECCENTRICITY_SQUARED])
    return curvature_km[:, np.newaxis] * shrink * up + height_m[:, np.newaxis] / 1000 * up, up


def horizon_frames(up: Floats) -> Floats:
    """Unit vectors east, north and up at each station, (..., 3, 3), from its normal (..., 3) of either frame.

    At a pole every direction is south; there the meridian of 90 deg is called east.
    """
    east = np.stack([-up[..., 1], up[..., 0], np.zeros_like(up[..., 2])], axis=-1)
    length = norm(east)[..., np.newaxis]
    at_pole = length < _AT_POLE
    east = np.where(at_pole, np.array([0.0, 1.0, 0.0]), east / np.where(at_pole, 1.0, length))
    return np.stack([east, np.cross(up, east), up], axis=-2)


def azimuth_elevation_deg(sight_km: Floats) -> tuple[Floats, Floats]:
    """Azimuths (from north over east, 0..360) and geometric elevations, deg, of (..., 3) east, north and up."""
    elevation = np.arcsin(np.clip(sight_km[..., 2] / norm(sight_km), -1.0, 1.0))
    return np.degrees(np.arctan2(sight_km[..., 0], sight_km[..., 1])) % 360, np.degrees(elevation)


def to_earth_fixed(position_km: Floats, gmst_rad: Floats) -> Floats:
    """Inertial positions (..., 3) in the Earth-fixed frame, for sidereal times (...)."""
    cosine, sine = np.cos(gmst_rad), np.sin(gmst_rad)
    x, y, z = np.moveaxis(position_km, -1, 0)
    return np.stack([cosine * x + sine * y, cosine * y - sine * x, z], axis=-1)


def _check(station: Station) -> None:
    if not abs(station.latitude_deg) <= 90:
        raise ValueError(f"{station.name}: latitude_deg is {station.latitude_deg}, beyond a pole")
    if not abs(station.longitude_deg) <= 180:
        raise ValueError(f"{station.name}: longitude_deg is {station.longitude_deg}, beyond 180")
    if not np.isfinite(station.height_m):
        raise ValueError(f"{station.name}: height_m is {station.height_m}")
