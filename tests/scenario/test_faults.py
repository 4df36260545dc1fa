"""Faults of boards in a scenario: the run goes on to its end, and tells what was injected."""

import sqlite3
from pathlib import Path

import pytest

from ascnode.boards.interpreter import Interpreter, find_interpreter
from ascnode.errors import ScenarioError
from ascnode.scenario.hangar import check_faults
from ascnode.scenario.injected import DETECTED, OFF, RECOVERED
from ascnode.scenario.ledger import NOT_DOWN
from ascnode.scenario.run import RESTARTED, Run
from ascnode_fw.flight import layout as f_
from scenario.flight import fly, scenario

TEXT = """
duration_s = 240
[constellation]
boards = [[0, 0], [3, 5]]
compute = "boards"
[[constellation.shells]]
altitude_km = 1200
planes = 8
per_plane = 8
phasing = 1
[users]
cities = 20
min_elevation_deg = 10
[gateways]
sites = 10
[downlink]
gso_deg = 0
[lasers]
max_range_km = 7000
[[workload]]
kind = "inference"
queries = 60
[[workload]]
kind = "training"
workers = 2
waves = 2
jobs = 4
deadline_s = 90
"""
RADIO = """
[[fault]]
kind = "radio"
effect = "drop"
rate = 0.2
[[fault]]
kind = "radio"
effect = "bit_errors"
rate = 1e-4
[[fault]]
kind = "radio"
effect = "delay"
rate = 0.2
"""
WIRE = """
[[fault]]
kind = "wire"
effect = "drop"
rate = 0.05
start_s = 30
"""
RESET = """
[[fault]]
kind = "board"
effect = "reset"
start_s = 60
"""
POWER = """
[[fault]]
kind = "board"
effect = "power_cut"
start_s = 60.5
off_s = 30
node = [3, 5]
"""
WRITE = """
[[fault]]
kind = "board"
effect = "power_cut"
write = 2
halves = 1
off_s = 5
node = "sat-0-0"
"""
SENSOR = """
[[fault]]
kind = "sensor"
sensor = "array"
effect = "noisy"
[[fault]]
kind = "sensor"
sensor = "accelerator"
effect = "stuck"
value = 4000
start_s = 60
duration_s = 60
"""
UPSETS = "".join(
    f"""
[[fault]]
kind = "upset"
target = "{target}"
per_hour = 60
start_s = 10
end_s = 200
"""
    for target in ("plant", "flight", "params", "queue", "tasks")
)
MODEL = """
[[fault]]
kind = "upset"
target = "model"
word = 40
bit = 7
"""
SKY = """
[[fault]]
kind = "sky"
effect = "eclipse"
start_s = 50
end_s = 100
[[fault]]
kind = "sky"
effect = "contact"
start_s = 60
end_s = 90
[[fault]]
kind = "sky"
effect = "gateway"
start_s = 120
end_s = 150
"""
CLOCK = """
[[fault]]
kind = "clock"
ppm = 90000
node = 0
"""
OF_TWINS = {
    "reset": RESET,
    "write": WRITE,
    "upsets": UPSETS,
    "the rest": RADIO + POWER + SENSOR + SKY + CLOCK,
}
OF_BOARDS = {**OF_TWINS, "wire": WIRE, "model": MODEL}
BOARDS = find_interpreter()
needs_boards = pytest.mark.skipif(BOARDS is None, reason="no MicroPython interpreter on this machine")


def check(run: Run) -> None:
    """Every query ended once, or is found where it waits, and no part of an answer's time is negative."""
    ledger = run.ledger
    assert len(ledger.accounts) == 60 + 2 * 2 * 4
    assert len(ledger.done) + sum(ledger.causes().values()) == len(ledger.accounts)
    assert ledger.done
    for account in ledger.done:
        assert sum(account.parts) == account.answered_us - account.query.sent_us
        assert min(account.parts) >= 0


