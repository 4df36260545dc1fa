"""The report of the stress scenario is right against the record: each figure again, in plain SQL."""

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from report.reading import Parsed, report_of, section, stress, words

PARTS = ("uplink", "mesh", "queue", "compute", "wait", "downlink")


@pytest.fixture(params=[0.2, pytest.param(1.0, marks=pytest.mark.deep)], ids=["part", "whole"])
def record(request: pytest.FixtureRequest) -> Path:
    return stress(request.param)


@pytest.fixture
def db(record: Path) -> sqlite3.Connection:
    return sqlite3.connect(record)


@pytest.fixture
def parsed(record: Path) -> Parsed:
    return Parsed(report_of(record))


def quantile(values: Sequence[float], percent: float) -> float:
    """Linear between the two nearest ranks."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def one(db: sqlite3.Connection, query: str) -> float:
    return float(db.execute(query).fetchone()[0])


def test_queries_are_counted_as_the_record_has_them(db: sqlite3.Connection, parsed: Parsed) -> None:
    told = parsed.figures()
    where = "SELECT count(*) FROM queries WHERE "
    assert told["sent"] == one(db, where + "1") > 5000
    assert told["timely"] == one(db, where + "answered_us <= deadline_s * 1000000") > 0
    assert told["late"] == one(db, where + "answered_us > deadline_s * 1000000")
    assert told["lost"] == one(db, where + "answered_us IS NULL AND cause != ''") > 0
    assert told["timely"] + told["late"] + told["lost"] == told["sent"]


def test_the_runs_own_closing_figures_say_the_same(db: sqlite3.Connection, parsed: Parsed) -> None:
    closing = {key: json.loads(value) for key, value in db.execute("SELECT key, value FROM figures")}
    told = parsed.figures()
    assert told["sent"] == closing["queries_sent"]
    assert told["late"] == closing["late"]
    assert told["lost"] == closing["lost"]
    assert told["latency_p95_s"] == pytest.approx(closing["latency_s"]["p95"], abs=5e-4)
    assert told["energy_j"] == pytest.approx(closing["energy_j_per_answer"], abs=5e-4)
    assert told["accuracy"] == pytest.approx(closing["correct"] / closing["labelled"])
    assert {key: int(row["count"]) for key, row in parsed.of("cause").items()} == closing["causes"]


def test_latency_and_each_of_its_parts(db: sqlite3.Connection, parsed: Parsed) -> None:
    told, parts = parsed.figures(), parsed.of("part")
    answered = " FROM queries WHERE answered_us IS NOT NULL"
    latency = [row[0] for row in db.execute("SELECT (answered_us - sent_us) / 1e6" + answered)]
    for percent in (50, 95, 99):
        assert told[f"latency_p{percent}_s"] == pytest.approx(quantile(latency, percent), abs=1e-6)
    for part in (*PARTS, "together"):
        column = "answered_us - sent_us" if part == "together" else f"{part}_us"
        values = [row[0] for row in db.execute(f"SELECT ({column}) / 1e6" + answered)]
        for percent in (5, 50, 90, 95, 99, 100):
            assert float(parts[part][f"p{percent}"]) == pytest.approx(quantile(values, percent), abs=1e-6)


def test_causes_of_loss_with_their_counts_and_examples(record: Path, db: sqlite3.Connection) -> None:
    page = report_of(record)
    counted = dict(
        db.execute(
            "SELECT cause, count(*) FROM queries WHERE answered_us IS NULL AND cause != '' GROUP BY cause"
        )
    )
    assert {key: int(row["count"]) for key, row in Parsed(page).of("cause").items()} == counted
    lost = words(section(page, "Late or lost"))
    for cause in counted:
        first = db.execute(
            "SELECT job, place FROM queries WHERE cause = ? ORDER BY sent_us, job LIMIT 1", (cause,)
        ).fetchone()
        assert f"job {first[0]}, {first[1]}, " in lost


def test_late_answers_go_to_the_part_that_exceeds_its_median_most(
    db: sqlite3.Connection, parsed: Parsed
) -> None:
    answered = " FROM queries WHERE answered_us IS NOT NULL"
    columns = ", ".join(f"{part}_us" for part in PARTS)
    rows = db.execute(f"SELECT {columns}, answered_us > deadline_s * 1000000{answered}").fetchall()
    medians = [quantile([row[i] for row in rows], 50) for i in range(len(PARTS))]
    counted: dict[str, int] = {}
    for row in rows:
        if row[-1]:
            beyond = [row[i] - medians[i] for i in range(len(PARTS))]
            part = PARTS[beyond.index(max(beyond))]
            counted[part] = counted.get(part, 0) + 1
    assert {key: int(row["count"]) for key, row in parsed.of("late").items() if "node" not in row} == counted


def test_the_sky_figures(db: sqlite3.Connection, parsed: Parsed) -> None:
    told = parsed.figures()
    assert told["charge_min"] == one(db, "SELECT min(charge_min) FROM slots")
    assert told["accelerator_max_c"] == pytest.approx(
        one(db, "SELECT max(accelerator_max_k) - 273.15 FROM slots")
    )
    assert told["load_mean_w"] == pytest.approx(one(db, "SELECT avg(load_w) FROM slots"))
    assert told["users_served_min"] == one(db, "SELECT min(users_served) FROM slots")


def test_the_worst_nodes_and_what_was_lost_at_them(db: sqlite3.Connection, parsed: Parsed) -> None:
    rows = parsed.of("node")
    assert len(rows) == 12
    lost = dict(
        db.execute(
            "SELECT node, count(*) FROM queries WHERE answered_us IS NULL AND cause != '' GROUP BY node"
        )
    )
    answers = dict(
        db.execute("SELECT node, count(*) FROM queries WHERE answered_us IS NOT NULL GROUP BY node")
    )
    for node, row in rows.items():
        assert int(row["lost"]) == lost.get(int(node), 0)
        assert int(row["answers"]) == answers.get(int(node), 0)
    left_out = [n for (n,) in db.execute("SELECT node FROM nodes") if str(n) not in rows]
    assert min(int(row["lost"]) + int(row["late"]) for row in rows.values()) >= max(
        lost.get(node, 0) for node in left_out
    )
