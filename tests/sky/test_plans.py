"""The plans that are sent to a satellite."""

from datetime import UTC, datetime

import numpy as np
import pytest

from ascnode.sky.cities import load_cities
from ascnode.sky.eclipse import illumination
from ascnode.sky.orbit import CircularOrbit
from ascnode.sky.passes import elevation_deg
from ascnode.sky.plans import contact_plan, eclipse_plan, merged
from ascnode.sky.sun import sun_direction

EPOCH = datetime(2026, 3, 20, tzinfo=UTC)
ORBIT = CircularOrbit(550, 53, 40, 15)


def inside(plan: list[tuple[float, float]], t_s: np.ndarray) -> np.ndarray:
    return np.any([(t_s > start_s) & (t_s < end_s) for start_s, end_s in plan], axis=0)


def test_windows_that_overlap_or_touch_become_one() -> None:
    windows = [(50.0, 60.0), (1.0, 9.0), (2.0, 3.0), (9.0, 12.0), (55.0, 61.5), (12.5, 13.0)]
    assert merged(windows) == [(1, 12), (12.5, 13), (50, 61.5)]
    assert merged([]) == []


def test_eclipse_plan_covers_all_that_is_not_full_sun() -> None:
    t_s = np.arange(0.25, 12000, 0.5)
    plan = eclipse_plan(ORBIT, EPOCH, 0, 12000)
    lit = illumination(ORBIT.position_km(t_s), sun_direction(EPOCH, t_s))
    assert len(plan) in (2, 3)
    assert np.array_equal(inside(plan, t_s), lit < 1)


def test_contact_plan_covers_all_that_any_city_sees() -> None:
    t_s = np.arange(0.25, 5700, 0.5)
    plan = contact_plan(ORBIT, load_cities(), EPOCH, 0, 5700)
    highest_deg = np.max([elevation_deg(ORBIT, city, EPOCH, t_s) for city in load_cities()], axis=0)
    assert len(plan) > 2
    assert np.array_equal(inside(plan, t_s), highest_deg > 25)


def test_contact_plan_shrinks_with_the_elevation() -> None:
    seconds = [
        sum(end_s - start_s for start_s, end_s in contact_plan(ORBIT, load_cities(), EPOCH, 0, 5700, minimum))
        for minimum in (10.0, 25.0, 50.0)
    ]
    assert seconds[0] > seconds[1] > seconds[2] > 0


@pytest.mark.parametrize("start_s", [5700, 5701])
def test_inverted_interval_is_refused(start_s: float) -> None:
    with pytest.raises(ValueError, match="is empty or not finite"):
        eclipse_plan(ORBIT, EPOCH, start_s, 5700)
    with pytest.raises(ValueError, match="is empty or not finite"):
        contact_plan(ORBIT, load_cities(), EPOCH, start_s, 5700)
