"""Power manager: charge from the cell voltage, and a forecast and a budget that a float computation confirms."""

import random
from array import array

import numpy as np
import pytest

from ascnode_fw.flight import layout as f_
from ascnode_fw.flight import power
from ascnode_fw.flight.plan import Plan
from ascnode_fw.plant.sensors import cell_count
from ascnode_fw.wire import dictionary as d
from firmware.flight.bench import CELL_CHARGE, CELL_V, values

LIMIT = 1 << 30
EFFICIENCY = 0.97  # PHYSICS.md, each way


@pytest.mark.parametrize(("volts", "charge"), list(zip(CELL_V, CELL_CHARGE, strict=True)))
def test_the_cell_curve_goes_through_its_points(volts: float, charge: float) -> None:
    assert power.soc_of(round(volts * 1000)) == round(charge * 1000)


@pytest.mark.parametrize(("cell_mv", "charge"), [(0, 0), (3149, 0), (4201, 1000), (4999, 1000)])
def test_voltages_beyond_the_curve_are_empty_or_full(cell_mv: int, charge: int) -> None:
    assert power.soc_of(cell_mv) == charge


def test_charge_lies_on_the_curve_at_every_millivolt() -> None:
    for cell_mv in range(3150, 4201):
        exact = 1000 * float(np.interp(cell_mv / 1000, CELL_V, CELL_CHARGE))
        assert exact - 1 < power.soc_of(cell_mv) <= exact + 1e-9


def test_what_the_converter_swallows_is_never_taken_for_charge() -> None:
    # One count is 1.22 mV: at most 4 thousandths where the curve is flattest, and never upwards.
    errors = [power.soc_of(cell_count(charge) * 5000 >> 12) - charge / 10 for charge in range(10_001)]
    assert max(errors) <= 0
    assert min(errors) == -4


def _forecast(charge: int, array_pw: int, now_s: int, v: "array[int]", plan: Plan) -> tuple[int, int]:
    """Energy to spare (J) and budget (pw) that the forecast leaves in the state."""
    f = array("i", bytes(4 * f_.SIZE))
    f[f_.SOC], f[f_.ARRAY_PW], f[f_.NOW_S] = charge, array_pw, now_s
    power.forecast(f, v, plan)
    return f[f_.SPARE_J], f[f_.BUDGET_PW]


def _plan(*windows: tuple[int, int]) -> Plan:
    plan = Plan()
    for start_s, end_s in windows:
        assert plan.add(start_s, end_s)
    return plan


def _spare_j(
    capacity_j: float, charge: float, reserve: float, net_w: float, bus_w: float, *times_s: int
) -> float:
    # Energy above the reserve after times_s = (light, dark) with the bus alone, by floats.
    light_s, dark_s = times_s
    gain_j = net_w * light_s * EFFICIENCY if net_w > 0 else net_w * light_s / EFFICIENCY
    return capacity_j * (charge - reserve) + gain_j - bus_w * dark_s / EFFICIENCY


# capacity J, bus W, array W, charge /1000, now s, eclipse: 550 km and 650 km orbits, nodes of 2 W to 900 W, k = 0
FORECASTS = [
    (1_080_000, 60.0, 423.0, 873, 1000, (4600, 6736)),
    (1_080_000, 60.0, 423.0, 931, 5000, (4600, 6736)),
    (900_000, 60.0, 31.7, 777, 1000, (4600, 6736)),
    (27_000, 1.7, 9.31, 654, 12_345, (14_321, 16_111)),
    (43_200, 2.9, 0.0, 999, 777, (800, 2903)),
    (16_200_000, 900.0, 1017.0, 612, 70_000, (71_000, 72_233)),
]


