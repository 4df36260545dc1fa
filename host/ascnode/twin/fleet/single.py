"""One node's plant in one orbit under a prescribed load: the fleet's floats, or the firmware's integers."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from ascnode.scenario.hardware import KELVIN_AT_0_C, HardwareError, plant_words
from ascnode.sky.constants import EARTH_MU_KM3_S2, EARTH_RADIUS_KM
from ascnode.sky.constellation import Planes
from ascnode.sky.eclipse import illumination
from ascnode.sky.orbit import CircularOrbit
from ascnode.sky.sun import beta_deg, sun_direction
from ascnode.sky.vectors import Floats
from ascnode.twin.fleet.classes import FACES, NodeClass
from ascnode.twin.fleet.fleet import Fleet, SunAt
from ascnode.twin.fleet.rows import Reals
from ascnode_fw.plant import layout as at
from ascnode_fw.plant.model import Plant


@dataclass(frozen=True)
class Path:
    """An orbit and its Sun: one plane of one satellite, and the unit vector (3,) to the Sun at a time."""

    planes: Planes
    sun: SunAt

    @property
    def period_s(self) -> float:
        """From one ascending node to the next."""
        return float(2 * np.pi / self.planes.latitude_rate_rad_s[0])

    def beta_deg(self, t_s: float) -> float:
        """Angle of the Sun above the orbit's plane."""
        planes = self.planes
        node = planes.raan_rad[0] + planes.node_rate_rad_s[0] * t_s
        rise = np.sin(planes.inclination_rad[0])
        normal = np.array([np.sin(node) * rise, -np.cos(node) * rise, np.cos(planes.inclination_rad[0])])
        return float(beta_deg(normal, self.sun(t_s)))


@dataclass(frozen=True)
class Load:
    """What draws power beside the bus, W; all of extra_w heats the radiator."""

    accelerator_w: float = 0.0
    accelerator_on: bool = False
    extra_w: float = 0.0


@dataclass(frozen=True)
class Flown:
    """A flight: time s, illumination and array power in the middle of each step, (n,); the rest at its end.

    Sums are J on the side of the cells.
    """

    t_s: Floats
    illumination: Floats
    array_w: Floats
    load_w: Floats
    energy_j: Floats
    accelerator_k: Floats
    radiator_k: Floats
    shunted_j: float
    unserved_j: float


def path_of(orbit: CircularOrbit, epoch: datetime, oblate: bool = True) -> Path:
    """An orbit under the real Sun; not oblate: its plane stands still and its period is Kepler's."""
    kepler = (0.0, _kepler_rate_rad_s(orbit.radius_km))
    rates = (orbit.node_rate_rad_s, orbit.latitude_rate_rad_s) if oblate else kepler
    inclination, raan, latitude = np.radians(
        [orbit.inclination_deg, orbit.raan_deg, orbit.argument_of_latitude_deg]
    ).tolist()
    return Path(
        _plane(orbit.radius_km, inclination, raan, latitude, *rates), lambda t_s: sun_direction(epoch, t_s)
    )


def path_at_beta(altitude_km: float, sun_beta_deg: float, start_deg: float = 0.0) -> Path:
    """A Kepler orbit under a Sun that stands still sun_beta_deg above it; it starts start_deg after orbit noon.

    Raises ValueError for an altitude below the surface or a beta beyond 90 deg.
    """
    if not abs(sun_beta_deg) <= 90:
        raise ValueError(f"beta_deg is {sun_beta_deg}: it lies between -90 and 90")
    if not 0 < altitude_km < np.inf:
        raise ValueError(f"altitude_km is {altitude_km}: an orbit lies above the surface")
    beta = np.radians(sun_beta_deg)
    sun_unit = np.array([np.cos(beta), 0.0, np.sin(beta)])
    start_rad = float(np.radians(start_deg))

    def sun(t_s: npt.ArrayLike) -> Floats:
        return np.broadcast_to(sun_unit, (*np.shape(t_s), 3))

    radius_km = EARTH_RADIUS_KM + altitude_km
    rate_rad_s = _kepler_rate_rad_s(radius_km)
    return Path(
        _plane(radius_km, 0.0, 0.0, start_rad, 0.0, rate_rad_s),
        lambda t_s: np.broadcast_to(sun_unit, (*np.shape(t_s), 3)),
    )


def fly(path: Path, node: NodeClass, load: Load, step_s: float, steps: int, age_years: float) -> Flown:
    """Flies the fleet's float64 model of one node. Raises ValueError for a step that is not positive."""
    fleet = Fleet(path.planes, path.sun, [node], real=np.float64, prescribed=True)
    s = fleet.state
    s.array_left[:] = (1 - node.hardware.array_loss_per_year) ** age_years
    s.prescribed_w[:], s.prescribed_on[:], s.prescribed_extra_w[:] = (
        load.accelerator_w,
        load.accelerator_on,
        load.extra_w,
    )
    rows = fleet.fly_open(step_s, steps)
    lit, _ = _sky(path, step_s, steps)
    return _flown(step_s, lit, rows, float(s.shunted_j[0]), float(s.unserved_j[0]))


