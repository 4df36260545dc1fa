"""Laser links: geometry, limits, terminals, acquisition, outages."""

import math

import numpy as np
import pytest

from ascnode.mesh.lasers import LaserMesh
from ascnode.mesh.links import LinkRules, capped, lengths_km, nearest_pairs
from ascnode.mesh.outages import Outage, Outages
from ascnode.mesh.topology import Layout, laser_mesh
from ascnode.sky.shells import Shell
from mesh.tools import EARTH_RADIUS_KM, EPOCH, least_distance_km, shells

STARLINK = shells(Shell(550, 53, 72, 22, 39))


def on_circle(*angles_deg: float, radius_km: float = 7000.0) -> np.ndarray:
    angle = np.radians(angles_deg)
    return radius_km * np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=-1)


def pairs(*each: tuple[int, int]) -> np.ndarray:
    return np.array(each, dtype=np.int64).reshape(-1, 2)


def two(rules: LinkRules, outages: Outages | None = None) -> LaserMesh:
    return LaserMesh(2, rules, pairs((0, 1)), outages=outages or Outages())


def test_length_and_least_distance_agree_with_walking_along_the_segment() -> None:
    rng = np.random.default_rng(5)
    places = rng.normal(size=(60, 3))
    places *= rng.uniform(6400, 9000, size=(60, 1)) / np.linalg.norm(places, axis=1, keepdims=True)
    ends = np.arange(60).reshape(-1, 2)
    length_km, closest_km = lengths_km(places, ends)
    for (a, b), km, closest in zip(ends, length_km, closest_km, strict=True):
        assert km == pytest.approx(math.dist(places[a], places[b]), rel=1e-12)
        assert closest == pytest.approx(least_distance_km(places[a], places[b]), abs=0.01)


def test_longest_link_at_one_altitude_is_the_chord_that_grazes() -> None:
    # 2 sqrt((R + h)^2 - (R + 80)^2): 5,016.6 km at 550 km for a radius of 6,378.135 km, as Hypatia has it.
    radius_km = EARTH_RADIUS_KM + 550
    chord_km = 2 * math.sqrt(radius_km**2 - (EARTH_RADIUS_KM + 80) ** 2)
    assert chord_km == pytest.approx(5016.6, abs=0.1)
    half_deg = math.degrees(math.asin(chord_km / 2 / radius_km))
    for slack, count in ((-1e-6, 1), (1e-6, 0)):
        places = on_circle(-half_deg - slack, half_deg + slack, radius_km=radius_km)
        links = two(LinkRules()).step(0.0, places)
        assert (len(links.pairs), links.down["grazing"]) == (count, 1 - count)


def test_range_is_kept_and_named_first() -> None:
    near, far = on_circle(0, 10), on_circle(0, 170)
    apart_km = math.dist(*near)
    assert len(two(LinkRules(max_range_km=apart_km + 1e-9)).step(0.0, near).pairs) == 1
    assert two(LinkRules(max_range_km=apart_km - 1e-6)).step(0.0, near).down["range"] == 1
    assert two(LinkRules(max_range_km=5000)).step(0.0, far).down == {
        "range": 1,
        "grazing": 0,
        "outage": 0,
        "acquiring": 0,
    }


def test_link_carries_data_twelve_seconds_after_it_forms_again() -> None:
    mesh = two(LinkRules())
    near, far = on_circle(0, 10), on_circle(0, 170)
    up = [len(mesh.step(t_s, far if 20 <= t_s < 30 else near).pairs) for t_s in range(0, 60)]
    assert up == [t_s < 20 or t_s >= 42 for t_s in range(0, 60)]


def test_link_that_breaks_while_it_is_acquired_starts_anew() -> None:
    mesh = two(LinkRules(acquisition_s=5))
    near, far = on_circle(0, 10), on_circle(0, 170)
    apart = {0, 1, 5}
    up = [len(mesh.step(t_s, far if t_s in apart else near).pairs) for t_s in range(0, 14)]
    assert up == [t_s >= 11 for t_s in range(0, 14)]


def test_time_does_not_run_back() -> None:
    mesh = two(LinkRules())
    mesh.step(10.0, on_circle(0, 10))
    with pytest.raises(ValueError, match=r"the mesh is at 10\.0 s: it does not go back to 9\.0 s"):
        mesh.step(9.0, on_circle(0, 10))


def test_decayed_satellite_has_no_links() -> None:
    places = on_circle(0, 10, 20)
    places[1] = np.nan
    for mesh in (
        LaserMesh(3, LinkRules(), pairs((0, 1), (1, 2))),
        LaserMesh(3, LinkRules(), pairs(), fill=True),
    ):
        linked = mesh.step(0.0, places).pairs
        assert 1 not in linked


