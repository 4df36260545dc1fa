"""Queries of ground users: real images, from real cities, while a board is in view."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ascnode.scenario.scenario import Scenario
from ascnode.sky.passes import Pass

_ANSWER_TIME_S = 600  # nothing is sent in the last ten minutes, so that answers can come down


@dataclass(frozen=True)
class Query:
    """One image for one board. Times in us since the epoch."""

    job: int
    board: int
    city: str
    image: int
    priority: int
    sent_us: int
    deadline_s: int


def queries(scenario: Scenario, passes: Sequence[Sequence[Pass]], images: int) -> list[Query]:
    """Queries in order of time. Each burst picks a pass with a chance that grows with its length and population.

    `passes` are those of each board; users never ask when none is in view, so a run without passes has none.
    """
    rng = np.random.default_rng([scenario.seed, 1])
    chances = [(board, one) for board, several in enumerate(passes) for one in several]
    last_s = max(scenario.duration_s - _ANSWER_TIME_S, scenario.duration_s / 2)
    chances = [(board, one) for board, one in chances if one.rise_s < last_s]
    if not chances or not scenario.users.queries:
        return []
    weight = np.array([(one.set_s - one.rise_s) * _population(one) ** 0.5 for _, one in chances])
    sent: list[tuple[int, int, str, int, int]] = []
    while len(sent) < scenario.users.queries:
        board, one = chances[rng.choice(len(chances), p=weight / weight.sum())]
        size = min(1 + rng.poisson(scenario.users.burst - 1), scenario.users.queries - len(sent))
        at = rng.uniform(one.rise_s, min(one.set_s, last_s), size)
        for time_s in at:
            image, priority = int(rng.integers(images)), int(rng.integers(3))
            sent.append((int(time_s * 1e6), board, one.station.name, image, priority))
    return [
        Query(job, board, city, image, priority, time_us, time_us // 1_000_000 + scenario.users.deadline_s)
        for job, (time_us, board, city, image, priority) in enumerate(sorted(sent))
    ]


def _population(one: Pass) -> float:
    return float(getattr(one.station, "population", 1_000_000))
