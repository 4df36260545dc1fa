"""What the sky does to one satellite's plant, as the fractions that its equations take.

Both cosines are geometry alone: direct sunlight on the radiator is illumination * cos_radiator, as on the
array it is illumination * cos_array.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from ascnode.sky.eclipse import eclipses, illumination
from ascnode.sky.orbit import Orbit
from ascnode.sky.sun import sun_direction, sun_distance_km
from ascnode.sky.time import check_window
from ascnode.sky.vectors import Floats, Integers, dot, norm

# Which way the radiator's normal points: at the Sun, away from it, at right angles to it, up, or down.
RadiatorFace = Literal["sun", "antisun", "edge", "zenith", "nadir"]

_UNIT = 1024  # the plant's fractions are integers over this


@dataclass(frozen=True)
class Environment:
    """Fractions 0..1, each of the shape of the times asked for."""

    illumination: Floats  # of the solar disc that is visible
    cos_array: Floats  # of the Sun's incidence on the array, which follows it: 1
    cos_radiator: Floats  # of the Sun's incidence on the radiator, 0 when it lies behind the face
    albedo: Floats  # max(0, cos psi), psi at the Earth's centre from the satellite to the Sun

    def in_1024(self) -> Integers:
        """The four fractions in the order above, rounded to the nearest 1/1024: (..., 4)."""
        fractions = np.stack([self.illumination, self.cos_array, self.cos_radiator, self.albedo], axis=-1)
        return np.rint(fractions * _UNIT).astype(np.int64)


class EnvironmentEvent(NamedTuple):
    """From t_s (seconds after the epoch) on, the plant sees these fractions, each over 1024."""

    t_s: float
    illumination_1024: int
    cos_array_1024: int
    cos_radiator_1024: int
    albedo_1024: int


def environment(
    orbit: Orbit, epoch: datetime, t_s: npt.ArrayLike, radiator_face: RadiatorFace = "sun"
) -> Environment:
    """The environment at t_s (...) seconds after the epoch.

    Raises ValueError for an unknown radiator_face.
    """
    position_km, sun_unit = orbit.position_km(t_s), sun_direction(epoch, t_s)
    cos_psi = dot(position_km, sun_unit) / norm(position_km)
    return Environment(
        illumination=illumination(position_km, sun_unit, sun_distance_km(epoch, t_s)),
        cos_array=np.ones_like(cos_psi),
        cos_radiator=_cos_radiator(cos_psi, radiator_face),
        albedo=np.maximum(cos_psi, 0.0),
    )


def environment_events(
    orbit: Orbit,
    epoch: datetime,
    start_s: float,
    end_s: float,
    interval_s: float,
    radiator_face: RadiatorFace = "sun",
) -> list[EnvironmentEvent]:
    """The environment from start_s to end_s as the changes of its integers, the first at start_s.

    It is looked at every interval_s, and every second while the satellite crosses the penumbra.
    Raises ValueError for an empty interval, an interval_s that is not positive or an unknown radiator_face.
    """
    if not interval_s > 0:
        raise ValueError(f"interval_s is {interval_s}: it is a positive number of seconds")
    t_s = _sample_times(orbit, epoch, start_s, end_s, interval_s)
    samples = environment(orbit, epoch, t_s, radiator_face).in_1024()
    changed = np.append(True, np.any(np.diff(samples, axis=0) != 0, axis=1))
    return [
        EnvironmentEvent(t, *sample)
        for t, sample in zip(t_s[changed].tolist(), samples[changed].tolist(), strict=True)
    ]


def _cos_radiator(cos_psi: Floats, radiator_face: RadiatorFace) -> Floats:
    match radiator_face:
        case "sun":
            return np.ones_like(cos_psi)
        case "antisun" | "edge":
            return np.zeros_like(cos_psi)
        case "zenith":
            return np.maximum(cos_psi, 0.0)
        case "nadir":
            return np.maximum(-cos_psi, 0.0)
    raise ValueError(f"radiator_face is {radiator_face!r}: it is sun, antisun, edge, zenith or nadir")


def _sample_times(orbit: Orbit, epoch: datetime, start_s: float, end_s: float, interval_s: float) -> Floats:
    check_window(start_s, end_s)
    coarse = start_s + interval_s * np.arange(np.floor((end_s - start_s) / interval_s) + 1)
    fine = [
        start_s + np.arange(np.floor(enter_s - start_s), np.ceil(leave_s - start_s) + 1)
        for enter_s, leave_s in _penumbra_crossings(orbit, epoch, start_s, end_s)
    ]
    t_s = np.unique(np.concatenate([coarse, *fine]))
    return t_s[t_s <= end_s]


def _penumbra_crossings(
    orbit: Orbit, epoch: datetime, start_s: float, end_s: float
) -> list[tuple[float, float]]:
    crossings = []
    for eclipse in eclipses(orbit, epoch, start_s, end_s):
        if eclipse.umbra_start_s is None or eclipse.umbra_end_s is None:
            crossings.append((eclipse.penumbra_start_s, eclipse.penumbra_end_s))
        else:
            crossings.append((eclipse.penumbra_start_s, eclipse.umbra_start_s))
            crossings.append((eclipse.umbra_end_s, eclipse.penumbra_end_s))
    return crossings
