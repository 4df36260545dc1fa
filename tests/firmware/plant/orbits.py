"""Orbits of the tests: circular, two-body, in floats; sunlight by ascnode.sky's conical shadow."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ascnode.sky.constants import EARTH_MU_KM3_S2, EARTH_RADIUS_KM
from ascnode.sky.eclipse import illumination


@dataclass(frozen=True)
class SunlitOrbit:
    """Start angle: from the point of the orbit that is nearest the Sun, along the motion."""

    altitude_km: float
    beta_deg: float
    start_deg: float

    @property
    def period_s(self) -> float:
        return 2 * math.pi * math.sqrt((EARTH_RADIUS_KM + self.altitude_km) ** 3 / EARTH_MU_KM3_S2)

    def sun(self, t_s: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Illumination and max(0, cos psi) at times (n,), each (n,)."""
        along = math.radians(self.start_deg) + 2 * math.pi * t_s / self.period_s
        beta = math.radians(self.beta_deg)
        unit = np.stack(
            [np.cos(along) * math.cos(beta), np.sin(along), np.cos(along) * math.sin(beta)], axis=-1
        )
        sun = np.broadcast_to([1.0, 0.0, 0.0], unit.shape)
        position_km = (EARTH_RADIUS_KM + self.altitude_km) * unit
        return illumination(position_km, sun), np.maximum(unit[:, 0], 0.0)
