"""Plans: windows in order of their start, within which the node knows where it is."""

import random

import pytest

from ascnode_fw.flight.plan import Plan

WINDOWS = 48


def _plan(*windows: tuple[int, int]) -> Plan:
    plan = Plan()
    for start_s, end_s in windows:
        assert plan.add(start_s, end_s)
    return plan


@pytest.mark.parametrize(
    ("now_s", "inside"), [(99, False), (100, True), (160, True), (161, False), (299, False), (300, True)]
)
def test_a_window_holds_its_first_second_and_not_its_end(now_s: int, inside: bool) -> None:
    assert _plan((100, 161), (300, 400)).within(now_s) is inside


def test_the_current_window_is_the_one_that_holds_now_or_the_next() -> None:
    plan = _plan((100, 161), (300, 417))
    seen = [plan.current(now_s) for now_s in (0, 100, 160, 161, 299, 416, 417)]
    assert [(plan.start(i), plan.end(i)) for i in seen[:-1]] == [(100, 161)] * 3 + [(300, 417)] * 3
    assert seen[-1] == -1


def test_an_empty_plan_has_no_window() -> None:
    plan = Plan()
    assert plan.current(0) == -1
    assert not plan.within(0)


@pytest.mark.parametrize("window", [(200, 200), (200, 199), (99, 300)])
def test_a_window_that_is_empty_or_starts_before_the_last_is_refused(window: tuple[int, int]) -> None:
    plan = _plan((100, 161))
    assert not plan.add(*window)
    assert plan.within(130) and not plan.within(200)


def test_a_full_plan_refuses_and_keeps_what_it_has() -> None:
    plan = _plan(*((10 * i, 10 * i + 7) for i in range(WINDOWS)))
    assert not plan.add(1000, 1007)
    assert [plan.within(10 * i + 3) for i in range(WINDOWS)] == [True] * WINDOWS
    assert not plan.within(1003)


def test_windows_that_are_over_make_room() -> None:
    plan = _plan(*((10 * i, 10 * i + 7) for i in range(WINDOWS)))
    assert plan.within(305)  # 30 are over
    for i in range(30):
        assert plan.add(1000 + 10 * i, 1007 + 10 * i)
    assert not plan.add(9000, 9001)
    assert [plan.within(t) for t in (305, 308, 310, 477, 1003, 1296, 1297, 9000)] == [
        *(True, False, True, False),
        *(True, True, False, False),
    ]


def test_a_cleared_plan_starts_afresh() -> None:
    plan = _plan((100, 161), (300, 417))
    plan.clear()
    assert plan.current(0) == -1
    assert plan.add(5, 6)
    assert plan.within(5)


def test_windows_that_overlap_count_as_their_union_whatever_they_are() -> None:
    # The ground widens windows to whole seconds, so that neighbours may come to overlap.
    rng = random.Random(5)
    for _ in range(300):
        starts = sorted(rng.randrange(200) for _ in range(rng.randrange(1, WINDOWS)))
        windows = [(start_s, start_s + rng.randrange(1, 30)) for start_s in starts]
        plan = _plan(*windows)
        for now_s in range(240):
            assert plan.within(now_s) is any(start_s <= now_s < end_s for start_s, end_s in windows)
