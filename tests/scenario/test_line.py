"""A line carries one thing at a time, and nothing that comes later delays what came before it."""

from hypothesis import given
from hypothesis import strategies as st

from ascnode.scenario.line import Line, airtime_us

asks = st.lists(st.tuples(st.integers(0, 200), st.integers(1, 20)), max_size=40)


@given(asks)
def test_reservations_are_the_first_gaps_that_brute_force_finds(wanted: list[tuple[int, int]]) -> None:
    line, taken = Line(), set()
    for at, length in wanted:
        start = at
        while taken & set(range(start, start + length)):
            start += 1
        assert line.free_from(at, length) == start
        assert line.reserve(at, length) == start
        taken |= set(range(start, start + length))
    assert line.end_us == max(taken, default=-1) + 1


def test_what_would_start_too_late_takes_nothing() -> None:
    line = Line()
    assert line.reserve(0, 100) == 0
    assert line.reserve(50, 10, before_us=100) is None
    assert line.reserve(50, 10, before_us=101) == 100


def test_airtime_is_rounded_up() -> None:
    # 1500 B at 100 Mbit/s take 120 us
    assert airtime_us(1500, 100.0) == 120
    assert airtime_us(1, 10_000.0) == 1
