"""The Earth's shadow against closed forms, Basilisk, ray casting and the geometry of the tangent cones."""

import math
from datetime import UTC, datetime

import numpy as np
import pytest

from ascnode.sky.eclipse import (
    critical_beta_deg,
    eclipse_at_beta,
    eclipse_fraction,
    eclipses,
    illumination,
    keplerian_period_s,
)
from ascnode.sky.orbit import CircularOrbit
from ascnode.sky.sun import beta_deg as beta_of
from ascnode.sky.sun import sun_direction, sun_distance_km

EARTH_RADIUS_KM = 6378.137
SUN_RADIUS_KM = 695700.0
SUN_DISTANCE_KM = 149597870.7
EQUINOX = datetime(2024, 3, 20, 3, 6, tzinfo=UTC)


def circle_km(altitude_km: float, beta_deg: float, count: int) -> np.ndarray:
    """A circular orbit about z, to be lit by a Sun at beta_deg above the x axis."""
    angle = 2 * np.pi * (np.arange(count) + 0.5) / count
    circle = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=-1)
    return (EARTH_RADIUS_KM + altitude_km) * circle


def sun_at(beta_deg: float) -> np.ndarray:
    return np.array([math.cos(math.radians(beta_deg)), 0, math.sin(math.radians(beta_deg))])


def polar_orbit(altitude_km: float, beta_deg: float) -> CircularOrbit:
    """At the equinox the Sun stands on the x axis, and a polar orbit's node, which stays, is its beta."""
    return CircularOrbit(altitude_km, 90, beta_deg, 0)


def lit_fraction(orbit: CircularOrbit, epoch: datetime, t_s: np.ndarray) -> np.ndarray:
    distance_km = sun_distance_km(epoch, t_s)
    return illumination(orbit.position_km(t_s), sun_direction(epoch, t_s), distance_km)


@pytest.mark.parametrize(("altitude_km", "beta_deg", "basilisk"), [(550, 0, 0.37232), (650, 58.57, 0.20189)])
def test_eclipse_fraction_agrees_with_basilisk(altitude_km: float, beta_deg: float, basilisk: float) -> None:
    assert eclipse_fraction(altitude_km, beta_deg) == pytest.approx(basilisk, abs=3e-5)
    dark = 1 - illumination(circle_km(altitude_km, beta_deg, 6000), sun_at(beta_deg))
    assert float(np.mean(dark)) == pytest.approx(basilisk, abs=5e-5)


@pytest.mark.parametrize("altitude_km", [400.0, 550.0, 650.0, 1200.0, 2000.0])
@pytest.mark.parametrize("beta_deg", [0.0, -20.0, 40.0])
def test_mean_of_the_conical_shadow_is_the_cylindrical_closed_form(
    altitude_km: float, beta_deg: float
) -> None:
    # Equal to first order only: the conical mean is 1.3e-5 of a turn longer at beta 0, 2.6e-5 at beta 55.
    dark = 1 - illumination(circle_km(altitude_km, beta_deg, 20000), sun_at(beta_deg))
    assert float(np.mean(dark)) == pytest.approx(eclipse_fraction(altitude_km, beta_deg), abs=3e-5)


@pytest.mark.parametrize("altitude_km", [160.0, 300.0, 550.0, 1391.0, 8062.0, 20180.0, 35786.0])
@pytest.mark.parametrize("of_critical", [0.0, 0.5, -0.8, 0.9])
def test_mean_darkness_is_the_closed_form_to_1e_4_at_any_altitude(
    altitude_km: float, of_critical: float
) -> None:
    beta_deg = of_critical * critical_beta_deg(altitude_km)
    dark = 1 - illumination(circle_km(altitude_km, beta_deg, 20000), sun_at(beta_deg))
    assert float(np.mean(dark)) == pytest.approx(eclipse_fraction(altitude_km, beta_deg), abs=1e-4)


