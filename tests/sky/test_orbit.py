"""Circular J2 orbits against published missions, SGP4 and a numerical integration."""

import math

import numpy as np
import pytest

from ascnode.sky.orbit import CircularOrbit, shell_satellite

EARTH_RADIUS_KM = 6378.137
TROPICAL_YEAR_DAYS = 365.2422


def node_rate_deg_day(orbit: CircularOrbit) -> float:
    return math.degrees(orbit.node_rate_rad_s) * 86400


@pytest.mark.parametrize(
    ("semi_major_axis_km", "inclination_deg", "period_s"),
    [
        pytest.param(7714.43, 66.04, 6745.72, id="TOPEX/Poseidon, CNES AVISO"),
        pytest.param(7077.7, 98.2, 16 * 86400 / 233, id="Landsat, 233 orbits in 16 days"),
    ],
)
def test_nodal_period_matches_flown_missions(
    semi_major_axis_km: float, inclination_deg: float, period_s: float
) -> None:
    orbit = CircularOrbit(semi_major_axis_km - EARTH_RADIUS_KM, inclination_deg, 0, 0)
    assert orbit.period_s == pytest.approx(period_s, rel=1e-5)


@pytest.mark.parametrize(
    ("altitude_km", "inclination_deg", "rate_deg_day", "tolerance"),
    [
        pytest.param(650, 97.99, 360 / TROPICAL_YEAR_DAYS, 1e-3, id="sun-synchronous at 650 km"),
        pytest.param(7714.43 - EARTH_RADIUS_KM, 66.04, -2.08, 0.005, id="TOPEX/Poseidon, CNES AVISO"),
        pytest.param(380, 51.6, -5.06, 0.01, id="ISS, SeeSat-L 2003-12-04"),
        pytest.param(550, 90, 0.0, 1e-12, id="polar: none"),
    ],
)
def test_node_regresses_at_published_rate(
    altitude_km: float, inclination_deg: float, rate_deg_day: float, tolerance: float
) -> None:
    orbit = CircularOrbit(altitude_km, inclination_deg, 0, 0)
    assert node_rate_deg_day(orbit) == pytest.approx(rate_deg_day, abs=tolerance)


# sgp4 2.27, WGS84, no drag, e = 1e-9: nodedot and mdot + argpdot. Its J2^2 and J4 terms are the difference.
@pytest.mark.parametrize(
    ("altitude_km", "inclination_deg", "latitude_rate_rad_s", "node_rate_rad_s"),
    [
        (550, 53.0, 1.095498585e-3, -9.071126e-7),
        (650, 97.99, 1.070219982e-3, 1.986077e-7),
        (420, 51.64, 1.127246871e-3, -9.997938e-7),
        (1200, 87.9, 9.55935821e-4, -4.023189e-8),
    ],
)
def test_rates_agree_with_sgp4(
    altitude_km: float, inclination_deg: float, latitude_rate_rad_s: float, node_rate_rad_s: float
) -> None:
    orbit = CircularOrbit(altitude_km, inclination_deg, 0, 0)
    assert orbit.latitude_rate_rad_s == pytest.approx(latitude_rate_rad_s, rel=3e-6)
    assert orbit.node_rate_rad_s == pytest.approx(node_rate_rad_s, rel=4e-3)


def acceleration(x: float, y: float, z: float) -> tuple[float, float, float]:
    """Central force and J2, km/s2 (Montenbruck & Gill, section 3.2)."""
    mu, j2, radius = 398600.4418, 1.08262668e-3, EARTH_RADIUS_KM
    r2 = x * x + y * y + z * z
    factor = -mu / r2**1.5
    bulge = 1.5 * j2 * radius * radius / r2
    flat = 1 + bulge * (1 - 5 * z * z / r2)
    return factor * x * flat, factor * y * flat, factor * z * (1 + bulge * (3 - 5 * z * z / r2))


def derivative(state: tuple[float, ...]) -> tuple[float, ...]:
    return (*state[3:], *acceleration(*state[:3]))


def runge_kutta_4(state: tuple[float, ...], step_s: float) -> tuple[float, ...]:
    def moved(slope: tuple[float, ...], by_s: float) -> tuple[float, ...]:
        return tuple(s + by_s * k for s, k in zip(state, slope, strict=True))

    k1 = derivative(state)
    k2 = derivative(moved(k1, step_s / 2))
    k3 = derivative(moved(k2, step_s / 2))
    k4 = derivative(moved(k3, step_s))
    total = tuple(a + 2 * b + 2 * c + d for a, b, c, d in zip(k1, k2, k3, k4, strict=True))
    return moved(total, step_s / 6)


