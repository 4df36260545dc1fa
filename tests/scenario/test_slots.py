"""The network of a slot, against scipy's routes and against the positions of every instant."""

from datetime import UTC, datetime

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import shortest_path

from ascnode.errors import ScenarioError
from ascnode.mesh.assignment import NONE
from ascnode.mesh.lasers import LaserMesh
from ascnode.mesh.topology import laser_mesh
from ascnode.scenario.outages import Out, Schedule
from ascnode.scenario.scenario import Scenario
from ascnode.scenario.slot import Slot
from ascnode.scenario.slots import SlotMaker, bounds_us, gateways_of, users_of
from ascnode.scenario.tables.ground import Gateways, Lasers, Users
from ascnode.scenario.tables.policy import Fault
from ascnode.scenario.tables.space import ConstellationTable, ShellTable
from ascnode.sky.constants import SPEED_OF_LIGHT_KM_S

SCENARIO = Scenario(
    constellation=ConstellationTable(shells=(ShellTable(planes=24, per_plane=20, phasing=11),)),
    users=Users(cities=30),
    gateways=Gateways(sites=20),
    lasers=Lasers(hop_us=0),
)
START_US, END_US = 12_000_000, 27_000_000


def maker(scenario: Scenario = SCENARIO, *faults: Fault) -> SlotMaker:
    gateways = gateways_of(scenario)
    names = [gateway.name for gateway in gateways]
    schedule = Schedule(faults, scenario.space.count, names, 1000.0, scenario.seed)
    return SlotMaker(scenario, users_of(scenario), gateways, schedule)


@pytest.fixture(scope="module")
def slot() -> Slot:
    return maker().make(START_US, END_US, Out(), also=[7])


def lasers() -> LaserMesh:
    return laser_mesh(SCENARIO.space.satellites)