@pytest.mark.parametrize("faults", OF_TWINS.values(), ids=OF_TWINS)
def test_twins_go_on_to_the_end_through_any_fault_and_repeat_it(tmp_path: Path, faults: str) -> None:
    flown = scenario(tmp_path, TEXT + faults)
    run, figures, digest = fly(flown, tmp_path / "first.sqlite")
    check(run)
    assert figures.held == figures.causes.get(NOT_DOWN, 0)
    assert {one.kind for one in figures.faults} >= {one.kind for one in flown.fault}
    assert fly(flown, tmp_path / "second.sqlite")[2] == digest


@needs_boards
@pytest.mark.parametrize("faults", OF_BOARDS.values(), ids=OF_BOARDS)
def test_boards_go_on_to_the_end_through_any_fault_and_repeat_it(tmp_path: Path, faults: str) -> None:
    flown = scenario(tmp_path, TEXT + faults)
    run, figures, digest = fly(flown, tmp_path / "first.sqlite", BOARDS)
    check(run)
    assert figures.held == figures.causes.get(NOT_DOWN, 0)
    assert figures.parity_mismatches == 0
    assert {one.kind for one in figures.faults} >= {one.kind for one in flown.fault}
    assert fly(flown, tmp_path / "second.sqlite", BOARDS)[2] == digest


@pytest.mark.parametrize(
    "interpreter", [None, pytest.param(BOARDS, marks=needs_boards)], ids=["twins", "boards"]
)
def test_with_the_plant_in_the_host_the_same_answers_come_at_the_same_times(
    tmp_path: Path, interpreter: Interpreter | None
) -> None:
    eclipse = '[[fault]]\nkind = "sensor"\nsensor = "load"\neffect = "noisy"\ntrigger = "eclipse"\n'
    faults = RESET + POWER + SKY + eclipse
    runs = [
        fly(scenario(tmp_path, where + TEXT + faults), tmp_path / f"{i}.sqlite", interpreter)
        for i, where in enumerate(("", 'plant = "host"'))
    ]
    (on_board, figures, _), (in_host, of_host, _) = runs
    check(in_host)
    assert [a.answered_us for a in in_host.ledger.accounts] == [
        a.answered_us for a in on_board.ledger.accounts
    ]
    assert of_host.faults == figures.faults
    assert any(one.what == "load noise" for one in of_host.faults)
    assert of_host.parity_mismatches == 0
    assert in_host.status() == on_board.status()


def test_after_a_reset_a_board_has_its_plans_and_its_cap_again_and_answers_all_that_comes(
    tmp_path: Path,
) -> None:
    cap = "[[cap]]\nat_s = 20\nfor_s = 1000\neach_w = 90\n"
    run, figures, _ = fly(scenario(tmp_path, TEXT + RESET + cap), tmp_path / "run.sqlite")
    assert NOT_DOWN not in figures.causes
    later = [account for account in run.ledger.done if account.query.sent_us > 60_000_000]
    assert len(later) > 20
    for satellite, flyer in zip(run.satellites, run._flyers, strict=True):
        assert flyer.twin.node.computer.f[f_.BOOTS] == 1
        assert flyer.twin.node.computer.f[f_.CAP_PW] > 0
        assert not satellite.held()


def test_a_board_that_is_off_loses_what_it_held_with_a_cause(tmp_path: Path) -> None:
    run, figures, _ = fly(scenario(tmp_path, TEXT + WRITE), tmp_path / "run.sqlite")
    assert figures.causes[RESTARTED] > 0
    lost = {account.node for account in run.ledger.accounts if account.cause == RESTARTED}
    assert lost == {run.scenario.space.boards[0]}


