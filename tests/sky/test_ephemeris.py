"""The Sun, umbra and penumbra against astropy's ephemeris and the tangent cones' geometry."""

import math
from datetime import UTC, datetime

import erfa
import numpy as np
import pytest
from astropy.coordinates import get_sun
from astropy.time import Time, TimeDelta

from ascnode.sky.catalogue import dawn_dusk
from ascnode.sky.eclipse import Eclipse, critical_beta_deg, eclipses, whole_eclipses
from ascnode.sky.orbit import CircularOrbit
from ascnode.sky.sun import beta_deg, sun_direction, sun_distance_km

pytestmark = pytest.mark.filterwarnings("ignore::erfa.ErfaWarning")  # years without known leap seconds

EARTH_RADIUS_KM = 6378.137
SUN_RADIUS_KM = 695700.0


def astropy_sun_km(epoch: datetime, t_s: np.ndarray) -> np.ndarray:
    """Positions (..., 3) of the apparent Sun in the mean equator and equinox of date (IAU 2006)."""
    instants = Time(epoch) + TimeDelta(t_s, format="sec")
    terrestrial = instants.tt
    precession = erfa.pmat06(terrestrial.jd1, terrestrial.jd2)
    return np.einsum("...ij,...j->...i", precession, get_sun(instants).cartesian.xyz.to_value("km").T)


@pytest.mark.parametrize("year", [1990, 2005, 2026, 2045])
def test_sun_is_astropys_to_a_thousandth_of_a_degree(year: int) -> None:
    epoch = datetime(year, 1, 1, tzinfo=UTC)
    t_s = np.arange(0, 3 * 365 * 86400, 5 * 86400.0)
    expected = astropy_sun_km(epoch, t_s)
    distance_km = np.linalg.norm(expected, axis=-1)
    off = np.linalg.norm(sun_direction(epoch, t_s) - expected / distance_km[:, None], axis=-1)
    assert math.degrees(float(np.max(off))) < 0.001
    assert sun_distance_km(epoch, t_s) == pytest.approx(distance_km, rel=5e-5)


def margins_km(position_km: np.ndarray, sun_km: np.ndarray) -> np.ndarray:
    """How deep places lie in the cones of penumbra and umbra, (2, ...): distances from an axis, no angles of discs."""
    distance_km = np.linalg.norm(sun_km, axis=-1)
    axis = sun_km / distance_km[..., None]
    behind = -np.sum(position_km * axis, axis=-1)
    off_axis = np.linalg.norm(position_km + behind[..., None] * axis, axis=-1)
    margins = []
    for sign in (1, -1):
        opening = np.arcsin((SUN_RADIUS_KM + sign * EARTH_RADIUS_KM) / distance_km)
        radius = EARTH_RADIUS_KM / np.cos(opening) + sign * behind * np.tan(opening)
        margins.append(np.where(behind > 0, radius - off_axis, -1.0))
    return np.array(margins)


def edges_s(orbit: CircularOrbit, epoch: datetime, end_s: float) -> tuple[list[float], list[float]]:
    """Edges of penumbra and umbra under astropy's Sun, interpolated between samples."""
    t_s = np.arange(0, end_s, orbit.period_s / 20000)
    coarse = np.linspace(0, end_s, 50)
    sun_km = np.stack([np.interp(t_s, coarse, c) for c in astropy_sun_km(epoch, coarse).T], axis=-1)
    found = []
    for margin in margins_km(orbit.position_km(t_s), sun_km):
        i = np.flatnonzero(np.diff(margin > 0))
        found.append((t_s[i] - margin[i] * (t_s[i + 1] - t_s[i]) / (margin[i + 1] - margin[i])).tolist())
    return found[0], found[1]


@pytest.mark.parametrize(
    ("orbit", "epoch"),
    [
        (CircularOrbit(550, 53, 40, 15), datetime(2026, 8, 17, 21, 15, tzinfo=UTC)),
        (CircularOrbit(400, 51.6, 100, 0), datetime(2024, 1, 3, tzinfo=UTC)),
        (CircularOrbit(650, 97.99, 141, 222), datetime(2026, 6, 21, 3, tzinfo=UTC)),
        (CircularOrbit(1200, 87.9, 250, 90), datetime(2031, 11, 9, tzinfo=UTC)),
        (CircularOrbit(800, 0, 0, 10), datetime(2019, 12, 21, tzinfo=UTC)),
        (CircularOrbit(700, 148, 77, 10), datetime(2027, 7, 4, tzinfo=UTC)),
        (CircularOrbit(8062, 0, 0, 0), datetime(2026, 9, 22, tzinfo=UTC)),
        (CircularOrbit(20180, 55, 177, 30), datetime(2026, 3, 20, tzinfo=UTC)),
        (CircularOrbit(35786, 0, 0, 0), datetime(2026, 3, 10, tzinfo=UTC)),
        (CircularOrbit(35786, 0, 0, 200), datetime(2025, 9, 20, tzinfo=UTC)),
    ],
)
def test_umbra_and_penumbra_begin_and_end_within_a_second_of_astropys_sun(
    orbit: CircularOrbit, epoch: datetime
) -> None:
    end_s = 2 * orbit.period_s
    penumbra, umbra = edges_s(orbit, epoch, end_s)
    found = eclipses(orbit, epoch, 0.0, end_s)
    ours_penumbra = [t for one in found for t in (one.penumbra_start_s, one.penumbra_end_s) if 0 < t < end_s]
    ours_umbra = [t for one in found for t in (one.umbra_start_s, one.umbra_end_s) if t and 0 < t < end_s]
    assert len(penumbra) >= 3
    assert ours_penumbra == pytest.approx(penumbra, abs=1.0)
    assert ours_umbra == pytest.approx(umbra, abs=1.0)


