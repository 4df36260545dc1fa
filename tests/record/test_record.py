"""The record: what is committed stays, the digest sees the deterministic tables alone."""

import sqlite3
from pathlib import Path

import pytest

from ascnode.errors import RecordError
from ascnode.record.database import Record, next_path
from ascnode.record.schema import VERSION


def fill(path: Path, energy_j: float = 117.5, wall_s: float = 1.0) -> str:
    with Record(path) as record:
        record.values("run", {"seed": 7})
        record.add("boards", 0, 401, "sat-18-5", "virtual", "0011", "0.1.0", "aa", 0)
        for body in (b"\x12\x34", b"\x56\x78"):
            record.numbered("frames", 0, 7_000_000, "up", body)
        parts = (5_000, 120_000, 100_000, 700_000, 71_000, 4_000)
        answer = (2_500_000, 4, energy_j)
        record.add("queries", 3, "inference", 401, "Lima", 9, 4, 1, 1_500_000, 61, *parts, *answer, 1, "", 1)
        record.values("wall", {"wall_s": wall_s})
        return record.digest()


def test_a_record_reads_as_plain_sqlite(tmp_path: Path) -> None:
    fill(tmp_path / "run.sqlite")
    with sqlite3.connect(tmp_path / "run.sqlite") as db:
        assert db.execute("SELECT number, direction, hex(body) FROM frames ORDER BY number").fetchall() == [
            (0, "up", "1234"),
            (1, "up", "5678"),
        ]
        assert db.execute("SELECT place, (answered_us - sent_us) / 1e6 FROM queries").fetchone() == (
            "Lima",
            1.0,
        )
        assert db.execute("PRAGMA user_version").fetchone() == (VERSION,) == (4,)


def test_the_digest_goes_by_time_then_node_then_number_not_by_who_wrote_first(tmp_path: Path) -> None:
    def digest(name: str, order: tuple[int, ...]) -> str:
        rows = [(0, 5_000_000, b"a"), (1, 3_000_000, b"b"), (2, 5_000_000, b"c")]
        with Record(tmp_path / name) as record:
            for i in order:
                node, time_us, body = rows[i]
                record.numbered("frames", node, time_us, "up", body)
            return record.digest()

    assert digest("one.sqlite", (0, 1, 2)) == digest("other.sqlite", (2, 1, 0))


def test_the_digest_ignores_wall_time_and_sees_all_else(tmp_path: Path) -> None:
    digest = fill(tmp_path / "a.sqlite")
    assert fill(tmp_path / "b.sqlite", wall_s=99.0) == digest
    assert fill(tmp_path / "c.sqlite", energy_j=117.6) != digest


def test_what_was_committed_outlives_a_writer_that_never_closed(tmp_path: Path) -> None:
    record = Record(tmp_path / "run.sqlite")
    record.numbered("frames", 0, 0, "up", b"kept")
    record.commit()
    record.numbered("frames", 0, 0, "up", b"not yet")
    with sqlite3.connect(tmp_path / "run.sqlite") as db:
        assert db.execute("SELECT body FROM frames").fetchall() == [(b"kept",)]
    record.close()


def test_an_error_under_way_still_commits_what_came_before_it(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), Record(tmp_path / "run.sqlite") as record:
        record.numbered("frames", 0, 0, "up", b"kept")
        _ = 1 / 0
    with sqlite3.connect(tmp_path / "run.sqlite") as db:
        assert db.execute("SELECT body FROM frames").fetchall() == [(b"kept",)]


@pytest.mark.parametrize("name", ["taken/run.sqlite", "file/run.sqlite"])
def test_a_place_that_cannot_hold_a_record_is_one_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "taken" / "run.sqlite").mkdir(parents=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordError, match=r"run\.sqlite cannot be written"):
        Record(tmp_path / name)


def test_runs_are_numbered_and_none_is_overwritten(tmp_path: Path) -> None:
    assert next_path(tmp_path / "runs", "demo").name == "demo-0001.sqlite"
    (tmp_path / "demo-0001.sqlite").touch()
    (tmp_path / "demo-0002.sqlite").touch()
    (tmp_path / "other-0003.sqlite").touch()
    assert next_path(tmp_path, "demo").name == "demo-0003.sqlite"