@pytest.mark.parametrize(("capacity_j", "bus_w", "array_w", "charge", "now_s", "eclipse"), FORECASTS)
def test_the_forecast_to_the_end_of_the_next_eclipse_is_that_of_floats(
    capacity_j: int, bus_w: float, array_w: float, charge: int, now_s: int, eclipse: tuple[int, int]
) -> None:
    v = values(battery_capacity=capacity_j, bus_load=round(bus_w * 1000), charge_reserve=613)
    spare, budget_pw = _forecast(charge, round(array_w * 1000), now_s, v, _plan((0, 700), eclipse))
    light_s = max(0, eclipse[0] - now_s)
    dark_s = eclipse[1] - now_s - light_s
    assert budget_pw == max(0, min(0xFFFFF, spare * 1000 // (light_s + dark_s)))
    moved_j = abs(array_w - bus_w) * light_s + bus_w * dark_s
    exact_j = _spare_j(capacity_j, charge / 1000, 0.613, array_w - bus_w, bus_w, light_s, dark_s)
    assert spare == pytest.approx(exact_j, abs=0.002 * moved_j + 3)
    assert spare <= exact_j + 3  # the losses are rounded up


def test_light_that_does_not_carry_the_bus_is_counted_as_a_drain() -> None:
    v = values()
    lit, dim = (_forecast(900, array_pw, 0, v, _plan((3600, 5700)))[0] for array_pw in (60_000, 20_000))
    assert lit - dim == pytest.approx(40 * 3600 / EFFICIENCY, rel=0.001)


def test_with_no_eclipse_known_the_next_hour_is_as_now() -> None:
    v = values()
    for array_w in (0, 423):
        spare, budget_pw = _forecast(800, array_w * 1000, 500, v, _plan((100, 400)))
        assert budget_pw == max(0, spare * 1000 // 3600)
        assert spare == pytest.approx(_spare_j(1_080_000, 0.8, 0.6, array_w - 60, 60, 3600, 0), abs=2000)


def test_the_forecast_is_negative_when_the_bus_alone_will_draw_on_the_reserve() -> None:
    spare, budget_pw = _forecast(700, 0, 0, values(), _plan((0, 2136)))
    assert spare == pytest.approx(108_000 - 60 * 2136 / EFFICIENCY, rel=0.005)
    assert budget_pw == 0


@pytest.mark.parametrize("edge_s", [4600, 6736])
def test_the_forecast_is_steady_where_an_eclipse_begins_and_ends(edge_s: int) -> None:
    # At the end the view moves on to the eclipse after it: light again, so the income of that light comes in.
    plan = _plan((4600, 6736), (10_339, 12_475))
    v = values()
    array_pw = 60_000  # just the bus: the light in between neither gives nor takes
    before, after = (_forecast(800, array_pw, at_s, v, plan)[0] for at_s in (edge_s - 1, edge_s))
    if edge_s == 4600:
        assert abs(after - before) <= 1
    else:
        assert before - after == pytest.approx(60 * 2135 / EFFICIENCY, rel=0.001)


def test_the_budget_is_the_mean_power_that_uses_up_what_is_spare() -> None:
    rng = random.Random(3)
    for _ in range(20_000):
        spare_j = int(10 ** rng.uniform(0, 8.7))
        seconds = int(10 ** rng.uniform(0, 6))
        exact_pw = min(spare_j * 1000 // seconds, power.POWER_MAX)
        assert power.budget(spare_j, seconds) == exact_pw


@pytest.mark.parametrize("spare_j", [0, -1, -(1 << 29)])
def test_nothing_to_spare_is_no_budget(spare_j: int) -> None:
    assert power.budget(spare_j, 100) == 0


def test_an_eclipse_years_away_gives_a_budget_still() -> None:
    plan = _plan((1 << 28, (1 << 28) + 2000))
    assert 0 < _forecast(1000, 423_000, 0, values(), plan)[1] < 423_000


def test_full_scale_of_every_argument_stays_within_the_words() -> None:
    v = values(battery_capacity=1 << 29, bus_load=0xFFFFF, charge_reserve=0)
    for soc in (0, 1000):
        for array_pw in (0, 0xFFF00):
            for window in ((0, 1), (1 << 29, (1 << 30) - 1), (0, (1 << 30) - 1)):
                spare, budget_pw = _forecast(soc, array_pw, 0, v, _plan(window))
                assert -LIMIT < spare < LIMIT
                assert 0 <= budget_pw <= 0xFFFFF


def test_shedding_levels_are_those_of_the_limits() -> None:
    v = values()
    low, low_exit, safe, safe_exit = (
        v[i] for i in (d.P_SOC_CHARGE, d.P_SOC_CHARGE_EXIT, d.P_SOC_SAFE, d.P_SOC_SAFE_EXIT)
    )
    for soc in range(1001):
        assert power.shed_level(0, soc, v) == (2 if soc < safe else 1 if soc < low else 0)
        assert power.shed_level(1, soc, v) == (2 if soc < safe else 1 if soc < low_exit else 0)
        assert power.shed_level(2, soc, v) == (2 if soc < safe_exit else 1 if soc < low_exit else 0)