def test_geostationary_eclipses_come_in_two_seasons_of_six_weeks() -> None:
    orbit = CircularOrbit(35786, 0, 0, 0)
    found = eclipses(orbit, datetime(2026, 1, 1, tzinfo=UTC), 0.0, 365 * 86400.0)
    days = [one.penumbra_start_s / 86400 for one in found]
    # From late February to mid-April and from late August to mid-October, up to 72 min: a textbook's figures.
    spring = [day for day in days if day < 180]
    assert len(found) == pytest.approx(90, abs=4)
    assert (spring[0], spring[-1]) == pytest.approx((57, 102), abs=2)
    longest_s = max(one.penumbra_end_s - one.penumbra_start_s for one in found)
    assert longest_s == pytest.approx(72 * 60, abs=60)


def darkest(altitude_km: float) -> list[Eclipse]:
    """Eclipses of a dawn-dusk orbit, node at 18 h, in the weeks around its dark solstice."""
    start, solstice_s = datetime(2026, 1, 1, tzinfo=UTC), 171 * 86400.0
    orbit = dawn_dusk(start, altitude_km).orbit(0, 0)
    return eclipses(orbit, start, solstice_s - 15 * 86400, solstice_s + 15 * 86400)


@pytest.mark.parametrize("ltan_h", [6.0, 18.0])
def test_dawn_dusk_orbit_is_free_of_eclipse_from_1391_km_on(ltan_h: float) -> None:
    # Published, with the Sun as a point: 1,391 km.
    start, t_s = datetime(2026, 1, 1, tzinfo=UTC), np.arange(0, 366 * 86400, 7200.0)
    sun_unit = sun_direction(start, t_s)
    low, high = 1000.0, 2000.0
    for _ in range(20):
        middle = (low + high) / 2
        orbit = dawn_dusk(start, middle, ltan_h=ltan_h).orbit(0, 0)
        dark = np.min(np.abs(beta_deg(orbit.plane_normal(t_s), sun_unit))) < critical_beta_deg(middle)
        low, high = (middle, high) if dark else (low, middle)
    assert low == pytest.approx(1391, abs=1)


def test_suns_disc_makes_50_km_of_that_altitude() -> None:
    # 0.265 deg of the Sun's radius; beta and the critical beta close by 5.4e-3 deg a km.
    assert darkest(1391 + 60) == []
    assert {one.umbra_start_s for one in darkest(1391 + 40)} == {None}
    assert {one.umbra_start_s for one in darkest(1391 - 40)} == {None}
    assert any(one.umbra_start_s for one in darkest(1391 - 60))


@pytest.mark.parametrize("altitude_km", [400.0, 1350.0])
def test_dawn_dusk_betas_are_lowest_at_a_solstice(altitude_km: float) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    orbit, t_s = dawn_dusk(start, altitude_km).orbit(0, 0), np.arange(0, 366 * 86400, 86400.0)
    beta = beta_deg(orbit.plane_normal(t_s), sun_direction(start, t_s))
    lowest = int(np.argmin(np.abs(beta)))
    assert min(abs(lowest - 171), abs(lowest - 354)) < 12
    assert abs(beta[lowest]) == pytest.approx(180 - orbit.inclination_deg - 23.44, abs=0.5)


def test_eclipses_that_reach_beyond_the_window_are_given_whole() -> None:
    orbit, epoch = CircularOrbit(550, 53, 40, 15), datetime(2026, 8, 17, 21, 15, tzinfo=UTC)
    every = eclipses(orbit, epoch, -20000.0, 20000.0)[1:-1]
    one = every[len(every) // 2]
    middle = (one.penumbra_start_s + one.penumbra_end_s) / 2
    (found,) = whole_eclipses(orbit, epoch, middle - 1, middle + 1)
    assert (found.penumbra_start_s, found.penumbra_end_s) == pytest.approx(
        (one.penumbra_start_s, one.penumbra_end_s), abs=1e-5
    )
    with pytest.raises(ValueError, match="is empty or not finite"):
        whole_eclipses(orbit, epoch, 5.0, 5.0)
