"""The geostationary arc against brute force and closed forms."""

import math

import numpy as np
import pytest

from ascnode.mesh.geostationary import GEOSTATIONARY_RADIUS_KM, Arc, clear_of_arc
from ascnode.sky.places import Site
from ascnode.sky.stations import earth_fixed


def seen_from(latitude_deg: float, longitude_deg: float = 0.0) -> tuple[np.ndarray, np.ndarray, Arc]:
    position_km, up = earth_fixed([Site("site", latitude_deg, longitude_deg)])
    return position_km[0], up[0], Arc.seen_from(position_km[0], up[0])


def directions(count: int, seed: int = 1) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def brute_force_deg(
    position_km: np.ndarray, up: np.ndarray, sight: np.ndarray, points: int = 100_000
) -> float:
    """Least angle to the points of the arc that are above the horizon, one by one."""
    longitude = np.linspace(-math.pi, math.pi, points, endpoint=False)
    ring = GEOSTATIONARY_RADIUS_KM * np.stack([np.cos(longitude), np.sin(longitude), 0 * longitude], axis=-1)
    towards = ring - position_km
    towards = towards[towards @ up >= 0]
    across = np.linalg.norm(np.cross(towards, sight), axis=1)
    return float(np.degrees(np.min(np.arctan2(across, towards @ sight), initial=math.pi)))


def test_radius_is_keplers_for_a_sidereal_day() -> None:
    assert (
        pytest.approx((398600.4418 * (86164.0905 / 2 / math.pi) ** 2) ** (1 / 3), abs=0.01)
        == GEOSTATIONARY_RADIUS_KM
    )


@pytest.mark.parametrize("latitude_deg", [0.0, 25.0, -41.0, 53.0, 70.0])
def test_angles_agree_with_brute_force(latitude_deg: float) -> None:
    position_km, up, arc = seen_from(latitude_deg, 33.0)
    sights = directions(24)
    expected = [brute_force_deg(position_km, up, sight) for sight in sights]
    far = np.array(expected) > 10
    assert np.count_nonzero(far) > 15
    assert arc.angle_deg(sights)[far] == pytest.approx(
        np.array(expected)[far], abs=4e-3
    )  # its own points are 0.0036 deg apart
    clear = clear_of_arc(arc, sights, 22.0)
    certain = np.abs(np.array(expected) - 22.0) > 0.01
    assert np.array_equal(clear[certain], (np.array(expected) >= 22.0)[certain])


def test_arc_is_overhead_at_the_equator_and_low_in_the_south_at_53_deg() -> None:
    _, up, arc = seen_from(0.0)
    assert arc.angle_deg(up[np.newaxis])[0] == pytest.approx(0.0, abs=0.15)
    _, up, arc = seen_from(53.0)
    highest_deg = math.degrees(math.asin(max(arc.towards @ up)))
    # Elevation of a geostationary satellite due south, on a sphere: atan((cos l - R/r) / sin l).
    sphere = math.degrees(
        math.atan(
            (math.cos(math.radians(53)) - 6378.137 / GEOSTATIONARY_RADIUS_KM) / math.sin(math.radians(53))
        )
    )
    assert highest_deg == pytest.approx(sphere, abs=0.2)


def test_no_arc_is_in_view_near_a_pole() -> None:
    _, up, arc = seen_from(85.0)
    assert len(arc.towards) == 0
    assert arc.angle_deg(up[np.newaxis]).tolist() == [180.0]
    assert clear_of_arc(arc, directions(5), 22.0).all()
