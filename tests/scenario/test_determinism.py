"""The same seed gives the same record, on however many threads, and with the boards' twins in it."""

import sqlite3
from pathlib import Path

import pytest

from ascnode.mesh import threads as pool
from ascnode.scenario.scenario import Scenario
from scenario.flight import fly, scenario

TEXT = """
duration_s = 240
[constellation]
name = "starlink-gen1-1"
boards = [[0, 0], [18, 5]]
compute = 20
[users]
cities = 20
[gateways]
sites = 10
[lasers]
outage_share = 0.05
[[workload]]
kind = "inference"
queries = 150
[[workload]]
kind = "training"
workers = 4
waves = 2
jobs = 2
[[fault]]
kind = "manoeuvre"
rate_per_day = 300
for_s = 60
"""


def digest(flown: Scenario, record: Path) -> str:
    return fly(flown, record)[2]


def test_the_same_seed_gives_the_same_record_on_any_number_of_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flown = scenario(tmp_path, TEXT)
    first = digest(flown, tmp_path / "first.sqlite")
    for threads in (1, 3):
        monkeypatch.setattr(pool, "_processors", lambda threads=threads: threads)
        assert digest(flown, tmp_path / f"{threads}.sqlite") == first
    other = flown.model_copy(update={"seed": 2})
    assert digest(other, tmp_path / "other.sqlite") != first


def test_the_record_tells_of_every_query_slot_and_node(tmp_path: Path) -> None:
    flown = scenario(tmp_path, TEXT)
    run, figures, _ = fly(flown, tmp_path / "run.sqlite")
    with sqlite3.connect(tmp_path / "run.sqlite") as db:
        (rows,) = db.execute("SELECT count(*) FROM queries").fetchone()
        assert rows == figures.queries_sent
        # the parts of every answer add up to its latency
        late = db.execute(
            "SELECT count(*) FROM queries WHERE answered_us IS NOT NULL AND answered_us - sent_us != "
            "uplink_us + mesh_us + queue_us + compute_us + wait_us + downlink_us"
        ).fetchone()
        assert late == (0,)
        assert db.execute("SELECT count(*) FROM slots").fetchone() == (run.slots,)
        # noon is 12 s before the first edge: slots start at 0, 12, 27 s and so on
        starts = [row[0] for row in db.execute("SELECT start_us FROM slots ORDER BY number LIMIT 3")]
        assert starts == [0, 12_000_000, 27_000_000]
        assert db.execute("SELECT count(*) FROM nodes").fetchone() == (20,)
        assert db.execute("SELECT max(satellites_out) FROM slots").fetchone()[0] > 0


def test_boards_answer_and_train_beside_simulated_nodes(tmp_path: Path) -> None:
    run, figures, _ = fly(scenario(tmp_path, TEXT), tmp_path / "run.sqlite")
    by_kind = {
        kind: [a for a in run.ledger.done if a.query.kind == kind] for kind in ("inference", "training")
    }
    assert len(by_kind["inference"]) > 100
    assert figures.training[0].waves == 2
    assert (
        sum(board.jobs_done for board in figures.per_board) >= 2 * 2 * 2 - 2
    )  # two boards, two waves, two jobs
    assert {a.node for a in by_kind["training"]} >= set(run.scenario.space.boards)
    assert figures.correct > 0.9 * figures.labelled
