"""Lives of satellites: the rates that were asked for, the same events however time is cut, upsets over the Atlantic."""

from collections import Counter

import numpy as np
import pytest

from ascnode.scenario.hardware import Hardware
from ascnode.sky.constellation import Constellation
from ascnode.sky.shells import Shell
from ascnode.twin.fleet.ageing import Ageing, Wear
from ascnode.twin.fleet.classes import Coating, NodeClass
from ascnode.twin.fleet.fleet import Fleet
from ascnode.twin.fleet.lifecycle import DAY_S, YEAR_S, Event, Lifecycle, Rates
from ascnode.twin.fleet.philox import exponential, philox
from ascnode.twin.fleet.radiation import INSIDE, OUTSIDE, Upsets, in_anomaly, upset_factor
from twin.nodes import EPOCH

SHELL = Constellation("starlink-like", (Shell(550.0, 53.0, 72, 22, 39),))
RATES = Rates(failures_per_year=0.1, life_years=2.0, replacement_days=20.0, manoeuvres_per_year=40.0)


KINDS = {"failure", "de-orbit", "replacement", "manoeuvre"}


def new_fleet() -> Fleet:
    return Fleet.of(SHELL, EPOCH, [NodeClass(worn=Coating(0.15, 0.82))])


def live(
    days: float, step_days: float, seed: int = 1, steady: bool = False, rates: Rates = RATES
) -> tuple[Lifecycle, list[Event]]:
    """A lifecycle whose fleet only keeps time."""
    fleet = new_fleet()
    life = Lifecycle(fleet, rates, seed, steady)
    events: list[Event] = []
    for step in range(round(days / step_days)):
        fleet.now_s = (step + 1) * step_days * DAY_S
        events += life.advance()
    return life, events


# Random123 1.14, kat_vectors: philox4x32, 10 rounds.
@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_philox_gives_its_authors_known_answers(
    counter: tuple[int, ...], key: tuple[int, int], expected: tuple[int, ...]
) -> None:
    assert tuple(int(word) for word in philox(counter, key)) == expected


def test_exponential_draws_have_mean_and_spread_of_one() -> None:
    draws = exponential(7, 1, np.arange(100_000), 3)
    assert draws.min() > 0
    assert draws.mean() == pytest.approx(1, abs=0.01) and draws.std() == pytest.approx(1, abs=0.02)


def test_events_are_the_same_however_time_is_cut_into_steps() -> None:
    short = Rates(failures_per_year=0.5, life_years=0.4, replacement_days=20, manoeuvres_per_year=10)
    cuts = [live(300, step_days, rates=short) for step_days in (300, 50, 12.5, 4)]
    assert len(cuts[0][1]) > 10_000 and {event.kind for event in cuts[0][1]} == KINDS
    for life, events in cuts[1:]:
        assert sorted(events) == cuts[0][1]
        assert life.generation.tolist() == cuts[0][0].generation.tolist()


def test_another_seed_gives_other_events() -> None:
    assert live(30, 30, seed=1)[1] == live(30, 30, seed=1)[1] != live(30, 30, seed=2)[1]


def test_events_happen_as_often_as_asked() -> None:
    _, events = live(700, 70)
    counts = Counter(event.kind for event in events)
    years = SHELL.count * 700 / 365.25
    assert counts["failure"] == pytest.approx(0.1 * years, rel=0.15)
    assert counts["manoeuvre"] == pytest.approx(40 * years, rel=0.02)
    assert counts["de-orbit"] == 0  # nobody is two years old yet


def test_satellites_leave_at_the_end_of_their_life_and_successors_come() -> None:
    life, events = live(800, 5)
    left = [event for event in events if event.kind == "de-orbit"]
    assert len(left) == pytest.approx(SHELL.count * np.exp(-0.2), rel=0.05)
    assert min(event.t_s for event in left) == pytest.approx(2 * YEAR_S)
    back = {event.satellite: event.t_s for event in events if event.kind == "replacement"}
    assert back[left[0].satellite] == pytest.approx(left[0].t_s + 20 * DAY_S)
    assert life.up.mean() > 0.95


def test_a_constellation_that_has_long_been_up_holds_all_ages() -> None:
    life, _ = live(1, 1, steady=True)
    assert np.histogram(life.age_years, bins=4, range=(0, 2))[0].min() > 0.15 * SHELL.count