@pytest.mark.parametrize(
    "orbit",
    [CircularOrbit(550, 53, 40, 15), CircularOrbit(650, 97.99, 141, 222), CircularOrbit(700, 148, 77, 10)],
)
def test_mean_darkness_of_flown_orbits_is_the_closed_form_at_their_betas(orbit: CircularOrbit) -> None:
    # From the middle of an eclipse to that of another: the Sun and the node move the shadow along the orbit.
    found = eclipses(orbit, EQUINOX, 0, 30 * orbit.period_s)
    first, last = ((one.penumbra_start_s + one.penumbra_end_s) / 2 for one in (found[1], found[-2]))
    t_s = np.linspace(first, last, 200_000, endpoint=False)
    beta = beta_of(orbit.plane_normal(t_s[::1000]), sun_direction(EQUINOX, t_s[::1000]))
    closed_form = np.mean([eclipse_fraction(orbit.altitude_km, float(one)) for one in beta])
    assert float(np.mean(1 - lit_fraction(orbit, EQUINOX, t_s))) == pytest.approx(closed_form, abs=1e-4)


@pytest.mark.parametrize(("altitude_km", "beta_deg"), [(550.0, 0.0), (650.0, -58.57), (35786.0, 8.0)])
def test_eclipse_at_a_beta_is_centred_on_midnight_and_as_long_as_the_cones(
    altitude_km: float, beta_deg: float
) -> None:
    one, period_s = eclipse_at_beta(altitude_km, beta_deg), keplerian_period_s(altitude_km)
    assert one is not None and one.umbra_start_s is not None and one.umbra_end_s is not None
    assert one.penumbra_start_s + one.penumbra_end_s == pytest.approx(period_s, abs=1e-4)
    assert one.umbra_start_s + one.umbra_end_s == pytest.approx(period_s, abs=1e-4)
    lit = illumination(circle_km(altitude_km, beta_deg, 100000), sun_at(beta_deg))
    step_s = period_s / 100000
    assert one.penumbra_end_s - one.penumbra_start_s == pytest.approx(
        np.count_nonzero(lit < 1) * step_s, abs=3 * step_s
    )
    assert one.umbra_end_s - one.umbra_start_s == pytest.approx(
        np.count_nonzero(lit == 0) * step_s, abs=3 * step_s
    )


def test_no_eclipse_at_a_beta_above_the_penumbra() -> None:
    assert eclipse_at_beta(650, 65.6) is None
    grazing = eclipse_at_beta(650, 65.3)
    assert grazing is not None and grazing.umbra_start_s is None


@pytest.mark.parametrize("altitude_km", [400.0, 650.0, 2000.0])
def test_closed_form_holds_to_a_degree_below_the_critical_beta(altitude_km: float) -> None:
    beta_deg = critical_beta_deg(altitude_km) - 1
    dark = 1 - illumination(circle_km(altitude_km, beta_deg, 20000), sun_at(beta_deg))
    assert float(np.mean(dark)) == pytest.approx(eclipse_fraction(altitude_km, beta_deg), abs=1.1e-4)


def test_eclipse_fraction_is_zero_from_the_critical_beta_on() -> None:
    assert critical_beta_deg(650) == pytest.approx(65.2, abs=0.05)
    assert eclipse_fraction(650, 65.0) == pytest.approx(0.0353, abs=1e-4)
    assert [eclipse_fraction(650, beta) for beta in (65.2, -70, 90)] == [0, 0, 0]


@pytest.mark.parametrize("altitude_km", [0, -10, math.inf, math.nan])
def test_closed_forms_refuse_an_altitude_below_the_surface(altitude_km: float) -> None:
    with pytest.raises(ValueError, match="an orbit lies above the surface"):
        critical_beta_deg(altitude_km)
    with pytest.raises(ValueError, match="an orbit lies above the surface"):
        eclipse_fraction(altitude_km, 0)


def test_eclipse_fraction_refuses_a_beta_beyond_the_pole() -> None:
    with pytest.raises(ValueError, match="beta_deg is 91: it lies between -90 and 90"):
        eclipse_fraction(550, 91)


