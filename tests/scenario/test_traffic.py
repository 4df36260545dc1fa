"""Who asks, when and how often."""

from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest

from ascnode.scenario.tables.work import Inference
from ascnode.scenario.traffic import Query, activity, queries
from ascnode.sky.cities import City

EPOCH = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
LARGE = City("Large", "XX", 0.0, 0.0, 0.0, 9_000_000)
SMALL = City("Small", "XX", 0.0, 0.0, 0.0, 1_000_000)


def sent(work: Inference, *users: City, night_share: float = 1.0, length_s: float = 86_400.0) -> list[Query]:
    return queries(work, users, EPOCH, length_s, 100, night_share, (1, 2))


def test_demand_is_highest_at_16_h_local_solar_time_and_least_at_4_h() -> None:
    # noon UTC: 16 h local at 60 deg east, 4 h at 120 deg west, and 4 h later at 0 deg
    shares = activity(EPOCH, np.array([0.0, 4 * 3600.0]), np.array([60.0, -120.0, 0.0]), 0.3)
    assert shares[0] == pytest.approx([1.0, 0.3, 0.3 + 0.7 * 0.75])
    assert shares[1, 2] == pytest.approx(1.0)


def test_a_city_sends_by_its_population() -> None:
    by_city = Counter(query.place for query in sent(Inference(queries=20_000, burst=1), LARGE, SMALL))
    assert by_city["Large"] / 20_000 == pytest.approx(0.9, abs=0.01)


def test_night_sends_less_than_day() -> None:
    asked = sent(Inference(queries=20_000, burst=1), LARGE, night_share=0.2, length_s=86_400.0)
    hour = [(12 + query.sent_us / 3.6e9) % 24 for query in asked]
    night = sum(1 for h in hour if 3 <= h < 5)
    day = sum(1 for h in hour if 15 <= h < 17)
    assert night / day == pytest.approx(0.2, abs=0.05)


@pytest.mark.parametrize("burst", [1, 8, 1000])
def test_exactly_as_many_as_asked_in_order_and_within_their_time(burst: int) -> None:
    work = Inference(queries=777, burst=burst, start_s=100, end_s=500, burst_s=30, deadline_s=20)
    asked = sent(work, LARGE, SMALL)
    assert [query.job for query in asked] == list(range(777))
    times = [query.sent_us for query in asked]
    assert times == sorted(times)
    assert times[0] >= 100e6 and times[-1] <= 500e6
    assert all(query.deadline_s == query.sent_us // 1_000_000 + 20 for query in asked)
    assert {query.priority for query in asked} == {0, 1, 2}


def test_bursts_come_from_one_city_in_a_short_time() -> None:
    asked = sent(
        Inference(queries=4000, burst=40, burst_s=5.0), *(City(f"C{i}", "", 0, 0, 0, 1) for i in range(50))
    )
    same = [a.place == b.place and b.sent_us - a.sent_us < 5e6 for a, b in pairwise(asked)]
    assert np.mean(same) > 0.8


@pytest.mark.parametrize(
    "work",
    [Inference(queries=0), Inference(queries=5, start_s=100, end_s=100), Inference(queries=5, start_s=1e9)],
)
def test_nobody_asks_where_there_is_nothing_to_ask(work: Inference) -> None:
    assert sent(work, LARGE) == []
    assert sent(Inference(queries=5)) == []


def test_the_seed_alone_decides() -> None:
    work = Inference(queries=50)
    again = [queries(work, (LARGE,), EPOCH, 600.0, 10, 0.3, seed) for seed in ((1, 1), (1, 1), (2, 1))]
    assert again[0] == again[1] != again[2]