def test_manoeuvres_take_a_node_out_for_minutes_and_give_it_back() -> None:
    fleet = new_fleet()
    rates = Rates(failures_per_year=0, life_years=50, manoeuvres_per_year=8000, manoeuvre_minutes=10)
    life = Lifecycle(fleet, rates, 1)
    fleet.state.demand_kc_s[:] = 30_000
    out_min = np.zeros(len(fleet))
    for _ in range(180):
        fleet.step(60.0)
        life.advance()
        assert np.all((fleet.state.hold == 2) == ~life.in_service)
        out_min += ~life.in_service
    assert out_min.mean() == pytest.approx(
        24.6, rel=0.03
    )  # 180 (1 - exp(-8000 / yr * 10 min)), less at the start
    fleet.step(60.0)
    assert set(fleet.mode[~life.in_service].tolist()) == {0}


def test_a_failed_satellite_works_no_more_until_its_successor_does() -> None:
    fleet = new_fleet()
    life = Lifecycle(fleet, Rates(failures_per_year=300, replacement_days=0.01, manoeuvres_per_year=0), 1)
    fleet.state.demand_kc_s[:] = 30_000
    fleet.state.array_left[:] = 0.5
    fleet.step(600.0)
    assert life.advance()
    waiting = fleet.state.queue_kc.copy()
    fleet.step(600.0)
    grown = fleet.state.queue_kc - waiting
    assert np.all(grown[~life.up] == pytest.approx(600 * 30_000)) and grown[life.up].max() == 0
    fleet.now_s += 3000
    events = life.advance()
    back = [event.satellite for event in events if event.kind == "replacement"]
    assert back and fleet.state.array_left[back].min() == 1


def test_rates_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="failures_per_year is -1: it is not negative"):
        Rates(failures_per_year=-1)
    with pytest.raises(ValueError, match="a satellite lives for some time"):
        Rates(life_years=0)


# --- ageing


def test_deeper_cycles_wear_the_battery_faster_by_the_stated_law() -> None:
    wear = Wear()
    assert wear.cycles(np.array([0.2, 0.4]))[0] == 30_000
    assert wear.cycles(np.array([0.2, 0.4]))[1] == pytest.approx(30_000 / 2**1.75)


def test_a_cycle_is_as_deep_as_the_charge_has_swung() -> None:
    fleet = new_fleet()
    ageing = Ageing(fleet)
    for share in (0.9, 0.5, 0.7):
        fleet.state.energy_j[:] = share * 300 * 3600
        ageing.watch()
    ageing.cycle(np.full(len(fleet), 2.5))
    faded = 1 - float(fleet.state.capacity_left[0])
    assert faded == pytest.approx(0.2 / Wear().cycles(np.array([0.4]))[0], rel=0.02)
    assert fleet.state.array_left[0] == pytest.approx(0.98**2.5, rel=1e-6)
    assert fleet.state.coating_worn[0] == pytest.approx(0.5)


def test_a_faded_battery_holds_less() -> None:
    fleet = new_fleet()
    fleet.state.capacity_left[:] = 0.8
    fleet.state.energy_j[:] = Hardware().battery_wh * 3600
    fleet.step(10.0)
    assert fleet.state.energy_j.max() <= 0.8 * 300 * 3600 * (1 + 1e-6)
    assert fleet.charge.max() == pytest.approx(1)


# --- radiation


def test_the_anomaly_takes_7_percent_of_the_time_at_53_degrees() -> None:
    share = np.mean([upset_factor(SHELL, EPOCH, t_s) == INSIDE for t_s in np.arange(0, DAY_S, 1200)])
    assert share == pytest.approx(0.07, abs=0.004)
    # So the mean rate stays what it is, and 97.5 % of it falls inside.
    assert share * INSIDE + (1 - share) * OUTSIDE == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize(
    ("place", "inside"),
    [((-26, -45), True), ((-30, -10), True), ((48, 11), False), ((-26, 135), False), ((0, -160), False)],
)
def test_the_anomaly_lies_over_brazil_and_the_south_atlantic(
    place: tuple[float, float], inside: bool
) -> None:
    assert bool(in_anomaly(*place)) is inside
    assert bool(in_anomaly(place[0], place[1] + 360)) is inside


def test_upsets_come_at_the_mean_rate_and_mostly_inside() -> None:
    upsets = Upsets(SHELL, EPOCH, per_node_day=5.0, seed=3)
    inside = total = 0
    for minute in range(1, 721):
        factor = upset_factor(SHELL, EPOCH, 60.0 * (minute - 0.5))
        hit = upsets.advance(60.0 * minute)
        inside += int(np.sum(factor[hit] == INSIDE))
        total += len(hit)
    assert total == upsets.counts.sum() == pytest.approx(2.5 * SHELL.count, rel=0.08)
    assert inside / total == pytest.approx(0.975, abs=0.01)


def test_upsets_are_the_same_for_the_same_seed() -> None:
    both = [Upsets(SHELL, EPOCH, 50.0, seed) for seed in (1, 1, 2)]
    hits = [one.advance(600.0).tolist() for one in both]
    assert hits[0] == hits[1] != hits[2]