def visible_by_ray_casting(position_km: np.ndarray, sun_unit: np.ndarray, rays: int) -> float:
    """Share of evenly spread points of the Sun's disc whose ray to the satellite misses the Earth."""
    index = np.arange(rays) + 0.5
    radius, turn = np.sqrt(index / rays) * SUN_RADIUS_KM, np.pi * (1 + 5**0.5) * index
    centre = SUN_DISTANCE_KM * sun_unit
    towards = (position_km - centre) / np.linalg.norm(position_km - centre)
    right = np.cross(towards, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    up = np.cross(right, towards)
    points = centre + radius[:, None] * (np.cos(turn)[:, None] * right + np.sin(turn)[:, None] * up)
    rays_km = points - position_km
    along = -(rays_km @ position_km) / np.sum(rays_km**2, axis=-1)
    nearest = np.linalg.norm(position_km + np.clip(along, 0, 1)[:, None] * rays_km, axis=-1)
    return float(np.mean(nearest > EARTH_RADIUS_KM))


@pytest.mark.parametrize(
    ("altitude_km", "beta_deg"), [(550.0, 0.0), (650.0, 58.57), (550.0, -67.0), (35786.0, 8.5)]
)
def test_illumination_in_the_penumbra_agrees_with_ray_casting(altitude_km: float, beta_deg: float) -> None:
    positions, sun_unit = circle_km(altitude_km, beta_deg, 20000), sun_at(beta_deg)
    visible = illumination(positions, sun_unit)
    partly = np.flatnonzero((visible > 0.02) & (visible < 0.98))
    assert len(partly) >= 20
    for i in partly[:: len(partly) // 8]:
        cast = visible_by_ray_casting(positions[i], sun_unit, 20000)
        # 2e-4 is the Earth's limb drawn as a circle in the plane, the rest is the number of rays.
        assert float(visible[i]) == pytest.approx(cast, abs=1e-3)


def test_illumination_is_whole_in_the_sun_and_nothing_in_the_umbra() -> None:
    places_km = np.array([[7000.0, 0, 0], [0, 7000, 0], [0, 0, -7000], [-7000, 0, 0], [-7000, 50, 0]])
    visible = illumination(places_km, np.array([1.0, 0, 0]))
    assert visible.tolist() == [1, 1, 1, 0, 0]


def test_illumination_beyond_the_umbra_is_a_ring() -> None:
    # 2e6 km behind the Earth: (R_e / 2e6)^2 against (R_s / (1 au + 2e6))^2.
    visible = illumination(np.array([-2e6, 0.0, 0.0]), np.array([1.0, 0, 0]))
    assert float(visible) == pytest.approx(1 - (6378.137 / 2e6 / (695700 / 151597870.7)) ** 2, rel=1e-4)


def test_position_below_the_surface_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a position lies 6000\.000 km from the Earth's centre"):
        illumination(np.array([[7000.0, 0, 0], [0, 6000, 0]]), np.array([1.0, 0, 0]))


def test_penumbra_takes_8_5_seconds_each_side_at_550_km() -> None:
    (eclipse,) = eclipses(polar_orbit(550, 0), EQUINOX, 0, 5700)
    assert eclipse.umbra_start_s is not None and eclipse.umbra_end_s is not None
    assert eclipse.umbra_start_s - eclipse.penumbra_start_s == pytest.approx(8.5, abs=0.05)
    assert eclipse.penumbra_end_s - eclipse.umbra_end_s == pytest.approx(8.5, abs=0.05)


def cone_margins_km(
    position_km: np.ndarray, sun_unit: np.ndarray, sun_distance_km: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """How deep places lie inside the tangent cones of penumbra and umbra, from axis and opening angle."""
    behind = -np.sum(position_km * sun_unit, axis=-1)
    off_axis = np.linalg.norm(position_km + behind[:, None] * sun_unit, axis=-1)
    margins = []
    for sign in (1, -1):
        half_angle = np.arcsin((SUN_RADIUS_KM + sign * EARTH_RADIUS_KM) / sun_distance_km)
        radius = EARTH_RADIUS_KM / np.cos(half_angle) + sign * behind * np.tan(half_angle)
        margins.append(np.where(behind > 0, radius - off_axis, -1.0))
    return margins[0], margins[1]


def sign_changes(t_s: np.ndarray, values: np.ndarray) -> list[float]:
    i = np.flatnonzero(np.diff(values > 0))
    crossings = t_s[i] - values[i] * (t_s[i + 1] - t_s[i]) / (values[i + 1] - values[i])
    return list(crossings.tolist())


@pytest.mark.parametrize(
    "orbit",
    [
        CircularOrbit(550, 53, 40, 15),
        CircularOrbit(650, 97.99, 141, 222),
        CircularOrbit(1200, 87.9, 300, 90),
    ],
)
def test_instants_agree_with_dense_sampling_of_the_shadow_cones(orbit: CircularOrbit) -> None:
    epoch = datetime(2026, 8, 17, 21, 15, tzinfo=UTC)
    t_s = np.arange(0, 2 * orbit.period_s, 0.25)
    penumbra, umbra = cone_margins_km(
        orbit.position_km(t_s), sun_direction(epoch, t_s), sun_distance_km(epoch, t_s)
    )
    found = eclipses(orbit, epoch, 0, float(t_s[-1]))
    inside = [e for e in found if e.penumbra_start_s > 0 and e.penumbra_end_s < t_s[-1]]
    assert inside
    for eclipse in inside:
        sampled = [
            t
            for t in sign_changes(t_s, penumbra)
            if eclipse.penumbra_start_s - 1 < t < eclipse.penumbra_end_s + 1
        ]
        assert (eclipse.penumbra_start_s, eclipse.penumbra_end_s) == pytest.approx(sampled, abs=1e-3)
        sampled = [
            t
            for t in sign_changes(t_s, umbra)
            if eclipse.penumbra_start_s - 1 < t < eclipse.penumbra_end_s + 1
        ]
        assert (eclipse.umbra_start_s, eclipse.umbra_end_s) == pytest.approx(sampled, abs=1e-3)
    lit = lit_fraction(orbit, epoch, t_s) == 1
    dark_s = sum(e.penumbra_end_s - e.penumbra_start_s for e in found)
    assert dark_s == pytest.approx(0.25 * np.count_nonzero(~lit), abs=1.5)


@pytest.mark.parametrize("beta_deg", [65.1, 65.3, 65.42])
def test_grazing_eclipse_has_a_penumbra_and_no_umbra(beta_deg: float) -> None:
    orbit = polar_orbit(650, beta_deg)
    (eclipse,) = eclipses(orbit, EQUINOX, 0, orbit.period_s)
    t_s = np.arange(0, orbit.period_s, 0.05)
    dark = t_s[lit_fraction(orbit, EQUINOX, t_s) < 1]
    assert (eclipse.umbra_start_s, eclipse.umbra_end_s) == (None, None)
    assert (eclipse.penumbra_start_s, eclipse.penumbra_end_s) == pytest.approx((dark[0], dark[-1]), abs=0.06)


def test_orbit_above_the_penumbra_has_no_eclipse() -> None:
    assert eclipses(polar_orbit(650, 65.6), EQUINOX, 0, 5900) == []


def test_a_day_holds_one_eclipse_a_turn_in_order() -> None:
    orbit = polar_orbit(550, 0)
    found = eclipses(orbit, EQUINOX, 0, 15 * orbit.period_s)
    assert len(found) == 15
    starts = [eclipse.penumbra_start_s for eclipse in found]
    assert np.diff(starts) == pytest.approx(np.full(14, orbit.period_s), abs=0.5)


def test_eclipse_under_way_is_cut_at_both_ends() -> None:
    orbit = polar_orbit(550, 0)
    (whole,) = eclipses(orbit, EQUINOX, 0, 5700)
    assert whole.umbra_start_s is not None
    from_s, to_s = whole.umbra_start_s - 3, whole.penumbra_end_s - 2
    (cut,) = eclipses(orbit, EQUINOX, from_s, to_s)
    assert (cut.penumbra_start_s, cut.penumbra_end_s) == (from_s, to_s)
    assert (cut.umbra_start_s, cut.umbra_end_s) == pytest.approx(
        (whole.umbra_start_s, whole.umbra_end_s), abs=1e-6
    )
    (in_umbra,) = eclipses(orbit, EQUINOX, whole.umbra_start_s + 10, whole.umbra_start_s + 20)
    assert in_umbra.penumbra_start_s == in_umbra.umbra_start_s == whole.umbra_start_s + 10


def test_inverted_interval_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the interval from 10 s to 5 s is empty"):
        eclipses(polar_orbit(550, 0), EQUINOX, 10, 5)