def test_the_record_and_the_figures_tell_what_was_injected(tmp_path: Path) -> None:
    off = POWER.replace("off_s = 30", "off_s = 3000")
    flown = scenario(tmp_path, TEXT + RESET + off)
    _, figures, _ = fly(flown, tmp_path / "run.sqlite")
    with sqlite3.connect(tmp_path / "run.sqlite") as db:
        rows = db.execute("SELECT node, time_us, kind, target FROM faults WHERE target != 'off'").fetchall()
    assert sorted(rows) == [
        (0, 60_000_000, "board", "boot"),
        (0, 60_000_000, "board", "reset"),
        (1, 60_000_000, "board", "boot"),
        (1, 60_000_000, "board", "reset"),
        # a fault begins with the first period at or after its time
        (1, 61_000_000, "board", "power_cut"),
    ]
    assert [(one.what, one.injected, one.outcomes) for one in figures.faults] == [
        ("power_cut", 1, {OFF: 1}),
        ("reset", 2, {RECOVERED: 2}),
    ]


@needs_boards
def test_an_upset_of_a_board_alone_is_detected(tmp_path: Path) -> None:
    upset = '[[fault]]\nkind = "upset"\ntarget = "flight"\nstart_s = 100\n'
    _, figures, _ = fly(scenario(tmp_path, TEXT + upset), tmp_path / "run.sqlite", BOARDS)
    assert [(one.what, one.outcomes) for one in figures.faults] == [("flight", {DETECTED: 2})]
    with sqlite3.connect(tmp_path / "run.sqlite") as db:
        assert db.execute("SELECT count(*) FROM faults WHERE kind = 'divergence'").fetchone() == (2,)


@needs_boards
def test_a_bad_cable_changes_no_run_and_its_hits_are_no_part_of_the_digest(tmp_path: Path) -> None:
    quiet, _, _ = fly(scenario(tmp_path, TEXT), tmp_path / "quiet.sqlite", BOARDS)
    run, figures, _ = fly(scenario(tmp_path, TEXT + WIRE), tmp_path / "run.sqlite", BOARDS)
    assert [a.answered_us for a in run.ledger.accounts] == [a.answered_us for a in quiet.ledger.accounts]
    assert sum(one.injected for one in figures.faults) == sum(run.injected.wire.values()) > 0
    with sqlite3.connect(tmp_path / "run.sqlite") as db:
        assert db.execute("SELECT count(*) FROM faults").fetchone() == (0,)
        assert db.execute("SELECT count(*) FROM wall WHERE key = 'wire_faults'").fetchone() == (1,)


@pytest.mark.parametrize(
    ("faults", "says"),
    [
        (WIRE, "fault[0]: there is no cable to this node (sat-0-0, a twin alone)"),
        (SKY + MODEL, "fault[3]: a twin alone runs the host's model, not one in its memory"),
    ],
)
def test_what_a_twin_alone_cannot_be_given_is_refused(tmp_path: Path, faults: str, says: str) -> None:
    with pytest.raises(ScenarioError) as e:
        check_faults(scenario(tmp_path, TEXT + faults), None)
    assert says in str(e.value)


@pytest.mark.parametrize(
    ("faults", "says"),
    [
        (RESET + "node = 5", "fault.0.node: sat-0-5 is not a board of this scenario"),
        (RESET + "node = [99, 0]", "fault.0.node: board [99, 0] is not there"),
        (RESET + 'node = "sat-0"', "fault.0.node: sat-0 is not a board of this scenario"),
        (RESET + "off_s = 3", "fault.0: a reset takes no power away"),
        ("[fault]\nkind = 'board'", "fault: input should be a valid tuple"),
        (RESET + "start = 3", "fault.0.start: is not a key that a scenario has"),
        (RESET + "end_s = inf", "fault.0.end_s: input should be a finite number"),
        (CLOCK + "[[fault]]\nkind = 'cloud'", "fault.1: input tag 'cloud'"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_by_its_key(tmp_path: Path, faults: str, says: str) -> None:
    with pytest.raises(ScenarioError) as e:
        scenario(tmp_path, TEXT + faults)
    assert says in str(e.value)
    assert "\n" not in str(e.value)


def test_a_fault_of_boards_is_refused_where_there_are_none(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"fault\.0\.node: a board fault hits boards, and there are none"):
        scenario(tmp_path, TEXT + RESET).without_boards().board_faults()
