"""Each policy chooses what its name says, and never what cannot be reached."""

import numpy as np
import pytest

from ascnode.scenario.placement import Known, Placement
from ascnode.scenario.tables.policy import PLACEMENTS, Policy

N = 4
NEAR_TO_FAR = np.array([100.0, 200.0, 300.0, 400.0])


def known(**changes: object) -> Known:
    values: dict[str, object] = {
        "usable": np.ones(N, dtype=np.bool_),
        "battery": np.ones(N),
        "heat": np.ones(N),
        "jobs": np.zeros(N, dtype=np.int64),
        "queue_kc": np.zeros(N),
        "clock_khz": 100_000.0,
        "job_kc": 100_000.0,
        "job_battery": 0.001,
    }
    return Known(**{**values, **changes})  # type: ignore[arg-type]


def choose(name: str, nodes: Known, route_km: object = NEAR_TO_FAR) -> int:
    return Placement(Policy(placement=name), 1).choose(nodes, np.array(route_km))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", PLACEMENTS)
def test_none_goes_where_there_is_no_route_or_no_node(name: str) -> None:
    assert choose(name, known(), [np.inf] * N) == -1
    only = known(usable=np.array([False, False, True, True]))
    for _ in range(20):
        assert choose(name, only, [1.0, 2.0, 3.0, np.inf]) == 2


def test_nearest_is_by_route_whatever_the_queue() -> None:
    assert choose("nearest", known(jobs=np.array([16, 0, 0, 0]))) == 0


def test_least_queue_spreads_over_all_and_takes_the_nearer_of_equals() -> None:
    nodes, placement = known(), Placement(Policy(placement="least-queue"), 1)
    assert [placement.choose(nodes, NEAR_TO_FAR) for _ in range(8)] == [0, 1, 2, 3, 0, 1, 2, 3]


def test_random_reaches_all_and_follows_its_seed() -> None:
    def drawn(seed: int) -> list[int]:
        placement, nodes = Placement(Policy(placement="random"), seed), known()
        return [placement.choose(nodes, NEAR_TO_FAR) for _ in range(60)]

    assert set(drawn(1)) == set(range(N))
    assert drawn(1) == drawn(1) != drawn(2)


@pytest.mark.parametrize(
    "short",
    [
        {"battery": np.array([0.05, 1, 1, 1])},
        {"heat": np.array([0.05, 1, 1, 1])},
        {"jobs": np.array([15, 0, 0, 0])},
        {"queue_kc": np.array([500_000.0, 0, 0, 0])},
    ],
)
def test_headroom_passes_by_the_nearest_that_is_short_of_something(short: dict[str, object]) -> None:
    assert choose("headroom", known()) == 0
    assert choose("headroom", known(**short)) == 1


def test_headroom_finds_the_least_bad_when_all_are_exhausted() -> None:
    assert choose("headroom", known(battery=np.zeros(N), heat=np.array([0.0, 0.0, 0.5, 0.0]))) == 2