@pytest.mark.parametrize(
    ("second", "edges_s"),
    [(0, [0, 12, 27, 42]), (12, [0, 15, 30, 42]), (58, [0, 14, 29, 42]), (41, [0, 1, 16, 31, 42])],
)
def test_slots_start_at_12_27_42_and_57_past_the_minute(second: int, edges_s: list[int]) -> None:
    bounds = bounds_us(datetime(2026, 3, 20, 12, 0, second, tzinfo=UTC), 42)
    assert [start // 1_000_000 for start, _ in bounds] == edges_s[:-1]
    assert [end // 1_000_000 for _, end in bounds] == edges_s[1:]


def test_routes_are_as_short_as_scipys(slot: Slot) -> None:
    links = lasers().step(12.0, SCENARIO.space.satellites.positions_km(SCENARIO.epoch, 12.0))
    ends = links.pairs.T
    count = SCENARIO.space.count
    graph = coo_array((links.length_km, (ends[0], ends[1])), shape=(count, count)).tocsr()
    lanes = list(slot.lanes)
    expected = shortest_path(graph, directed=False, indices=lanes)
    got = np.array([slot.lane_km(lane) for lane in lanes])
    assert got == pytest.approx(expected, abs=1e-6)


def test_a_path_goes_over_lasers_and_is_as_long_as_its_route_says_both_ways(slot: Slot) -> None:
    here = slot.satellite_km[0]
    for start in range(0, SCENARIO.space.count, 17):
        path = slot.path(start, 7)
        assert (path[0], path[-1]) == (start, 7)
        steps = np.linalg.norm(np.diff(here[path], axis=0), axis=1)
        assert steps.sum() == pytest.approx(slot.lane_km(7)[start], abs=1e-6)
        assert slot.path(7, start) == path[::-1]


@pytest.mark.parametrize("time_us", [START_US, START_US + 7_499_999, END_US])
def test_light_times_are_those_of_the_instant_to_two_microseconds(slot: Slot, time_us: int) -> None:
    now = SCENARIO.space.satellites.positions_km(SCENARIO.epoch, time_us / 1e6)
    for a, b in ((0, 1), (5, 200)):
        light_us = np.linalg.norm(now[a] - now[b]) / SPEED_OF_LIGHT_KM_S * 1e6
        assert slot.hop_us(a, b, time_us) == pytest.approx(light_us, abs=2.0)


def test_a_satellite_that_is_out_serves_nobody_and_is_on_no_route() -> None:
    whole = maker().make(START_US, END_US, Out())
    busy = int(whole.serving[whole.serving != NONE][0])
    without = maker().make(START_US, END_US, Out(away=frozenset({busy})))
    assert busy not in without.serving
    other = next(iter(without.lanes))
    assert without.path(busy, other) == []
    assert np.isinf(without.lane_km(other)[busy])
    assert busy not in {hop for start in range(0, 480, 7) for hop in without.path(start, other)}


def test_a_gateway_that_is_out_takes_nothing() -> None:
    whole = maker().make(START_US, END_US, Out())
    used = {int(gateway) for gateway in whole.gateway if gateway != NONE}
    assert used
    without = maker().make(START_US, END_US, Out(gateways=frozenset(used)))
    assert not used & set(without.gateway.tolist())


def test_a_link_that_is_out_is_passed_by() -> None:
    whole = maker().make(START_US, END_US, Out(), also=[7])
    far = int(np.argmax(whole.lane_km(7)))
    a, b = whole.path(far, 7)[:2]
    fault = Fault(kind="link", at_s=0, for_s=60, satellite=a, other=b)
    without = maker(SCENARIO, fault).make(START_US, END_US, Out(), also=[7])
    assert (a, b) not in set(zip(without.path(far, 7), without.path(far, 7)[1:], strict=False))
    assert without.links == whole.links - 1


def test_an_exit_is_the_nearest_satellite_that_serves_and_one_with_a_gateway_where_that_is_asked(
    slot: Slot,
) -> None:
    for satellite in (3, 100, 333):
        served = sorted({int(one) for one in slot.serving if one != NONE})
        nearest = min(served, key=lambda lane: slot.lane_km(lane)[satellite])
        assert slot.exit_of(satellite, to_gateway=False) == nearest
        with_gateway = [lane for lane in served if slot.gateway[lane] != NONE]
        assert slot.exit_of(satellite, to_gateway=True) in with_gateway


# --- faults as a schedule


def test_faults_at_a_time_hold_from_then_to_their_end_and_failures_for_ever() -> None:
    faults = (
        Fault(kind="outage", at_s=10, for_s=5, satellite=3),
        Fault(kind="failure", at_s=12, satellite=4),
        Fault(kind="gateway", at_s=0, for_s=1, gateway="Lima"),
    )
    schedule = Schedule(faults, 10, ["Oslo", "Lima"], 1000.0, 1)
    assert schedule.at(9.9).satellites == frozenset()
    assert (schedule.at(12.0).away, schedule.at(12.0).failed) == ({3}, {4})
    assert schedule.at(15.0).satellites == {4}
    assert schedule.at(1e9).failed == {4}
    assert [schedule.at(t).gateways for t in (0.5, 1.0)] == [{1}, frozenset()]


def test_faults_at_a_rate_come_as_often_as_the_rate_says_and_by_the_seed() -> None:
    fault = Fault(kind="manoeuvre", rate_per_day=2.0, for_s=600)
    spells = Schedule((fault,), 1000, [], 86_400.0, 5).spells
    assert len(spells) == pytest.approx(2000, abs=4 * 2000**0.5)
    assert len({spell.what for spell in spells}) > 700
    assert spells == Schedule((fault,), 1000, [], 86_400.0, 5).spells
    assert spells != Schedule((fault,), 1000, [], 86_400.0, 6).spells


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (Fault(kind="outage", at_s=0, satellite=10), "fault.0.satellite: 10 is not among 10"),
        (Fault(kind="link", at_s=0, satellite=1, other=99), "fault.0.satellite: 99"),
        (Fault(kind="gateway", at_s=0, gateway="Nowhere"), "fault.0.gateway: 'Nowhere'"),
        (Fault(kind="link", rate_per_day=1.0), "lasers.outage_share"),
    ],
)
def test_a_fault_of_what_is_not_there_is_named(fault: Fault, says: str) -> None:
    with pytest.raises(ScenarioError, match=says):
        Schedule((fault,), 10, ["Lima"], 100.0, 1)
