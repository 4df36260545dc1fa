"""Queries of ground users, city by city and hour by hour: real images, at times that the seed gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from ascnode.scenario.tables.work import Inference
from ascnode.sky.stations import Station
from ascnode.sky.vectors import Floats

SECOND_US = 1_000_000
GROUND = -1  # the origin of what no satellite asks for
_ANSWER_S = 60.0  # nothing is sent in the last minute, so that answers can come down
_GRID_S = 60.0  # how finely demand follows the Sun
_PEAK_H = 16.0  # [A] local solar time of most demand; least is 12 h later
_PRIORITIES = 3


@dataclass(frozen=True)
class Query:
    """One image for one node. Times in us since the epoch; `user` numbers the sites, `origin` the satellites."""

    job: int
    kind: str
    user: int
    place: str
    image: int
    priority: int
    sent_us: int
    deadline_s: int
    origin: int = GROUND


def activity(epoch: datetime, t_s: Floats, longitude_deg: Floats, night_share: float) -> Floats:
    """Relative demand (t, m) at times (t,) and longitudes (m,): 1 at 16 h local solar time, night_share at 4 h."""
    hour = epoch.hour + epoch.minute / 60 + epoch.second / 3600 + t_s / 3600
    local_h = hour[:, np.newaxis] + longitude_deg / 15
    wave = 0.5 + 0.5 * np.cos(2 * np.pi * (local_h - _PEAK_H) / 24)
    result: Floats = night_share + (1 - night_share) * wave
    return result


def queries(
    work: Inference,
    users: Sequence[Station],
    epoch: datetime,
    length_s: float,
    images: int,
    night_share: float,
    seed: Sequence[int],
    first_job: int = 0,
) -> list[Query]:
    """Queries in order of time, in bursts. A burst's city and minute are drawn by population and time of day."""
    end_s = work.end_s if work.end_s is not None else max(length_s - _ANSWER_S, length_s / 2)
    end_s = min(end_s, length_s)
    if not users or not work.queries or end_s <= work.start_s:
        return []
    rng = np.random.default_rng(seed)
    size = _burst_sizes(work, rng)
    at_s, city = _bursts(work, users, epoch, end_s, night_share, len(size), rng)
    sent_s = np.repeat(at_s, size) + rng.uniform(0, max(work.burst_s, 1e-6), work.queries)
    sent_us = (np.minimum(sent_s, end_s) * SECOND_US).astype(np.int64)
    place = np.repeat(city, size)
    image, priority = rng.integers(images, size=work.queries), rng.integers(_PRIORITIES, size=work.queries)
    order = np.lexsort((place, sent_us))
    columns = (
        place[order].tolist(),
        image[order].tolist(),
        priority[order].tolist(),
        sent_us[order].tolist(),
    )
    return [
        Query(job, "inference", u, users[u].name, i, p, t, t // SECOND_US + work.deadline_s)
        for job, (u, i, p, t) in enumerate(zip(*columns, strict=True), first_job)
    ]


def _burst_sizes(work: Inference, rng: np.random.Generator) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    sizes = 1 + rng.poisson(work.burst - 1, work.queries)
    count = int(np.searchsorted(np.cumsum(sizes), work.queries)) + 1
    sizes = sizes[:count]
    sizes[-1] -= int(sizes.sum()) - work.queries
    return sizes


def _bursts(
    work: Inference,
    users: Sequence[Station],
    epoch: datetime,
    end_s: float,
    night_share: float,
    count: int,
    rng: np.random.Generator,
) -> tuple[Floats, "np.ndarray[tuple[int], np.dtype[np.int64]]"]:
    # Start and user of each burst.
    starts = np.arange(work.start_s, end_s, _GRID_S)
    population = np.array([float(getattr(user, "population", 1_000_000)) for user in users])
    longitude = np.array([user.longitude_deg for user in users])
    width = np.minimum(_GRID_S, end_s - starts)
    weight = activity(epoch, starts, longitude, night_share) * population * width[:, np.newaxis]
    drawn = rng.choice(weight.size, size=count, p=(weight / weight.sum()).ravel())
    minute, city = np.divmod(drawn, len(users))
    return starts[minute] + rng.uniform(0, 1, count) * width[minute], city