def test_node_drift_agrees_with_integrated_equations_of_motion() -> None:
    orbit = CircularOrbit(550, 53, 0, 0)
    speed = math.sqrt(398600.4418 / orbit.radius_km)
    tilt = math.radians(53)
    state = (orbit.radius_km, 0.0, 0.0, 0.0, speed * math.cos(tilt), speed * math.sin(tilt))
    step_s, crossings = 10.0, []
    for step in range(5800):
        following = runge_kutta_4(state, step_s)
        if state[2] <= 0 < following[2]:
            part = -state[2] / (following[2] - state[2])
            x, y = (a + part * (b - a) for a, b in zip(state[:2], following[:2], strict=True))
            crossings.append(((step + part) * step_s, math.atan2(y, x)))
        state = following
    (first_s, first_rad), (last_s, last_rad) = crossings[1], crossings[-1]
    assert len(crossings) == 11
    assert (last_rad - first_rad) / (last_s - first_s) == pytest.approx(orbit.node_rate_rad_s, rel=5e-3)


def rotation(axis: int, angle_deg: float) -> np.ndarray:
    cosine, sine = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    matrix = np.eye(3)
    a, b = (axis + 1) % 3, (axis + 2) % 3
    matrix[[a, a, b, b], [a, b, a, b]] = cosine, -sine, sine, cosine
    return matrix


def test_position_at_epoch_is_the_three_rotations_of_the_elements() -> None:
    orbit = CircularOrbit(altitude_km=621.863, inclination_deg=53, raan_deg=40, argument_of_latitude_deg=15)
    expected = rotation(2, 40) @ rotation(0, 53) @ rotation(2, 15) @ [7000.0, 0, 0]
    assert orbit.position_km(0.0) == pytest.approx(expected, abs=1e-9)


def test_position_moves_towards_increasing_latitude_and_regressing_node() -> None:
    orbit = CircularOrbit(550, 53, 40, 0)
    just_after, one_turn_later = orbit.position_km([1.0, orbit.period_s])
    assert just_after[2] == pytest.approx(7.58 * math.sin(math.radians(53)), rel=2e-3)  # km/s at 550 km
    node_deg = math.degrees(math.atan2(one_turn_later[1], one_turn_later[0]))
    assert node_deg == pytest.approx(40 - 4.4905 * orbit.period_s / 86400, abs=1e-3)
    assert one_turn_later[2] == pytest.approx(0, abs=1e-6)


def test_plane_normal_is_the_direction_of_angular_momentum() -> None:
    orbit = CircularOrbit(550, 97.6, 222, 31)
    t_s = np.array([0.0, 1234.5, 86400.0])
    normal = orbit.plane_normal(t_s)
    momentum = np.cross(orbit.position_km(t_s - 0.5), orbit.position_km(t_s + 0.5))
    assert np.sum(normal * orbit.position_km(t_s), axis=-1) == pytest.approx([0, 0, 0], abs=1e-9)
    assert normal[:, 2] == pytest.approx(np.full(3, math.cos(math.radians(97.6))), abs=1e-15)
    # The turning plane itself tilts the motion by node rate over latitude rate, 1e-4.
    assert momentum / np.linalg.norm(momentum, axis=-1, keepdims=True) == pytest.approx(normal, abs=2e-4)


def test_arrays_of_times_give_arrays_of_vectors() -> None:
    orbit = CircularOrbit(550, 53, 0, 0)
    assert orbit.position_km(np.zeros(7)).shape == (7, 3)
    assert orbit.plane_normal(np.zeros((2, 5))).shape == (2, 5, 3)


def test_galileo_shell_has_its_published_spacing() -> None:
    # Galileo is Walker 24/3/1 at 56 deg: planes 120 deg, slots 45 deg, 15 deg from plane to plane.
    first, second = (shell_satellite(23222, 56, 3, 8, 1, plane, 2) for plane in (1, 2))
    assert (first.raan_deg, second.raan_deg) == (120, 240)
    assert (first.argument_of_latitude_deg, second.argument_of_latitude_deg) == (105, 120)


def test_walker_pattern_closes_from_last_plane_to_first() -> None:
    last = shell_satellite(550, 53, 72, 22, 17, plane=71, slot=0)
    phase_deg = 360 * 17 / (72 * 22)
    beyond_deg = (last.argument_of_latitude_deg + phase_deg) % (360 / 22)
    assert min(beyond_deg, 360 / 22 - beyond_deg) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("elements", "sentence"),
    [
        ((-3.0, 53, 0, 0), "altitude_km is -3.0: an orbit lies above the surface"),
        ((550, 181, 0, 0), "inclination_deg is 181: it lies between 0 and 180"),
        ((550, 53, math.nan, 0), "raan_deg is nan: an element is a finite number"),
    ],
)
def test_impossible_orbits_are_refused(elements: tuple[float, float, float, float], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        CircularOrbit(*elements)


@pytest.mark.parametrize(
    ("shell", "sentence"),
    [
        ((0, 22, 0, 0, 0), "a shell of 0 planes with 22 satellites each is empty"),
        ((72, 22, 72, 0, 0), "phasing is 72: it lies between 0 and 71"),
        ((72, 22, 17, 72, 0), "plane 72 is not in a shell of 72 planes"),
        ((72, 22, 17, 0, -1), "slot -1 is not in a plane of 22 satellites"),
    ],
)
def test_satellites_outside_the_shell_are_refused(shell: tuple[int, ...], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        shell_satellite(550, 53, *shell)
