"""Thermal governor: the allocator's law against floats, its integral's bounds, the trip, the operating points."""

import random
from array import array

import pytest

from ascnode_fw.flight import governor
from ascnode_fw.flight import layout as f_
from ascnode_fw.wire import dictionary as d
from firmware.flight.bench import Bench, counts, values

TARGET_CK = 35_615
# Linux' intelligent power allocation (PHYSICS.md): k_po = P / dT, k_pu = 2 P / dT; here P = 96 W over 12 K.
GAINS = {
    "governor_sustainable": 96_000,
    "governor_k_over": 8_000,
    "governor_k_under": 16_000,
    "governor_k_integral": 1_600,
    "governor_integral_cutoff": 500,
}


def _state(accelerator_ck: int, integral_pw: int = 0) -> "array[int]":
    f = array("i", bytes(4 * f_.SIZE))
    f[f_.ACCELERATOR_CK], f[f_.INTEGRAL] = accelerator_ck, integral_pw
    return f


def _budget(over_k: float, **by_name: int) -> int:
    # Heat budget of a governor without memory, so many K above the target.
    v = values(**{**GAINS, "governor_k_integral": 0, **by_name})
    return governor.heat_budget(_state(round(TARGET_CK + 100 * over_k)), v, 1000)


@pytest.mark.parametrize(
    ("over_k", "watts"), [(0, 96), (1, 88), (6.25, 46), (12, 0), (40, 0), (-1, 112), (-2.5, 136), (-9, 180)]
)
def test_the_proportional_part_is_steeper_below_the_target_than_above(over_k: float, watts: float) -> None:
    assert _budget(over_k) == watts * 1000


def test_the_budget_lies_between_nothing_and_the_fastest_point() -> None:
    assert _budget(200) == 0
    assert _budget(-200) == 180_000
    assert _budget(0, governor_sustainable=500_000) == 180_000


@pytest.mark.parametrize("period_ms", [100, 1000, 2500])
def test_the_integral_follows_error_and_time(period_ms: int) -> None:
    v = values(**GAINS)
    f = _state(TARGET_CK + 123)
    for _ in range(8):
        governor.heat_budget(f, v, period_ms)
    assert f[f_.INTEGRAL] == pytest.approx(-1_600 * 1.23 * 8 * period_ms / 1000, abs=8)


def test_the_integral_rests_while_the_accelerator_is_far_below_the_target() -> None:
    v = values(**GAINS)
    f = _state(TARGET_CK - 500, 777)
    governor.heat_budget(f, v, 1000)
    assert f[f_.INTEGRAL] == 777
    f[f_.ACCELERATOR_CK] = TARGET_CK - 499
    governor.heat_budget(f, v, 1000)
    assert f[f_.INTEGRAL] == 777 + round(1_600 * 4.99)


def test_hours_just_below_the_target_do_not_wind_the_integral_up() -> None:
    # Battery or cap hold the node 3 K below its target; the integral must not save up power for later.
    v = values(**GAINS)
    f = _state(TARGET_CK - 300)
    for _ in range(7200):
        governor.heat_budget(f, v, 1000)
    assert f[f_.INTEGRAL] == 180_000 - 96_000  # at the target: the fastest point, and no more
    f[f_.ACCELERATOR_CK] = TARGET_CK + 600
    assert governor.heat_budget(f, v, 1000) < 180_000 - 6 * 8_000


def test_hours_above_the_target_leave_an_integral_that_comes_back_at_once() -> None:
    v = values(**GAINS)
    f = _state(TARGET_CK + 300)
    for _ in range(7200):
        governor.heat_budget(f, v, 1000)
    assert f[f_.INTEGRAL] == -96_000  # at the target: idle
    f[f_.ACCELERATOR_CK] = TARGET_CK - 100
    assert governor.heat_budget(f, v, 1000) >= 16_000


def test_any_state_and_gains_keep_integral_and_budget_within_the_words() -> None:
    rng = random.Random(4)
    top = (1 << 20) - 1
    for _ in range(5000):
        v = values(
            governor_sustainable=rng.choice((0, top, rng.randrange(top))),
            governor_k_over=rng.choice((0, top, rng.randrange(top))),
            governor_k_under=rng.choice((0, top, rng.randrange(top))),
            governor_k_integral=rng.choice((0, top, rng.randrange(top))),
            governor_integral_cutoff=rng.choice((0, 46_000)),
            power_6=rng.choice((0, top, 180_000)),
        )
        f = _state(rng.choice((15_500, 46_492, rng.randrange(15_500, 46_493))), rng.randrange(-top, top))
        assert 0 <= governor.heat_budget(f, v, rng.choice((10, 1000, 10_000))) <= v[d.P_OP_PW + 6]
        assert abs(f[f_.INTEGRAL]) <= top


# --- trip


def test_the_trip_comes_at_once_and_goes_only_below_its_exit() -> None:
    bench = Bench()
    bench.period(times=2)
    tripped = []
    # 95 C trips, 75 C ends it; sensors step by 0.08 K
    for accelerator_c in (94.8, 95.2, 94.0, 75.3, 74.8, 75.3, 94.8):
        bench.period(counts(accelerator_c=accelerator_c))
        tripped.append(bench.f[f_.TRIPPED])
    assert tripped == [0, 1, 1, 1, 0, 0, 0]
    names = [name for name, _ in bench.events() if name.startswith("thermal")]
    assert names == ["thermal trip", "thermal trip over"]
    (trip,) = (value for name, value in bench.events() if name == "thermal trip")
    assert trip == pytest.approx(36_835, abs=8)


@pytest.mark.parametrize(
    ("was", "accelerator_ck", "then"),
    [(0, 36_814, 0), (0, 36_815, 1), (1, 36_815, 1), (1, 34_816, 1), (1, 34_815, 0), (0, 34_815, 0)],
)
def test_the_edges_of_the_trip_belong_to_the_safe_side(was: int, accelerator_ck: int, then: int) -> None:
    f = _state(accelerator_ck)
    f[f_.TRIPPED] = was
    assert governor.trip(f, values()) == then


# --- operating points: 0, 12, 30, 60, 95, 135, 180 W


@pytest.mark.parametrize(
    ("power_pw", "point"),
    [(0, 0), (11_999, 0), (12_000, 1), (94_999, 3), (95_000, 4), (179_999, 5), (180_000, 6), (0xFFFFF, 6)],
)
def test_the_point_is_the_fastest_within_the_power(power_pw: int, point: int) -> None:
    assert governor.operating_point(values(), power_pw) == point


def test_a_table_of_one_point_is_idle_for_ever() -> None:
    assert governor.operating_point(values(operating_points=1), (1 << 20) - 1) == 0


def test_a_full_table_has_eight_points() -> None:
    v = values(operating_points=8, clock_7=150_000, power_7=200_000)
    assert [governor.operating_point(v, power_pw) for power_pw in (199_999, 200_000)] == [6, 7]


def test_a_point_without_a_clock_is_never_chosen() -> None:
    # As the dictionary's eighth is, when its number is raised before its values are set.
    v = values(operating_points=8)
    assert [governor.operating_point(v, power_pw) for power_pw in (0, 12_000, 500_000)] == [0, 1, 6]


def test_of_points_out_of_order_the_fastest_that_fits_is_chosen() -> None:
    v = values(clock_2=90_000, power_2=30_000, clock_3=80_000, power_3=60_000)
    assert governor.operating_point(v, 70_000) == 2
