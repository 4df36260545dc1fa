"""Byte queues and forwarding: order, gaps, losses with their causes, and nothing that vanishes."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ascnode.mesh.contacts import Contact, ContactPlan, merged
from ascnode.mesh.forwarding import Forwarding
from ascnode.mesh.queues import Ledger, LinkQueue, Packet


def link(
    *windows: tuple[float, float], rate: float = 100.0, buffer: int = 10_000
) -> tuple[LinkQueue, Ledger]:
    ledger = Ledger()
    return LinkQueue([Contact(0, 1, start, end, rate) for start, end in windows], buffer, ledger), ledger


def drain(queue: LinkQueue) -> list[tuple[float, int]]:
    """Everything that still leaves: when, and which packet."""
    left = []
    while queue.sent_s < math.inf:
        t_s = queue.sent_s
        left.append((t_s, queue.sent()[0].number))
    return left


def test_packets_leave_one_after_the_other_at_the_links_rate() -> None:
    queue, _ = link((0, 100))
    for number, size in enumerate((100, 250, 50)):
        queue.offer(0.0, Packet(number, 1, size))
    assert drain(queue) == [(1.0, 0), (3.5, 1), (4.0, 2)]
    assert queue.queued_bytes == 0


def test_packet_waits_through_a_gap_and_is_sent_whole_in_one_contact() -> None:
    queue, _ = link((0, 10), (50, 60))
    queue.offer(8.0, Packet(0, 1, 300))  # needs 3 s, 2 are left
    queue.offer(8.0, Packet(1, 1, 100))
    assert drain(queue) == [(53.0, 0), (54.0, 1)]


def test_priority_then_deadline_then_arrival_decide_who_is_next() -> None:
    queue, _ = link((10, 100))
    for number, priority, deadline_s in ((0, 0, 90.0), (1, 0, 50.0), (2, 3, math.inf), (3, 0, 50.0)):
        queue.offer(float(number), Packet(number, 1, 100, priority, deadline_s))
    # The first was alone when it came, and is on the link.
    assert [number for _, number in drain(queue)] == [0, 2, 1, 3]


def test_full_buffer_loses_the_newcomer() -> None:
    queue, ledger = link((0, 100), buffer=250)
    for number in range(3):
        queue.offer(0.0, Packet(number, 1, 100))
    assert (ledger.lost, ledger.lost_bytes) == ({"overflow": 1}, {"overflow": 100})
    queue.sent()
    queue.offer(1.0, Packet(3, 1, 100))
    assert [number for _, number in drain(queue)] == [1, 3]


def test_what_cannot_make_its_deadline_or_fits_no_contact_is_lost_with_that_cause() -> None:
    queue, ledger = link((0, 10))
    for number, size, deadline_s in ((0, 500, math.inf), (1, 100, 5.5), (2, 600, math.inf), (3, 100, 7.0)):
        queue.offer(0.0, Packet(number, 1, size, deadline_s=deadline_s))
    assert drain(queue) == [(5.0, 0), (6.0, 3)]
    assert ledger.lost == {"expired": 1, "no contact": 1}


def test_idle_link_has_nothing_to_send() -> None:
    queue, _ = link((0, 10))
    with pytest.raises(ValueError, match="the link is idle: nothing leaves"):
        queue.sent()
    with pytest.raises(ValueError, match="packet 1 has 0 bytes: it has 1 or more"):
        Packet(1, 1, 0)


def test_packet_is_stored_and_forwarded_over_links_that_are_never_up_together() -> None:
    plan = ContactPlan([Contact(0, 1, 0, 10, 100, 0.5), Contact(1, 2, 20, 30, 100, 0.5)])
    network = Forwarding(plan, 1000)
    network.offer(1.0, 0, Packet(0, 2, 200))
    network.advance(15.0)
    assert (network.ledger.delivered, network.held_bytes) == (0, 200)
    network.advance(100.0)
    assert [(one.t_s, one.packet.number) for one in network.deliveries] == [(22.5, 0)]


def test_packet_without_a_way_is_lost_as_such_and_late_offers_are_refused() -> None:
    network = Forwarding(ContactPlan([Contact(0, 1, 0, 10, 100)]), 1000)
    network.offer(1.0, 1, Packet(0, 0, 10))
    network.advance(5.0)
    assert network.ledger.lost == {"no route": 1}
    with pytest.raises(ValueError, match=r"the links are at 5\.0 s: a packet of 4\.0 s comes too late"):
        network.offer(4.0, 0, Packet(1, 1, 10))


@st.composite
def plans(draw: st.DrawFn) -> list[Contact]:
    contacts = []
    for source in range(4):
        for target in range(4):
            t_s = 0.0
            while source != target and draw(st.booleans()):
                start_s = t_s + draw(st.integers(0, 20))
                t_s = start_s + draw(st.integers(1, 20))
                contacts.append(
                    Contact(source, target, start_s, t_s, draw(st.sampled_from([7.0, 50.0])), 0.1)
                )
    return contacts


PACKETS = st.lists(
    st.tuples(
        st.integers(0, 40),
        st.integers(0, 3),
        st.integers(0, 3),
        st.integers(1, 300),
        st.integers(0, 2),
        st.sampled_from([20.0, 60.0, math.inf]),
    ),
    max_size=25,
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(plans(), PACKETS, st.integers(1, 500), st.lists(st.integers(0, 120), max_size=6))
def test_every_byte_is_delivered_lost_with_a_cause_or_still_held(
    contacts: list[Contact],
    packets: list[tuple[int, int, int, int, int, float]],
    buffer: int,
    stops: list[int],
) -> None:
    network = Forwarding(ContactPlan(contacts), buffer)
    for number, (t_s, node, target, size, priority, deadline_s) in enumerate(packets):
        network.offer(float(t_s), node, Packet(number, target, size, priority, deadline_s))
    for stop in [*sorted(stops), 1000]:
        network.advance(float(stop))
        ledger = network.ledger
        assert network.held_bytes == ledger.open_bytes >= 0
        assert ledger.delivered_bytes == sum(one.packet.size_bytes for one in network.deliveries)
    assert network.held_bytes == 0
    assert ledger.offered == len(packets) == ledger.delivered + ledger.lost.total()
    assert set(ledger.lost) <= {"overflow", "expired", "no contact", "no route"}
    assert len({one.packet.number for one in network.deliveries}) == ledger.delivered
    assert all(one.packet.target == packets[one.packet.number][2] for one in network.deliveries)
    times = [one.t_s for one in network.deliveries]
    assert times == sorted(times)


def test_same_offers_same_deliveries() -> None:
    contacts = [Contact(a, (a + 1) % 4, 10.0 * k, 10.0 * k + 6, 30.0) for a in range(4) for k in range(8)]

    def run() -> list[tuple[float, int]]:
        network = Forwarding(ContactPlan(contacts), 400)
        for number in range(40):
            network.offer(number * 0.7, number % 4, Packet(number, (number + 2) % 4, 20 + number, number % 3))
        network.advance(500.0)
        return [(one.t_s, one.packet.number) for one in network.deliveries]

    assert run() == run() and len(run()) > 10
    assert len(merged(contacts)) == 4
