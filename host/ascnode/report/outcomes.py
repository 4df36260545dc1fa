"""What became of a run's queries: counts, latency and its parts, and why they were late or lost."""

from array import array
from collections import defaultdict
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

    latency_s (answers,), parts_s (answers, 6) in the order of `ledger.PARTS`. `late_by`: the late ones by the part of
    their way that took them more beyond its median than any other.
    """

    sent: int
    late: list[Query]
    lost: list[Query]
    open: int
    labelled: int
    correct: int
    energy_j: float
    latency_s: Floats
    parts_s: Floats
    lost_by: list[Cause]
    late_by: list[Cause]

    @property
    def answered(self) -> int:
        """In time or late."""
        return len(self.latency_s)

    @property
    def timely(self) -> int:
        """Answered by the deadline."""
        return self.answered - len(self.late)


def outcomes(queries: Iterable[Query]) -> Outcomes:
    """Goes once through the queries, in order of sending; keeps whole only those that were late or lost."""
    tally = _Tally()
    for query in queries:
        tally.add(query)
    return tally.close()


class _Tally:
    def __init__(self) -> None:
        self._sent = 0
        self._latency_s, self._parts_s = array("d"), array("d")
        self._late: list[Query] = []
        self._lost: list[Query] = []
        self._labelled = self._correct = 0
        self._energy_j = 0.0

    def add(self, query: Query) -> None:
        """Counts one."""
        self._sent += 1
        if query.answered_us is None:
            if query.cause:
                self._lost.append(query)
            return
        self._latency_s.append((query.answered_us - query.sent_us) / 1e6)
        self._parts_s.extend(part / 1e6 for part in _parts(query))
        self._energy_j += query.energy_j or 0.0
        self._labelled += query.label >= 0
        self._correct += query.label >= 0 and query.guess == query.label
        if query.late:
            self._late.append(query)

    def close(self) -> Outcomes:
        """What they came to."""
        late, lost = self._late, self._lost
        parts_s = np.array(self._parts_s).reshape(-1, len(PARTS))
        return Outcomes(
            sent=self._sent,
            late=late,
            lost=lost,
            open=self._sent - len(self._latency_s) - len(lost),
            labelled=self._labelled,
            correct=self._correct,
            energy_j=self._energy_j,
            latency_s=np.array(self._latency_s),
            parts_s=parts_s,
            lost_by=_by((query.cause, query) for query in lost),
            late_by=_by(zip(_slowest(late, parts_s), late, strict=True)),
        )


def _parts(query: Query) -> tuple[int, ...]:
    return tuple(getattr(query, f"{part}_us") for part in PARTS)


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
