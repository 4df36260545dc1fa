"""What became of a run's queries: counts, latency and its parts, and why they were late or lost."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from ascnode.record.rows import Query
from ascnode.scenario.ledger import PARTS
from ascnode.sky.vectors import Floats

_EXAMPLES = 3


@dataclass
class Cause:
    """Why queries were late or lost: how many, between which times of sending (us), and some of them."""

    name: str
    count: int = 0
    first_us: int = 0
    last_us: int = 0
    examples: list[Query] = field(default_factory=list)

    def add(self, query: Query) -> None:
        """Queries come in order of sending."""
        if not self.count:
            self.first_us = query.sent_us
        self.count += 1
        self.last_us = query.sent_us
        if len(self.examples) < _EXAMPLES:
            self.examples.append(query)


@dataclass(frozen=True)
class Outcomes:
    """All queries of a run.

    latency_s (answers,), parts_s (answers, 6) in the order of `ledger.PARTS`; sent_s, answered_s and lost_s are times.
    `late_by`: the late ones by the part of their way that took them more beyond its median than any other.
    """

    sent: int
    late: int
    open: int
    labelled: int
    correct: int
    energy_j: float
    latency_s: Floats
    parts_s: Floats
    sent_s: Floats
    late_s: Floats
    lost_s: Floats
    lost_by: list[Cause]
    late_by: list[Cause]
    lost_at: Counter[int]
    late_at: Counter[int]

    @property
    def answered(self) -> int:
        """In time or late."""
        return len(self.latency_s)

    @property
    def lost(self) -> int:
        """Without an answer, for a cause."""
        return len(self.lost_s)

    @property
    def timely(self) -> int:
        """Answered by the deadline."""
        return self.answered - self.late


def outcomes(queries: Iterable[Query]) -> Outcomes:
    """Goes once through the queries, in order of sending."""
    every, answered, lost = [], [], []
    for query in queries:
        every.append(query.sent_us)
        if query.answered_us is not None:
            answered.append(query)
        elif query.cause:
            lost.append(query)
    late = [query for query in answered if query.late]
    parts_s = np.array([_parts(query) for query in answered], dtype=np.float64).reshape(-1, len(PARTS)) / 1e6
    labelled = [query for query in answered if query.label >= 0]
    return Outcomes(
        sent=len(every),
        late=len(late),
        open=len(every) - len(answered) - len(lost),
        labelled=len(labelled),
        correct=sum(query.guess == query.label for query in labelled),
        energy_j=sum(query.energy_j or 0.0 for query in answered),
        latency_s=_seconds((query.answered_us or 0) - query.sent_us for query in answered),
        parts_s=parts_s,
        sent_s=_seconds(every),
        late_s=_seconds(query.sent_us for query in late),
        lost_s=_seconds(query.sent_us for query in lost),
        lost_by=_by((query.cause, query) for query in lost),
        late_by=_by(zip(_slowest(late, parts_s), late, strict=True)),
        lost_at=Counter(query.node for query in lost),
        late_at=Counter(query.node for query in late),
    )


def _parts(query: Query) -> tuple[int, ...]:
    return tuple(getattr(query, f"{part}_us") for part in PARTS)


def _seconds(values_us: Iterable[int]) -> Floats:
    return np.fromiter(values_us, dtype=np.float64) / 1e6


def _slowest(late: list[Query], parts_s: Floats) -> list[str]:
    # The part of each one's way that exceeds its median over all answers by most.
    if not late:
        return []
    own_s = np.array([_parts(query) for query in late], dtype=np.float64) / 1e6
    return [PARTS[i] for i in np.argmax(own_s - np.median(parts_s, axis=0), axis=1)]


def _by(named: Iterable[tuple[str, Query]]) -> list[Cause]:
    found: dict[str, Cause] = defaultdict(lambda: Cause(""))
    for name, query in named:
        found[name].name = name
        found[name].add(query)
    return sorted(found.values(), key=lambda cause: (-cause.count, cause.name))