def test_scheduled_outages_take_a_link_or_all_of_a_satellite() -> None:
    outages = Outages([Outage(10, 20, 1, 0), Outage(30, 40, 2)])
    mesh = LaserMesh(3, LinkRules(acquisition_s=0), pairs((0, 1), (1, 2)), outages=outages)
    up = {t_s: mesh.step(t_s, on_circle(0, 10, 20)).pairs.tolist() for t_s in (9, 10, 19.9, 20, 30, 40)}
    assert up == {
        9: [[0, 1], [1, 2]],
        10: [[1, 2]],
        19.9: [[1, 2]],
        20: [[0, 1], [1, 2]],
        30: [[0, 1]],
        40: [[0, 1], [1, 2]],
    }


def test_random_outages_take_their_share_and_depend_on_seed_period_and_pair_only() -> None:
    some = pairs(*((a, a + 1 + a % 7) for a in range(20000)))
    outages = Outages(random_share=0.2, period_s=60, seed=9)
    hit = outages.hit(0.0, some)
    assert float(np.mean(hit)) == pytest.approx(0.2, abs=0.01)
    assert np.array_equal(outages.hit(59.9, some), hit)
    assert np.array_equal(outages.hit(0.0, some[::-1])[::-1], hit)
    for other in (outages.hit(60.0, some), Outages(random_share=0.2, seed=10).hit(0.0, some)):
        assert float(np.mean(other & hit)) == pytest.approx(0.04, abs=0.006)  # independent


def test_terminals_are_granted_in_order_and_never_exceeded() -> None:
    wanted = pairs((0, 1), (0, 2), (0, 3), (1, 2), (2, 3))
    assert capped(wanted, np.array([2, 2, 2, 2])).tolist() == [[0, 1], [0, 2], [1, 2]]
    assert capped(wanted, np.zeros(4, dtype=np.int64)).tolist() == []


@pytest.mark.parametrize("terminals", [1, 2, 3, 4])
def test_grid_with_fewer_terminals_keeps_links_within_planes_first(terminals: int) -> None:
    links = laser_mesh(STARLINK, LinkRules(terminals=terminals)).step(0.0, STARLINK.positions_km(EPOCH, 0.0))
    degree = np.bincount(links.pairs.ravel(), minlength=1584)
    assert degree.max() == terminals
    within = links.pairs[:, 0] // 22 == links.pairs[:, 1] // 22
    assert np.count_nonzero(within) == (792 if terminals == 1 else 1584)


def test_nearest_neighbours_are_those_of_a_greedy_choice_over_all_pairs() -> None:
    rng = np.random.default_rng(2)
    places = rng.normal(size=(60, 3))
    places *= 7000 / np.linalg.norm(places, axis=1, keepdims=True)
    rules, free = LinkRules(max_range_km=4000), np.full(60, 3)
    every = [
        (math.dist(places[a], places[b]), a, b)
        for a in range(60)
        for b in range(a + 1, 60)
        if math.dist(places[a], places[b]) <= 4000
        and least_distance_km(places[a], places[b], 301) >= EARTH_RADIUS_KM + 80
    ]
    room, expected = free.copy(), []
    for _, a, b in sorted(every):
        if room[a] and room[b]:
            room[a] -= 1
            room[b] -= 1
            expected.append([a, b])
    assert nearest_pairs(places, free, rules).tolist() == expected


def test_filled_links_stay_while_they_may_and_terminals_are_kept() -> None:
    mesh = laser_mesh(STARLINK, LinkRules(terminals=5), Layout.BOTH)
    first = mesh.step(0.0, STARLINK.positions_km(EPOCH, 0.0))
    later = mesh.step(60.0, STARLINK.positions_km(EPOCH, 60.0))
    assert np.bincount(later.pairs.ravel()).max() == 5
    assert len({*map(tuple, first.pairs.tolist())} - {*map(tuple, later.pairs.tolist())}) == 0
    assert len({*map(tuple, first.pairs.tolist())}) == len(first.pairs) > 3168


def test_same_seed_same_links() -> None:
    def run() -> list[bytes]:
        mesh = laser_mesh(STARLINK, layout=Layout.NEAREST, outages=Outages(random_share=0.1, seed=4))
        return [
            mesh.step(t_s, STARLINK.positions_km(EPOCH, t_s)).pairs.tobytes() for t_s in (0.0, 70.0, 140.0)
        ]

    assert run() == run()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"max_range_km": 0}, "max_range_km is 0: a link has a length"),
        ({"max_range_km": math.nan}, "max_range_km is nan"),
        ({"grazing_altitude_km": math.inf}, "grazing_altitude_km is inf: it is a finite altitude"),
        ({"terminals": -1}, "terminals is -1: it is 0 or more"),
        ({"acquisition_s": -1}, "acquisition_s is -1: it is 0 or more"),
    ],
)
def test_limits_that_make_no_sense_are_refused(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LinkRules(**wrong)


def test_outages_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="an outage from 5 s to 5 s is empty"):
        Outage(5, 5, 0)
    with pytest.raises(ValueError, match="random_share is 2: it lies between 0 and 1"):
        Outages(random_share=2)
    with pytest.raises(ValueError, match="period_s is 0: it is above 0"):
        Outages(period_s=0)
