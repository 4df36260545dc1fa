"""What fibre takes, for comparison and between gateways and exchange points."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ascnode.sky.constants import SPEED_OF_LIGHT_KM_S
from ascnode.sky.stations import Station
from ascnode.sky.vectors import Floats

EARTH_MEAN_RADIUS_KM = 6371.0088  # R1 of the Geodetic Reference System 1980 (Moritz)
FIBRE_INDEX = 1.4682  # group index at 1550 nm, data sheet of Corning SMF-28 Ultra


def rtt_ms(length_km: npt.ArrayLike) -> Floats:
    """There and back in vacuum, ms."""
    return 2000 * np.asarray(length_km, dtype=np.float64) / SPEED_OF_LIGHT_KM_S


def great_circle_km(stations: Sequence[Station]) -> Floats:
    """Distances (k, k) along great circles of the mean sphere: within 0.5 % of the ellipsoid's."""
    latitude = np.radians([station.latitude_deg for station in stations])
    longitude = np.radians([station.longitude_deg for station in stations])
    apart = longitude - longitude[:, np.newaxis]
    half = np.sin((latitude - latitude[:, np.newaxis]) / 2) ** 2
    half += np.cos(latitude) * np.cos(latitude[:, np.newaxis]) * np.sin(apart / 2) ** 2
    apart_km: Floats = EARTH_MEAN_RADIUS_KM * 2 * np.arcsin(np.sqrt(np.minimum(half, 1)))
    return apart_km


def fibre_rtt_ms(stations: Sequence[Station]) -> Floats:
    """There and back by fibre along great circles, ms, (k, k): the least that a cable could take."""
    return FIBRE_INDEX * rtt_ms(great_circle_km(stations))
