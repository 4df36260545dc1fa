"""Contact-graph routing: how data gets earliest from node to node when links come and go.

Dijkstra's algorithm with times of arrival as labels, over a plan of contacts (S. Jain, K. Fall, R. Patra, "Routing in a
delay tolerant network", SIGCOMM 2004; CCSDS 734.3-B-1, schedule-aware bundle routing). To wait is always possible, so
that who arrives earlier is never worse off and the first label to settle is the earliest.
"""

import heapq
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Contact:
    """From start_s to end_s node `source` can send rate_bytes_s to node `target`, which is delay_s of light away.

    Raises ValueError for one without time or rate.
    """

    source: int
    target: int
    start_s: float
    end_s: float
    rate_bytes_s: float
    delay_s: float = 0.0

    def __post_init__(self) -> None:
        if not self.start_s < self.end_s:
            raise ValueError(f"the contact from {self.start_s} s to {self.end_s} s is empty")
        if not (self.rate_bytes_s > 0 and self.delay_s >= 0):
            raise ValueError(f"a contact has a rate and no negative delay: {self}")
        if self.source == self.target:
            raise ValueError(f"node {self.source} has no contact with itself")

    def sent_s(self, t_s: float, size_bytes: float) -> float:
        """When data that is ready at t_s has left the sender; inf when the contact ends before."""
        sent_s = max(t_s, self.start_s) + size_bytes / self.rate_bytes_s
        return sent_s if sent_s <= self.end_s else math.inf


@dataclass(frozen=True)
class Journey:
    """The contacts to take in turn, and when the last byte arrives; none and inf where there is no way."""

    contacts: tuple[Contact, ...]
    arrival_s: float


class ContactPlan:
    """All contacts, by the node that sends."""

    def __init__(self, contacts: Iterable[Contact]) -> None:
        self._from: dict[int, list[Contact]] = {}
        for contact in sorted(contacts, key=lambda c: (c.source, c.start_s, c.target)):
            self._from.setdefault(contact.source, []).append(contact)

    @property
    def contacts(self) -> list[Contact]:
        """In the order of sender, start and receiver."""
        return [contact for contacts in self._from.values() for contact in contacts]

    def earliest(self, source: int, target: int, t_s: float, size_bytes: float) -> Journey:
        """The journey of size_bytes, ready at source at t_s, that arrives first; each hop waits for the whole."""
        arrival = {source: t_s}
        came: dict[int, Contact] = {}
        waiting = [(t_s, source)]
        settled: set[int] = set()
        while waiting:
            now_s, node = heapq.heappop(waiting)
            if node == target:
                return Journey(_traced(came, source, target), now_s)
            if node in settled:
                continue
            settled.add(node)
            for contact in self._from.get(node, ()):
                there_s = contact.sent_s(now_s, size_bytes) + contact.delay_s
                if there_s < arrival.get(contact.target, math.inf):
                    arrival[contact.target] = there_s
                    came[contact.target] = contact
                    heapq.heappush(waiting, (there_s, contact.target))
        return Journey((), math.inf)


def _traced(came: dict[int, Contact], source: int, target: int) -> tuple[Contact, ...]:
    contacts: list[Contact] = []
    while target != source:
        contacts.append(came[target])
        target = contacts[-1].source
    return tuple(reversed(contacts))


def merged(contacts: Sequence[Contact]) -> dict[tuple[int, int], list[Contact]]:
    """The contacts of each directed pair of nodes, in time. Raises ValueError where two of a pair overlap."""
    pairs: dict[tuple[int, int], list[Contact]] = {}
    for contact in sorted(contacts, key=lambda c: (c.source, c.target, c.start_s)):
        earlier = pairs.setdefault((contact.source, contact.target), [])
        if earlier and contact.start_s < earlier[-1].end_s:
            raise ValueError(
                f"two contacts from {contact.source} to {contact.target} overlap at {contact.start_s} s"
            )
        earlier.append(contact)
    return pairs
