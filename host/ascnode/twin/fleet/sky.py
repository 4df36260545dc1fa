"""The sky as the fleet's kernels take it: a few numbers for each orbit plane, from which each slot's follow."""

from typing import Any

import numpy as np
import numpy.typing as npt

from ascnode.sky.constants import ASTRONOMICAL_UNIT_KM, EARTH_RADIUS_KM, SUN_RADIUS_KM
from ascnode.sky.constellation import Planes
from ascnode.sky.vectors import Floats
from ascnode.twin.fleet.rows import PLANE_FIELDS, Rows, rows_type

_HOUR_S = 3600.0  # what flight software forecasts when no eclipse is known (flight/power.py)


def plane_rows(planes: Planes, t_s: npt.ArrayLike, sun_unit: Floats, real: Any) -> Rows:
    """Rows (p,) of PLANE_FIELDS at t_s seconds after the epoch, with the Sun in direction sun_unit (3,).

    Of one plane, t_s may be (n,) with sun_unit (n, 3): a row for each time.

    The shadow is that of ascnode.sky.eclipse, with the Earth's limb straight over the Sun's disc.
    """
    cos_slot0, cos_ahead = _cosines(planes, t_s, sun_unit)
    edge, sun = _penumbra(planes.radius_km)
    since, lit = _eclipse_turns(cos_slot0, cos_ahead, edge - sun)
    rows = np.zeros(len(cos_slot0), rows_type(PLANE_FIELDS, real))
    rows["cos_slot0"], rows["cos_ahead"] = cos_slot0, cos_ahead
    rows["cos_edge"], rows["sin_edge"], rows["per_sun"] = np.cos(edge), np.sin(edge), 1 / np.sin(sun)
    rows["since_turns"], rows["lit_turns"] = since, lit
    period_s = 2 * np.pi / planes.latitude_rate_rad_s
    rows["period_s"] = np.where(lit < 1, period_s, 0.0)
    rows["hour_s"] = np.where(lit < 1, 0.0, _HOUR_S)
    return rows


def _cosines(planes: Planes, t_s: npt.ArrayLike, sun_unit: Floats) -> tuple[Floats, Floats]:
    # Of the angle to the Sun at slot 0 and 90 deg ahead of it.
    t = np.asarray(t_s, dtype=np.float64)
    node = planes.raan_rad + planes.node_rate_rad_s * t
    latitude = planes.latitude_rad + planes.latitude_rate_rad_s * t
    x, y, z = np.moveaxis(sun_unit, -1, 0)
    to_node = x * np.cos(node) + y * np.sin(node)
    across = y * np.cos(node) - x * np.sin(node)
    ahead = np.cos(planes.inclination_rad) * across + np.sin(planes.inclination_rad) * z
    return (
        np.cos(latitude) * to_node + np.sin(latitude) * ahead,
        np.cos(latitude) * ahead - np.sin(latitude) * to_node,
    )


def _penumbra(radius_km: Floats) -> tuple[Floats, Floats]:
    # psi at which half of the Sun is hidden, and the Sun's apparent radius there, rad: psi and the angle apart from
    # the Earth's centre make a half turn, but for the Sun's parallax.
    earth = np.arcsin(EARTH_RADIUS_KM / radius_km)
    sun_km = np.sqrt(
        ASTRONOMICAL_UNIT_KM**2 + radius_km**2 + 2 * ASTRONOMICAL_UNIT_KM * radius_km * np.cos(earth)
    )
    parallax = radius_km / ASTRONOMICAL_UNIT_KM * np.sin(earth)
    return np.pi - earth - parallax, np.arcsin(SUN_RADIUS_KM / sun_km)


def _eclipse_turns(cos_slot0: Floats, cos_ahead: Floats, first: Floats) -> tuple[Floats, Floats]:
    # Turns of slot 0 since the last eclipse ended, and turns from there to the next; psi beyond `first` is dark.
    nearest = np.arctan2(cos_ahead, cos_slot0)
    depth = -np.cos(first) / np.maximum(np.hypot(cos_slot0, cos_ahead), 1e-12)
    half = np.arccos(np.clip(depth, -1.0, 1.0))
    return np.mod((-nearest - np.pi - half) / (2 * np.pi), 1.0), 1 - half / np.pi
