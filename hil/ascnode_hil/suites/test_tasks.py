"""Tasks: admission, order, deadlines, answers."""

from collections import Counter

import pytest

from ascnode.scenario.hardware import KELVIN_AT_0_C
from ascnode_hil.node import HilNode, Sent
from ascnode_hil.sky import HilSky
from ascnode_hil.suites.work import SLOTS, hold, image, images, lengthen, release


def _ready(node: HilNode, sky: HilSky) -> None:
    sky.sun()
    sky.contact()
    node.step(3)
    assert node.mode in ("COMPUTE", "DOWNLINK")


def _code(node: HilNode, sent: Sent) -> str:
    node.until(lambda: node.report(sent), 30, "acceptance report of a query")
    report = node.report(sent)
    assert report is not None
    return report.code


@pytest.mark.ascnode_requirement("TSK-01")
@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("none", "ok"),
        ("low charge", "load shed"),
        ("hot", "too hot"),
        ("empty reserve", "battery reserve"),
        ("deadline", "deadline cannot be met"),
        ("full", "queue full"),
    ],
)
def test_a_query_is_refused_for_what_forbids_it(
    ascnode_node: HilNode, ascnode_sky: HilSky, condition: str, code: str
) -> None:
    node = ascnode_node
    _ready(node, ascnode_sky)
    if condition == "low charge":
        node.sense_charge(node.parameter("charge_low") / 1000 - 0.02)
    elif condition == "hot":
        node.sense_accelerator_c(node.parameter("temperature_trip") / 100 - KELVIN_AT_0_C + 1)
    elif condition == "empty reserve":
        node.sense_charge(node.parameter("charge_reserve") / 1000 - 0.02)
        node.plan("eclipses", [(int(node.now_s), int(node.now_s) + 2000)])
    elif condition == "full":
        lengthen(node)
        for _ in range(SLOTS):
            node.query(image(), deadline_s=100_000)
    node.step(2)
    _, sent = node.query(image(), deadline_s=0 if condition == "deadline" else 100_000)
    assert _code(node, sent) == code


@pytest.mark.ascnode_requirement("TSK-02")
def test_jobs_run_by_priority_then_by_deadline(ascnode_node: HilNode, ascnode_sky: HilSky) -> None:
    node = ascnode_node
    _ready(node, ascnode_sky)
    hold(node)
    urgencies = {}
    for priority, deadline_s in ((2, 500), (1, 900), (1, 700), (0, 990), (2, 400), (0, 950)):
        job, _ = node.query(image(), priority, deadline_s)
        urgencies[job] = (priority, deadline_s)
    node.step(3)
    assert not node.answers()
    release(node)
    node.until(lambda: len(node.answers()) >= len(urgencies), 120, "all results")
    made = [
        one.fields["job"] for one in sorted(node.heard, key=lambda one: one.made_s) if one.name == "result"
    ]
    order = list(dict.fromkeys(made))
    assert order == sorted(urgencies, key=lambda job: urgencies[job])


@pytest.mark.ascnode_requirement("TSK-03")
def test_a_job_past_its_deadline_is_reported_expired_at_once(
    ascnode_node: HilNode, ascnode_sky: HilSky
) -> None:
    node = ascnode_node
    _ready(node, ascnode_sky)
    hold(node)
    job, sent = node.query(image(), deadline_s=30)
    due_s = int(node.now_s + 30)
    node.until(lambda: node.answer(job), 60, "result of a job past its deadline")
    (result,) = [one for one in node.heard if one.name == "result"]
    assert result.code == "deadline passed"
    assert due_s <= result.made_s <= due_s + node.period_s
    completion = node.report(sent, "completion")
    assert completion is not None and completion.code == "deadline passed"
    assert node.state("jobs expired") == 1


@pytest.mark.ascnode_requirement("TSK-04")
def test_every_accepted_query_is_answered_once(ascnode_node: HilNode, ascnode_sky: HilSky) -> None:
    node = ascnode_node
    _ready(node, ascnode_sky)
    sent = dict(node.query(picture, priority=i % 3) for i, picture in enumerate(images(node.seed, 12)))
    node.until(lambda: len(node.answers()) >= 12, 120, "12 results")
    node.take_over(*(answer.count for answer in node.answers()))
    node.advance(60)
    assert Counter(answer.job for answer in node.answers()) == dict.fromkeys(sent, 1)
    assert {answer.code for answer in node.answers()} == {"ok"}
    for telecommand in sent.values():
        done = [
            h.code
            for h in node.heard
            if h.name == "completion" and h.fields["sequence"] == telecommand.sequence
        ]
        assert done == ["ok"]
