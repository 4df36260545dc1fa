"""Links: contact, order, custody, rate, price."""

from collections.abc import Callable

import pytest

from ascnode_hil.faults import HilFaults
from ascnode_hil.heard import Heard
from ascnode_hil.measure import Measurement
from ascnode_hil.node import FOREVER_S, HilNode
from ascnode_hil.sky import HilSky
from ascnode_hil.suites.work import image, images

_BEACON = {"acceptance", "completion", "event"}


def _works_unheard(node: HilNode, sky: HilSky, deadlines_s: list[int]) -> None:
    # Results of queries with these deadlines wait in the node, with housekeeping; nothing has been sent.
    node.configure(housekeeping_period=20)
    sky.sun()
    node.step(3)
    for priority, deadline_s in enumerate(deadlines_s):  # done in this order, whatever the deadlines
        node.query(image(), priority, deadline_s)
    node.advance(60)
    assert node.state("jobs done") == len(deadlines_s)
    assert not node.heard


def _urgency(heard: Heard) -> int:
    return 0 if heard.name in _BEACON else 1 if heard.name == "result" else 2


@pytest.mark.ascnode_requirement("LNK-01")
@pytest.mark.parametrize(
    ("starts_s", "locked", "speaks"),
    [(None, False, False), (0, False, False), (None, True, False), (100, True, False), (0, True, True)],
)
def test_the_radio_speaks_in_a_planned_contact_with_lock_only(
    ascnode_node: HilNode, starts_s: int | None, locked: bool, speaks: bool
) -> None:
    node = ascnode_node
    if starts_s is not None:
        node.plan("contacts", [(starts_s, FOREVER_S)])
    node.lock(locked)
    assert bool(node.step(5)) == speaks
    assert bool(node.state("contact")) == speaks


@pytest.mark.ascnode_requirement("LNK-02")
def test_packets_go_down_by_priority_then_deadline(ascnode_node: HilNode, ascnode_sky: HilSky) -> None:
    node = ascnode_node
    deadlines_s = [900, 300, 700, 500]
    _works_unheard(node, ascnode_sky, deadlines_s)
    ascnode_sky.contact()
    heard = [one for one in node.step(3) if one.made_s < 60]
    assert {_urgency(one) for one in heard} == {0, 1, 2}
    urgencies = [_urgency(one) for one in heard]
    assert urgencies == sorted(urgencies)
    jobs = [one.fields["job"] for one in heard if one.name == "result"]
    assert jobs == sorted(jobs, key=lambda job: deadlines_s[job - 1])


@pytest.mark.ascnode_requirement("LNK-03")
def test_a_result_is_sent_again_until_the_ground_has_it(
    ascnode_node: HilNode, ascnode_sky: HilSky, ascnode_measure: Callable[..., Measurement]
) -> None:
    node = ascnode_node
    ascnode_sky.sun()
    ascnode_sky.contact()
    node.step(3)
    timeout_s = node.parameter("custody_timeout")
    job, _ = node.query(images(node.seed, 1)[0])
    node.until(lambda: len(node.answers(job)) == 3, 3 * timeout_s + 30, "third copy of the result")
    first, second, third = node.answers(job)
    assert (first.count, first.output) == (second.count, second.output) == (third.count, third.output)
    for name, gap_s in (("first", second.sent_s - first.sent_s), ("second", third.sent_s - second.sent_s)):
        limits = (timeout_s - node.period_s, timeout_s + 2 * node.period_s)
        ascnode_measure(f"custody_{name}_resend", gap_s, "s", *limits)
    node.take_over(first.count)
    node.advance(3 * timeout_s)
    assert len(node.answers(job)) == 3


@pytest.mark.ascnode_requirement("LNK-04")
def test_custody_is_given_up_after_the_last_try_and_told(ascnode_node: HilNode, ascnode_sky: HilSky) -> None:
    node = ascnode_node
    node.configure(custody_tries=3, custody_timeout=5)
    ascnode_sky.sun()
    ascnode_sky.contact()
    node.step(3)
    job, _ = node.query(images(node.seed, 1)[0])
    node.advance(60)
    assert len(node.answers(job)) == 3
    assert [event.value for event in node.events("custody given up")] == [node.answers(job)[0].count]


@pytest.mark.ascnode_requirement("LNK-05")
def test_no_more_is_sent_than_the_rate_carries(
    ascnode_node: HilNode, ascnode_sky: HilSky, ascnode_measure: Callable[..., Measurement]
) -> None:
    node = ascnode_node
    _works_unheard(node, ascnode_sky, [600] * 8)
    rate = 70
    node.configure(radio_rate=rate, worth_result=1 << 29, worth_housekeeping=1 << 29)
    start_s = node.now_s
    ascnode_sky.contact()
    seconds = 10
    heard = node.advance(seconds)
    assert node.twin.node.computer.links.counters[1]  # more waits than went
    sent_bytes = sum(len(one.raw) for one in heard)
    ascnode_measure("throughput", sent_bytes / seconds, "B/s", rate * 0.8, rate)
    so_far = 0
    for one in heard:
        so_far += len(one.raw)
        assert so_far <= rate * (one.sent_s - start_s) + 1e-6, "a packet left before its bytes could"


@pytest.mark.ascnode_requirement("LNK-06")
@pytest.mark.parametrize(
    ("charge_limit", "kinds"), [("charge_low", _BEACON | {"result"}), ("charge_safe", _BEACON)]
)
def test_under_load_shedding_only_what_is_worth_its_energy_is_sent(
    ascnode_node: HilNode, ascnode_sky: HilSky, charge_limit: str, kinds: set[str]
) -> None:
    node = ascnode_node
    _works_unheard(node, ascnode_sky, [900, 901])
    node.sense_charge(node.parameter(charge_limit) / 1000 - 0.02)
    node.step(2)
    ascnode_sky.contact()
    heard = {one.name for one in node.advance(60)}
    assert heard <= kinds
    assert heard >= kinds - {"acceptance", "completion"}
    assert node.twin.node.computer.links.held()


@pytest.mark.ascnode_requirement("LNK-07")
@pytest.mark.parametrize("effect", ["drop", "bit_errors", "duplicate", "reorder", "delay"])
def test_every_accepted_query_is_answered_through_a_bad_radio(
    ascnode_node: HilNode, ascnode_faults: HilFaults, ascnode_sky: HilSky, effect: str
) -> None:
    node = ascnode_node
    rate = 2e-3 if effect == "bit_errors" else 0.3
    ascnode_faults(
        {"kind": "radio", "way": "down", "effect": effect, "rate": rate, "start_s": 10, "delay_s": 7}
    )
    ascnode_sky.sun()
    ascnode_sky.contact()
    node.advance(10)
    jobs = [node.query(picture)[0] for picture in images(node.seed, 10)]
    heard: set[int] = set()
    while node.now_s < 300 and len({answer.job for answer in node.answers()}) < len(jobs):
        node.advance(5)
        counts = {answer.count for answer in node.answers()} - heard
        if counts:
            node.take_over(*counts)
            heard |= counts
    assert {answer.job for answer in node.answers()} == set(jobs)
    assert {answer.code for answer in node.answers()} == {"ok"}
    assert any(one.target == "down" for one in ascnode_faults.injected)
    ascnode_faults.became("recovered" if effect in ("drop", "bit_errors") else "tolerated")
