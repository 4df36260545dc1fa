"""Store and forward over a contact plan: packets hop from queue to queue, each hop planned when it is reached."""

import heapq
import math
from dataclasses import dataclass

from ascnode.mesh.contacts import ContactPlan, merged
from ascnode.mesh.queues import Ledger, LinkQueue, Packet


@dataclass(frozen=True)
class Delivery:
    """A packet that reached its target at t_s."""

    t_s: float
    packet: Packet


class Forwarding:
    """All links of a contact plan with queues before them; `buffer_bytes` is each queue's.

    A packet takes the first hop of the earliest journey from where it is, light and transmission counted, queues
    not; where there is none it is lost as `no route`. Events happen in the order of time, then of arrival.
    """

    def __init__(self, plan: ContactPlan, buffer_bytes: int) -> None:
        self.ledger = Ledger()
        self.deliveries: list[Delivery] = []
        self._plan = plan
        self._links = {
            pair: LinkQueue(contacts, buffer_bytes, self.ledger)
            for pair, contacts in merged(plan.contacts).items()
        }
        self._flying: list[tuple[float, int, int, Packet]] = []
        self._events: list[tuple[float, int, tuple[int, int]]] = []
        self._sequence = 0
        self._now_s = -math.inf

    def offer(self, t_s: float, node: int, packet: Packet) -> None:
        """A packet appears at a node at t_s, now or later. Raises ValueError for a time that is past."""
        if t_s < self._now_s:
            raise ValueError(f"the links are at {self._now_s} s: a packet of {t_s} s comes too late")
        self.ledger.offer(packet)
        self._fly(t_s, node, packet)

    def advance(self, t_s: float) -> None:
        """All that happens up to and including t_s."""
        while True:
            arrives_s = self._flying[0][0] if self._flying else math.inf
            leaves_s = self._events[0][0] if self._events else math.inf
            if min(arrives_s, leaves_s) > t_s or min(arrives_s, leaves_s) == math.inf:
                break
            if leaves_s <= arrives_s:
                self._leave(*heapq.heappop(self._events))
            else:
                self._arrive(*heapq.heappop(self._flying))
        self._now_s = max(self._now_s, t_s)

    @property
    def held_bytes(self) -> int:
        """In queues and under way."""
        flying = sum(packet.size_bytes for _, _, _, packet in self._flying)
        return flying + sum(link.queued_bytes for link in self._links.values())

    def _fly(self, t_s: float, node: int, packet: Packet) -> None:
        heapq.heappush(self._flying, (t_s, self._sequence, node, packet))
        self._sequence += 1

    def _arrive(self, t_s: float, _: int, node: int, packet: Packet) -> None:
        if node == packet.target:
            self.ledger.deliver(packet)
            self.deliveries.append(Delivery(t_s, packet))
            return
        journey = self._plan.earliest(node, packet.target, t_s, packet.size_bytes)
        if not journey.contacts:
            self.ledger.lose(packet, "no route")
            return
        pair = (node, journey.contacts[0].target)
        idle = self._links[pair].sent_s == math.inf
        self._links[pair].offer(t_s, packet)
        if idle:
            self._watch(pair)

    def _leave(self, t_s: float, _: int, pair: tuple[int, int]) -> None:
        packet, contact = self._links[pair].sent()
        self._fly(t_s + contact.delay_s, contact.target, packet)
        self._watch(pair)

    def _watch(self, pair: tuple[int, int]) -> None:
        """Notes when the packet on a link will have left."""
        if self._links[pair].sent_s < math.inf:
            heapq.heappush(self._events, (self._links[pair].sent_s, self._sequence, pair))
            self._sequence += 1
