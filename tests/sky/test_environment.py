"""What the plant sees, against Basilisk's eclipses and sampling at every second."""

from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest

from ascnode.sky.environment import EnvironmentEvent, environment, environment_events
from ascnode.sky.orbit import CircularOrbit

EQUINOX = datetime(2024, 3, 20, 3, 6, tzinfo=UTC)
NOON = CircularOrbit(550, 90, 0, 0)  # starts below the Sun of the equinox, beta 0


def held(events: list[EnvironmentEvent], t_s: np.ndarray) -> np.ndarray:
    """The four integers that are in force at each time."""
    latest = np.searchsorted([event.t_s for event in events], t_s, side="right") - 1
    return np.array([event[1:] for event in events])[latest]


def test_mean_illumination_of_three_orbits_agrees_with_basilisk() -> None:
    t_s = np.arange(0, 3 * NOON.period_s, 1.0)
    dark = 1 - environment(NOON, EQUINOX, t_s).illumination
    assert float(np.mean(dark)) == pytest.approx(0.37232, abs=1e-4)


def test_albedo_follows_the_angle_to_the_subsolar_point() -> None:
    quarter_s = NOON.period_s / 4
    seen = environment(NOON, EQUINOX, [0, quarter_s / 2, quarter_s, 2 * quarter_s, 3.5 * quarter_s])
    assert seen.albedo == pytest.approx([1, 0.7071, 0, 0, 0.7071], abs=1e-3)
    assert seen.in_1024()[:, 3].tolist() == pytest.approx([1024, 724, 0, 0, 724], abs=1)


@pytest.mark.parametrize(
    ("face", "noon", "dusk", "midnight"),
    [
        ("sun", 1, 1, 1),
        ("antisun", 0, 0, 0),
        ("edge", 0, 0, 0),
        ("zenith", 1, 0, 0),
        ("nadir", 0, 0, 1),
    ],
)
def test_radiator_cosine_is_the_geometry_of_its_face(face: str, noon: int, dusk: int, midnight: int) -> None:
    quarter_s = NOON.period_s / 4
    seen = environment(NOON, EQUINOX, [0, quarter_s, 2 * quarter_s], face)  # type: ignore[arg-type]
    assert seen.cos_radiator == pytest.approx([noon, dusk, midnight], abs=1e-3)
    assert seen.cos_array.tolist() == [1, 1, 1]
    assert seen.illumination.tolist() == [1, 1, 0]


def test_fractions_round_to_the_nearest_1024th() -> None:
    seen = environment(NOON, EQUINOX, np.arange(0, 5700, 7.0), "nadir")
    exact = np.stack([seen.illumination, seen.cos_array, seen.cos_radiator, seen.albedo], axis=-1)
    assert np.max(np.abs(seen.in_1024() / 1024 - exact)) <= 0.5 / 1024
    assert seen.in_1024().dtype == np.int64


@pytest.mark.parametrize("face", ["sun", "nadir"])
def test_events_hold_the_values_at_every_interval_and_every_second_of_penumbra(face: str) -> None:
    orbit, start_s, end_s = CircularOrbit(550, 53, 40, 15), 100.0, 11000.0
    events = environment_events(orbit, EQUINOX, start_s, end_s, 20, face)  # type: ignore[arg-type]
    every_second = np.arange(start_s, end_s + 1)
    seen = environment(orbit, EQUINOX, every_second, face)  # type: ignore[arg-type]
    in_force, exact = held(events, every_second), seen.in_1024()
    coarse = (every_second - start_s) % 20 == 0
    penumbra = (seen.illumination > 0) & (seen.illumination < 1)
    assert np.count_nonzero(penumbra) > 30
    assert np.array_equal(in_force[coarse | penumbra], exact[coarse | penumbra])
    assert np.array_equal(in_force[:, 0], exact[:, 0])  # illumination is never late
    assert np.max(np.abs(in_force - exact)[:, 3]) <= 1024 * 20 * 1.1e-3 + 1


def test_events_are_changes_only_beginning_with_the_start() -> None:
    events = environment_events(NOON, EQUINOX, 50, 6000, 10)
    assert events[0].t_s == 50
    assert all(a.t_s < b.t_s and a[1:] != b[1:] for a, b in pairwise(events))
    assert all(type(value) is int and 0 <= value <= 1024 for event in events for value in event[1:])


def test_long_interval_still_sees_the_whole_penumbra() -> None:
    events = environment_events(NOON, EQUINOX, 0, NOON.period_s, 1e6)
    falling = [event.illumination_1024 for event in events]
    assert len(falling) == pytest.approx(19, abs=2)  # 8.5 s each side, and the first
    assert falling[0] == falling[-1] == 1024
    assert falling[1:9] == sorted(falling[1:9], reverse=True)
    assert 0 in falling


def test_events_of_a_window_inside_the_penumbra_stay_inside() -> None:
    whole = environment_events(NOON, EQUINOX, 0, NOON.period_s, 1e6)
    within = next(event for event in whole if 0 < event.illumination_1024 < 600)
    events = environment_events(NOON, EQUINOX, within.t_s, within.t_s + 2.5, 60)
    assert events[0] == within
    assert [event.t_s - within.t_s for event in events] == [0, 1, 2]


@pytest.mark.parametrize("interval_s", [0, -5])
def test_interval_that_is_not_positive_is_refused(interval_s: float) -> None:
    with pytest.raises(ValueError, match=f"interval_s is {interval_s}: it is a positive number"):
        environment_events(NOON, EQUINOX, 0, 60, interval_s)


def test_inverted_interval_is_refused() -> None:
    with pytest.raises(ValueError, match="the interval from 60 s to 0 s is empty"):
        environment_events(NOON, EQUINOX, 60, 0, 10)


def test_unknown_face_is_refused() -> None:
    with pytest.raises(ValueError, match="radiator_face is 'up': it is sun, antisun, edge, zenith or nadir"):
        environment(NOON, EQUINOX, 0.0, "up")  # type: ignore[arg-type]
