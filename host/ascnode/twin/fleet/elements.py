"""Real element sets as the fleet flies them: each satellite on a circle of its own, as it moves at the epoch."""

from datetime import datetime

import numpy as np
import numpy.typing as npt

from ascnode.errors import ScenarioError
from ascnode.sky.constants import EARTH_MU_KM3_S2, EARTH_RADIUS_KM
from ascnode.sky.constellation import Planes
from ascnode.sky.elements import ElementSets
from ascnode.sky.orbit import CircularOrbit
from ascnode.sky.vectors import norm

_APART_S = 30.0  # of the two positions that give the plane
_MINUTE_S = 60.0


def planes_of(elements: ElementSets, epoch: datetime) -> tuple[Planes, npt.NDArray[np.bool_]]:
    """A plane of one satellite for each element set, and which (n,) SGP4 does not find above the ground.

    Place and plane are those at the epoch, radius and rates those of the mean motion under J2.

    What is left out, eccentricity and drag, moves a nearly circular satellite by about twice its eccentricity in rad.
    Raises ScenarioError when it finds none.
    """
    here, later = (elements.positions_km(epoch, t_s) for t_s in (0.0, _APART_S))
    motion = np.array([record.no_kozai for record in elements.records]) / _MINUTE_S
    radius_km = np.cbrt(EARTH_MU_KM3_S2 / motion**2)
    lost = ~(norm(here) > EARTH_RADIUS_KM) | ~(norm(later) > EARTH_RADIUS_KM) | ~(radius_km > EARTH_RADIUS_KM)
    if lost.all():
        raise ScenarioError(f"{elements.name}: no satellite is in orbit at {epoch.isoformat()}")
    # Those take the place of one that is, so that numbers stay as in the file.
    stand_in = np.where(lost, np.argmin(lost), np.arange(elements.count))
    here, later, radius_km = here[stand_in], later[stand_in], radius_km[stand_in]
    normal = np.cross(here, later)
    normal /= norm(normal)[:, np.newaxis]
    inclination, raan = np.arccos(np.clip(normal[:, 2], -1, 1)), np.arctan2(normal[:, 0], -normal[:, 1])
    along = here[:, 0] * np.cos(raan) + here[:, 1] * np.sin(raan)
    to_node = np.stack([np.cos(raan), np.sin(raan), np.zeros_like(raan)], axis=-1)
    across = np.sum(here * np.cross(normal, to_node), axis=-1)
    orbits = [
        CircularOrbit(float(r) - EARTH_RADIUS_KM, float(np.degrees(i)), 0.0, 0.0)
        for r, i in zip(radius_km, inclination, strict=True)
    ]
    count = elements.count
    planes = Planes(
        shell=np.zeros(count, np.int64),
        first=np.arange(count),
        per_plane=np.ones(count, np.int64),
        radius_km=radius_km,
        inclination_rad=inclination,
        raan_rad=raan,
        latitude_rad=np.arctan2(across, along),
        node_rate_rad_s=np.array([orbit.node_rate_rad_s for orbit in orbits]),
        latitude_rate_rad_s=np.array([orbit.latitude_rate_rad_s for orbit in orbits]),
    )
    return planes, lost
