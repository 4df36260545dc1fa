"""Roll-outs over twins: lossy and short contacts, interruptions, canaries, one node of several."""

import sqlite3
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from ascnode.push import campaign
from ascnode.push.command import chosen
from ascnode.push.health import Health
from ascnode.push.package import Package, model_package
from ascnode.push.pusher import IN_USE, REFUSED, ROLLED_BACK, UNFINISHED
from ascnode_fw.flight.transfer import BLOCK
from ascnode_fw.wire import dictionary as d
from push.flights import fly, model, only, payload, scenario
from push.ground import answer, other_image

LOSS = {"kind": "radio", "effect": "drop", "rate": 0.3, "way": "both"}


def long_image(blocks: int) -> Package:
    """Moved about, and refused at the end: a model with so much behind it."""
    return Package(d.UPDATE_MODEL, other_image() + bytes(blocks * BLOCK), 1)


def test_a_lossy_radio_costs_chunks_and_nothing_else(tmp_path: Path) -> None:
    outcome = only(fly(tmp_path, scenario(LOSS), model(payload())))
    assert (outcome.state, outcome.sent) == (IN_USE, 6)
    again = only(fly(tmp_path, scenario({**LOSS, "rate": 0.5}), long_image(10)))
    assert again.sent == len(long_image(10).chunks())
    assert again.resent > again.sent // 4
    assert (again.state, again.why) == (REFUSED, "image makes no sense here")


def test_without_lasers_chunks_go_up_in_passes_only(tmp_path: Path) -> None:
    flown = scenario(lasers={"layout": "none"}, duration_s=20_000, users={"cities": ["0,-78.5"]})
    outcome = only(fly(tmp_path, flown, model(payload())))
    assert outcome.state == IN_USE
    assert 1 <= outcome.contacts <= 4


def test_a_flight_that_ends_too_early_is_taken_up_by_the_next(tmp_path: Path) -> None:
    short = scenario(duration_s=15)
    first = only(fly(tmp_path, short, long_image(30)))
    assert (first.state, first.new) == (UNFINISHED, first.old)
    assert 0 < first.sent < len(long_image(30).chunks())
    second = only(fly(tmp_path, scenario(), long_image(30)))
    assert second.state == REFUSED  # at its end
    assert second.sent < len(long_image(30).chunks())
    assert first.sent + second.sent >= len(long_image(30).chunks())


def test_a_node_that_has_the_model_gets_nothing(tmp_path: Path) -> None:
    fly(tmp_path, scenario(), model(payload()))
    outcome = only(fly(tmp_path, scenario(), model(payload())))
    assert (outcome.state, outcome.why, outcome.sent) == (IN_USE, "it had it", 0)


def test_one_node_that_fails_does_not_keep_the_others_from_it(tmp_path: Path) -> None:
    faults = {"kind": "radio", "effect": "drop", "rate": 1.0, "way": "up", "node": "sat-0-1"}
    result = fly(tmp_path, scenario(faults, boards=3), model(payload()))
    assert [one.state for one in result.outcomes] == [IN_USE, UNFINISHED, IN_USE]
    assert result.outcomes[1].why


def test_a_canary_that_answers_as_before_lets_the_others_have_it(tmp_path: Path) -> None:
    result = fly(tmp_path, scenario(boards=2), model(payload()), canary=1, queries=10)
    assert ([one.state for one in result.outcomes], result.stopped) == ([IN_USE, IN_USE], "")


def test_a_canary_that_gets_worse_is_taken_back_and_stops_the_rest(tmp_path: Path) -> None:
    result = fly(tmp_path, scenario(boards=3), worse_model(), canary=1, queries=20)
    assert [one.state for one in result.outcomes] == [ROLLED_BACK, campaign.NOT_TRIED, campaign.NOT_TRIED]
    assert result.outcomes[0].new == result.outcomes[0].old
    assert "answers are right" in result.stopped


def worse_model() -> Package:
    """Passes its own self-test, and gives the same class for all."""
    image = bytearray(other_image())
    layers = int.from_bytes(image[6:8], "little")
    last = 20 + (layers - 1) * 88
    image[last + 17 * 4] = image[last + 18 * 4] = 130  # clamps of its outputs: all alike
    whole = bytes(image[:-4]) + crc32(image[:-4]).to_bytes(4, "little")
    data = payload().images[0].tobytes()
    return model_package(whole, data, answer(whole, data))


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (Health(50, 47, 0), Health(50, 47, 0), ""),
        (Health(50, 47, 0), Health(50, 46, 0), ""),
        (Health(50, 47, 0), Health(50, 45, 0), "45 of 50 answers are right, and 47 were before"),
        (Health(50, 47, 2), Health(50, 49, 3), "3 errors, and 2 before"),
    ],
)
def test_worse_is_fewer_right_answers_or_more_errors(before: Health, after: Health, why: str) -> None:
    assert after.worse_than(before, 0.02) == why


@pytest.mark.parametrize(("to", "nodes"), [("all", (0, 1, 2)), ("b", (1,)), ("c,a", (2, 0)), ("a,a", (0,))])
def test_nodes_are_named(to: str, nodes: tuple[int, ...]) -> None:
    assert chosen(to, ["a", "b", "c"]) == nodes


def test_the_same_push_gives_the_same_record(tmp_path: Path) -> None:
    digests = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        fly(folder, scenario(LOSS), model(payload()))
        digests.append(frames(folder / "push0.sqlite"))
    assert digests[0] == digests[1]


def frames(path: Path) -> list[Any]:
    with sqlite3.connect(path) as record:
        return record.execute("select * from frames").fetchall()
