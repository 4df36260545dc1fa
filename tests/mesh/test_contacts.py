"""Earliest arrivals over contact plans, against every way there is."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ascnode.mesh.contacts import Contact, ContactPlan, merged

CONTACTS = st.builds(
    lambda source, hop, start, length, rate, delay: Contact(
        source, (source + hop) % 5, start, start + length, rate, delay
    ),
    st.integers(0, 4),
    st.integers(1, 4),
    st.integers(0, 30).map(float),
    st.integers(1, 20).map(float),
    st.sampled_from([1.0, 10.0, 100.0]),
    st.sampled_from([0.0, 0.5]),
)


def brute_force_s(
    contacts: Sequence[Contact],
    source: int,
    target: int,
    t_s: float,
    size: float,
    seen: frozenset[int] = frozenset(),
) -> float:
    """The earliest arrival over every way that visits no node twice."""
    if source == target:
        return t_s
    best_s = math.inf
    for contact in contacts:
        if contact.source == source and contact.target not in seen:
            sent_s = max(t_s, contact.start_s) + size / contact.rate_bytes_s
            if sent_s <= contact.end_s:
                onwards = (contact.target, target, sent_s + contact.delay_s, size, seen | {source})
                best_s = min(best_s, brute_force_s(contacts, *onwards))
    return best_s


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(CONTACTS, max_size=9), st.integers(0, 20), st.sampled_from([1.0, 10.0, 60.0]))
def test_journey_arrives_as_early_as_any_way(contacts: list[Contact], t_s: int, size: float) -> None:
    journey = ContactPlan(contacts).earliest(0, 4, float(t_s), size)
    expected = brute_force_s(contacts, 0, 4, float(t_s), size)
    assert journey.arrival_s == (expected if math.isinf(expected) else pytest.approx(expected))
    now_s, node = float(t_s), 0
    for contact in journey.contacts:
        assert contact.source == node
        now_s, node = contact.sent_s(now_s, size) + contact.delay_s, contact.target
    assert not journey.contacts or (node, now_s) == (4, journey.arrival_s)


def test_data_waits_for_the_contact_and_for_light() -> None:
    plan = ContactPlan(
        [Contact(0, 1, 10, 20, 100, 0.25), Contact(1, 2, 5, 12, 100), Contact(1, 2, 30, 40, 100, 1.0)]
    )
    journey = plan.earliest(0, 2, 0.0, 500)
    # 5 s from 10 s on, a quarter of light; the first contact onwards is over; 5 s from 30 s on, one of light.
    assert journey.arrival_s == 36.0
    assert [contact.start_s for contact in journey.contacts] == [10, 30]


def test_detour_that_is_open_beats_a_direct_contact_that_is_not() -> None:
    plan = ContactPlan([Contact(0, 2, 50, 60, 100), Contact(0, 1, 0, 10, 100), Contact(1, 2, 0, 10, 100)])
    assert [contact.target for contact in plan.earliest(0, 2, 0.0, 100).contacts] == [1, 2]
    assert [contact.target for contact in plan.earliest(0, 2, 9.5, 100).contacts] == [2]


def test_data_larger_than_a_contact_has_no_way() -> None:
    journey = ContactPlan([Contact(0, 1, 0, 10, 100)]).earliest(0, 1, 0.0, 1001)
    assert journey.contacts == () and math.isinf(journey.arrival_s)
    assert ContactPlan([Contact(0, 1, 0, 10, 100)]).earliest(0, 1, 0.0, 1000).arrival_s == 10.0


def test_who_is_there_has_arrived() -> None:
    assert ContactPlan([]).earliest(3, 3, 7.0, 100) == ContactPlan([]).earliest(3, 3, 7.0, 1)
    assert ContactPlan([]).earliest(3, 3, 7.0, 100).arrival_s == 7.0


def test_contacts_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="the contact from 5 s to 5 s is empty"):
        Contact(0, 1, 5, 5, 100)
    with pytest.raises(ValueError, match="a contact has a rate and no negative delay"):
        Contact(0, 1, 0, 5, 0)
    with pytest.raises(ValueError, match="node 1 has no contact with itself"):
        Contact(1, 1, 0, 5, 10)
    with pytest.raises(ValueError, match="two contacts from 0 to 1 overlap at 4 s"):
        merged([Contact(0, 1, 0, 5, 10), Contact(0, 1, 4, 9, 10)])
    assert np.isinf(Contact(0, 1, 0, 5, 10).sent_s(4.0, 11))