def fly_integers(
    path: Path, node: NodeClass, load: Load, step_s: float, steps: int, age_years: float
) -> Flown:
    """Flies the firmware's own plant. Raises HardwareError for what does not fit its integers."""
    step_ms = round(step_s * 1000)
    if step_ms < 1 or abs(step_ms - step_s * 1000) > 1e-6:
        raise HardwareError(f"the firmware's plant steps whole milliseconds, not {step_s:g} s")
    words = plant_words(node.hardware, step_ms)
    plant, unit = Plant(words), 2.0 ** words[at.SCALE_K]
    plant.set_input(at.AGE_DAYS, round(age_years * 365.25))
    plant.set_input(at.ACCEL_PW, round(load.accelerator_w * 1000 / unit))
    plant.set_input(at.ACCEL_ON, int(load.accelerator_on))
    plant.set_input(at.EXTRA_PW, round(load.extra_w * 1000 / unit))
    lit, cos_psi = _sky(path, step_s, steps)
    rows = np.empty((steps, 5))
    state = plant.state
    for step, inputs in enumerate(_inputs(node, lit, cos_psi)):
        for word, value in zip(
            (at.ILLUMINATION, at.COS_ARRAY, at.COS_RADIATOR, at.ALBEDO), inputs, strict=True
        ):
            plant.set_input(word, value)
        plant.step()
        rows[step] = [
            state[word] for word in (at.ARRAY_PW, at.LOAD_PW, at.ENERGY_J, at.T_ACCEL_UK, at.T_RADIATOR_UK)
        ]
        rows[step, 2] += state[at.ENERGY_UJ] * 1e-6
    rows *= [unit / 1000, unit / 1000, unit, 1e-6, 1e-6]
    shunted_j, unserved_j = (
        unit * (state[word] + state[word + 1] * 1e-6) for word in (at.SHUNTED_J, at.UNSERVED_J)
    )
    return _flown(step_s, lit, rows, shunted_j, unserved_j)


def _flown(step_s: float, lit: Floats, rows: Reals, shunted_j: float, unserved_j: float) -> Flown:
    array_w, load_w, energy_j, accelerator_k, radiator_k = rows.T.copy()
    t_s = step_s * np.arange(1, len(rows) + 1, dtype=np.float64)
    return Flown(t_s, lit, array_w, load_w, energy_j, accelerator_k, radiator_k, shunted_j, unserved_j)


def figures(flown: Flown, node: NodeClass) -> dict[str, float]:
    """What a flight comes to; extremes include the start, percentages are of the capacity."""
    hw = node.hardware
    start_wh = hw.battery_wh * hw.initial_charge
    stored_wh = np.append(start_wh, flown.energy_j / 3600)
    accel_c = np.append(hw.initial_accelerator_c, flown.accelerator_k - KELVIN_AT_0_C)
    radiator_c = np.append(hw.initial_radiator_c, flown.radiator_k - KELVIN_AT_0_C)
    return {
        "duration_s": float(flown.t_s[-1]),
        "steps": len(flown.t_s),
        "eclipse_fraction": float(1 - np.mean(flown.illumination)),
        "mean_array_w": float(np.mean(flown.array_w)),
        "mean_load_w": float(np.mean(flown.load_w)),
        "battery_start_wh": start_wh,
        "battery_min_wh": float(np.min(stored_wh)),
        "battery_max_wh": float(np.max(stored_wh)),
        "battery_end_wh": float(stored_wh[-1]),
        "deepest_discharge": float(1 - np.min(stored_wh) / hw.battery_wh),
        "shunted_wh": flown.shunted_j / 3600,
        "unmet_wh": flown.unserved_j / 3600,
        "radiator_min_c": float(np.min(radiator_c)),
        "radiator_max_c": float(np.max(radiator_c)),
        "radiator_end_c": float(radiator_c[-1]),
        "accelerator_min_c": float(np.min(accel_c)),
        "accelerator_max_c": float(np.max(accel_c)),
        "accelerator_end_c": float(accel_c[-1]),
    }


def _kepler_rate_rad_s(radius_km: float) -> float:
    return float(np.sqrt(EARTH_MU_KM3_S2 / radius_km**3))


def _plane(
    radius_km: float,
    inclination: float,
    raan: float,
    latitude: float,
    node_rate: float,
    latitude_rate: float,
) -> Planes:
    zero, one = np.zeros(1, np.int64), np.ones(1, np.int64)
    columns = (radius_km, inclination, raan, latitude, node_rate, latitude_rate)
    return Planes(zero, zero, one, *(np.array([column]) for column in columns))


def _sky(path: Path, step_s: float, steps: int) -> tuple[Floats, Floats]:
    # Illumination and the cosine of psi in the middle of each step.
    t_s = step_s * (np.arange(steps) + 0.5)
    p = path.planes
    node = p.raan_rad[0] + p.node_rate_rad_s[0] * t_s
    latitude = p.latitude_rad[0] + p.latitude_rate_rad_s[0] * t_s
    tilt, rise = np.cos(p.inclination_rad[0]), np.sin(p.inclination_rad[0])
    along, across = np.cos(latitude), np.sin(latitude)
    unit = np.stack(
        [
            along * np.cos(node) - across * np.sin(node) * tilt,
            along * np.sin(node) + across * np.cos(node) * tilt,
            across * rise,
        ],
        axis=-1,
    )
    suns = path.sun(t_s)
    return illumination(p.radius_km[0] * unit, suns), np.sum(unit * suns, axis=-1)


def _inputs(node: NodeClass, lit: Floats, cos_psi: Floats) -> Iterator[list[int]]:
    # Illumination, cosine on the array, cosine on the radiator and albedo of each step, over 1024.
    array, radiator = (
        np.maximum(a + b * cos_psi, 0.0) for a, b in (FACES[node.array_face], FACES[node.radiator_face])
    )
    fractions = np.stack([lit, array, radiator, np.maximum(cos_psi, 0.0)], axis=-1)
    yield from np.rint(fractions * 1024).astype(int).tolist()
