"""Queues of real bytes on links that come and go. Every byte is delivered, lost with a cause, or still queued."""

import heapq
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from ascnode.mesh.contacts import Contact


@dataclass(frozen=True)
class Packet:
    """size_bytes for node `target`; higher priorities go first, then earlier deadlines, then who came first."""

    number: int
    target: int
    size_bytes: int
    priority: int = 0
    deadline_s: float = math.inf

    def __post_init__(self) -> None:
        if self.size_bytes < 1:
            raise ValueError(f"packet {self.number} has {self.size_bytes} bytes: it has 1 or more")


@dataclass
class Ledger:
    """What became of the bytes and packets that were offered."""

    offered_bytes: int = 0
    delivered_bytes: int = 0
    offered: int = 0
    delivered: int = 0
    lost_bytes: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)

    def offer(self, packet: Packet) -> None:
        self.offered += 1
        self.offered_bytes += packet.size_bytes

    def deliver(self, packet: Packet) -> None:
        self.delivered += 1
        self.delivered_bytes += packet.size_bytes

    def lose(self, packet: Packet, cause: str) -> None:
        self.lost[cause] += 1
        self.lost_bytes[cause] += packet.size_bytes

    @property
    def open_bytes(self) -> int:
        """Offered, and neither delivered nor lost: what the queues and links must hold."""
        return self.offered_bytes - self.delivered_bytes - self.lost_bytes.total()


class LinkQueue:
    """A directed link with its contacts in time, and a buffer before it.

    One packet is sent at a time, whole within one contact; what does not fit into the rest of a contact waits for
    the next. Causes of loss: `overflow` (no room in the buffer), `expired` (its last byte would leave after its
    deadline), `no contact` (it fits into none that is left).
    """

    def __init__(self, contacts: Sequence[Contact], buffer_bytes: int, ledger: Ledger) -> None:
        self._contacts = list(contacts)
        self._room_bytes = buffer_bytes
        self._ledger = ledger
        self._waiting: list[tuple[int, float, int, Packet]] = []
        self._sequence = 0
        self._sending: tuple[Packet, Contact] | None = None
        self.sent_s = math.inf  # when the packet on the link has left; inf when idle
        self.queued_bytes = 0

    def offer(self, t_s: float, packet: Packet) -> None:
        """Takes the packet at t_s, or loses it. Call `sent` first for all that leaves up to t_s."""
        if self.queued_bytes + packet.size_bytes > self._room_bytes:
            self._ledger.lose(packet, "overflow")
            return
        self.queued_bytes += packet.size_bytes
        heapq.heappush(self._waiting, (-packet.priority, packet.deadline_s, self._sequence, packet))
        self._sequence += 1
        if self._sending is None:
            self._next(t_s)

    def sent(self) -> tuple[Packet, Contact]:
        """The packet that leaves at `sent_s`, and over which contact; the next one starts then.

        Raises ValueError when the link is idle.
        """
        if self._sending is None:
            raise ValueError("the link is idle: nothing leaves")
        packet, contact = self._sending
        self.queued_bytes -= packet.size_bytes
        self._next(self.sent_s)
        return packet, contact

    def _next(self, t_s: float) -> None:
        self._sending, self.sent_s = None, math.inf
        while self._waiting and self._sending is None:
            packet = heapq.heappop(self._waiting)[3]
            contact = self._contact(t_s, packet)
            if contact is None:
                self._drop(packet, "no contact")
            elif contact.sent_s(t_s, packet.size_bytes) > packet.deadline_s:
                self._drop(packet, "expired")
            else:
                self._sending, self.sent_s = (packet, contact), contact.sent_s(t_s, packet.size_bytes)

    def _contact(self, t_s: float, packet: Packet) -> Contact | None:
        while self._contacts and self._contacts[0].end_s <= t_s:
            self._contacts.pop(0)
        fitting = (contact for contact in self._contacts if contact.sent_s(t_s, packet.size_bytes) < math.inf)
        return next(fitting, None)

    def _drop(self, packet: Packet, cause: str) -> None:
        self.queued_bytes -= packet.size_bytes
        self._ledger.lose(packet, cause)
