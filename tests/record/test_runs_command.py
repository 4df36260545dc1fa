"""`ascnode runs` as a user types it."""

import csv
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ascnode.errors import RecordError
from ascnode.record import export
from ascnode.record.catalogue import find_record, process_mark, records, state_of, verdict_of
from ascnode.record.database import Record
from ascnode.record.reader import open_record
from ascnode.record.sheets import Column, Sheet, sheets
from loop.demo_process import run


def test_a_list_shows_the_newest_first_and_names_what_cannot_be_read(runs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    shutil.copytree(runs, folder)
    for age, name in enumerate(("small-0002", "other-0001", "small-0001", "small-0003")):
        os.utime(folder / f"{name}.sqlite", (1e9 - age, 1e9 - age))
    (folder / "torn-0001.sqlite").write_bytes(b"SQLite format 3\0" + bytes(50))
    status, out, error = run(tmp_path, "runs", "list", "--json")
    assert (status, error) == (0, "")
    listed = json.loads(out)
    assert [one["name"] for one in listed["runs"]] == ["small-0002", "other-0001", "small-0001", "small-0003"]
    assert len(listed["unreadable"]) == 1 and "torn-0001" in listed["unreadable"][0]
    one = listed["runs"][2]
    assert (one["satellites"], one["boards"], one["queries_sent"]) == (1584, 2, 30)
    assert (one["flown_s"], one["length_s"], one["state"], one["verdict"]) == (90, 90, "whole", "pass")
    status, out, _ = run(tmp_path, "runs", "list")
    assert status == 0 and out.index("small-0002") < out.index("other-0001") < out.index("torn-0001")


def test_a_folder_without_runs_says_how_to_make_one(tmp_path: Path) -> None:
    status, out, error = run(tmp_path, "runs", "list")
    assert (status, error) == (0, "")
    assert "No runs in runs/" in out and "ascnode demo" in out


def test_a_run_is_shown_by_name_with_what_its_record_counts(runs: Path) -> None:
    status, out, error = run(runs.parent, "runs", "show", "small-0001", "--folder", runs, "--json")
    assert (status, error) == (0, "")
    shown = json.loads(out)
    with sqlite3.connect(runs / "small-0001.sqlite") as db:
        (answered,) = db.execute("SELECT count(answered_us) FROM queries").fetchone()
        (digest,) = db.execute("SELECT value FROM wall WHERE key = 'record_sha256'").fetchone()
        (latency,) = db.execute("SELECT value FROM figures WHERE key = 'latency_s'").fetchone()
        per_board = dict(db.execute("SELECT node, count(*) FROM frames GROUP BY node"))
    assert shown["queries_answered"] == answered > 0
    assert (
        shown["queries_sent"] == 30 == answered + shown["queries_under_way"] + sum(shown["causes"].values())
    )
    assert shown["record_sha256"] == json.loads(digest)
    assert shown["latency_s"] == json.loads(latency)
    assert {one["node"]: one["frames"] for one in shown["board_rows"]} == per_board
    assert shown["events"]["info: boot"] == 2
    assert shown["versions"]["python"].startswith("3.")
    assert {one["outcome"] for one in shown["measurements"]} == {"pass"}
    status, out, _ = run(runs.parent, "runs", "show", "3", "--folder", runs)
    assert status == 0 and "small-0003" in out and "hottest accelerator" in out


def test_a_damaged_or_absent_run_is_one_sentence_and_a_status(runs: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.sqlite"
    data = bytearray((runs / "small-0001.sqlite").read_bytes())
    data[4096 * 5 : 4096 * 8] = os.urandom(4096 * 3)
    broken.write_bytes(data)
    for arguments, words in (
        (("show", broken), "broken.sqlite is damaged: "),
        (("show", "demo-0009"), "no run 'demo-0009' in runs/"),
        (("show", "absent/run.sqlite"), "there is no such record"),
        (("diff", broken, tmp_path / "none.sqlite"), "none.sqlite"),
        (("export", runs / "small-0001.sqlite"), "--csv DIR and --parquet DIR"),
    ):
        status, out, error = run(tmp_path, "runs", *arguments)
        assert (status, out) == (1, ""), arguments
        assert error.startswith("ascnode: ") and error.count("\n") == 1 and words in error


def test_a_number_that_several_runs_have_is_refused_with_their_names(runs: Path) -> None:
    assert find_record("2", runs) == runs / "small-0002.sqlite"
    with pytest.raises(RecordError, match="2 runs have the number 1: other-0001, small-0001"):
        find_record("1", runs)
    with pytest.raises(RecordError, match="no run '7' in "):
        find_record("7", runs)
    assert len(records(runs)) == 4


def test_diff_says_the_same_or_what_differs_and_tells_by_its_status(runs: Path) -> None:
    status, out, error = run(runs, "runs", "diff", "small-0001", "small-0002", "--folder", ".")
    assert (status, error) == (0, "")
    assert out.startswith("the same (")
    status, out, error = run(runs, "runs", "diff", "small-0001", "small-0003", "--folder", ".")
    assert (status, error) == (1, "")
    assert out.splitlines()[0] == "input: scenario.seed is 1 in A and 9 in B"
    assert out.splitlines()[1].startswith("first difference, t = 0.000 s: board sat-0-0: unique_id is ")


# --- whole, under way, interrupted


def test_a_run_is_under_way_as_long_as_its_process_lives(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    with Record(path) as record:
        record.values("wall", {"process": process_mark()})
        record.commit()
        with open_record(path) as reader:
            assert (state_of(reader), verdict_of(reader)) == ("under way", "")
        record.values("figures", {"answered": 0})
        record.add("measurements", "heat", 1.0, "K", None, 0.5, "fail")
        record.add("measurements", "cold", 1.0, "K", None, None, "pass")
        record.commit()
        with open_record(path) as reader:
            assert (state_of(reader), verdict_of(reader)) == ("whole", "fail")


def test_a_run_whose_process_has_gone_was_interrupted(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "pass"]) as gone:
        gone.wait(30)
    for number, mark in enumerate(([gone.pid, time.time()], [os.getpid(), 5.0], "none", ["x", "y"])):
        path = tmp_path / f"{number}.sqlite"
        with Record(path) as record:
            record.values("wall", {"process": mark})
        with open_record(path) as reader:
            assert state_of(reader) == "interrupted", mark


# --- export


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_csv_files_hold_every_table_with_units_in_the_names(runs: Path, tmp_path: Path) -> None:
    status, out, error = run(tmp_path, "runs", "export", runs / "small-0001.sqlite", "--csv", "out")
    assert (status, error) == (0, "")
    assert "queries: 30 rows" in out
    slots, queries = rows_of(tmp_path / "out" / "slots.csv"), rows_of(tmp_path / "out" / "queries.csv")
    with sqlite3.connect(runs / "small-0001.sqlite") as db:
        assert [int(one["end_us"]) for one in slots] == [
            row[0] for row in db.execute("SELECT end_us FROM slots ORDER BY number")
        ]
        energy = dict(db.execute("SELECT job, energy_j FROM queries WHERE energy_j IS NOT NULL"))
        packed = db.execute(
            "SELECT fields, power_scale FROM telemetry JOIN boards USING (node) "
            "WHERE telemetry.name = 'housekeeping' ORDER BY sent_us, node"
        ).fetchall()
    assert {int(one["job"]): float(one["energy_j"]) for one in queries if one["energy_j"]} == energy
    housekeeping = rows_of(tmp_path / "out" / "telemetry-housekeeping.csv")
    assert len(housekeeping) == len(packed) > 0
    for one, (fields, k) in zip(housekeeping, packed, strict=True):
        raw = json.loads(fields)
        assert float(one["accelerator_k"]) == raw["accelerator"] / 100
        assert float(one["load_mw"]) == raw["load"] * 2**k
        assert float(one["charge_share"]) == raw["charge"] / 1000
    assert {one["event_name"] for one in rows_of(tmp_path / "out" / "telemetry-event.csv")} >= {
        "boot",
        "mode",
    }
    fleet = rows_of(tmp_path / "out" / "fleet.csv")
    assert len(fleet) == 1584 * len(slots)
    assert sum(int(one["board"]) for one in fleet) == 2 * len(slots)
    assert not (tmp_path / "out" / "faults.csv").exists()  # there were none


def test_a_text_that_a_spreadsheet_would_run_is_quoted_in_csv(tmp_path: Path) -> None:
    texts = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "plain, with a comma", '"quoted"', "a=b"]
    sheet = Sheet("texts", (Column("text", str), Column("value_s", float)), [(text, -1.5) for text in texts])
    assert export.write_csv(sheet, tmp_path) == len(texts)
    read = rows_of(tmp_path / "texts.csv")
    assert [one["text"] for one in read[:6]] == [f"'{text}" for text in texts[:6]]
    assert [one["text"] for one in read[6:]] == texts[6:]
    assert {one["value_s"] for one in read} == {"-1.5"}  # a number stays one


def test_parquet_files_hold_the_same_rows_as_csv(runs: Path, tmp_path: Path) -> None:
    arro3 = pytest.importorskip("arro3.io", reason="the extra `parquet` is not installed")
    with open_record(runs / "small-0001.sqlite") as reader:
        for sheet in sheets(reader):
            count = export.write_parquet(sheet, tmp_path)
            assert (
                export.write_csv(next(one for one in sheets(reader) if one.name == sheet.name), tmp_path)
                == count
            )
            if not count:
                continue
            table = arro3.read_parquet(tmp_path / f"{sheet.name}.parquet").read_all()
            assert table.num_rows == count
            assert table.column_names == [column.name for column in sheet.columns]
            if sheet.name == "queries":
                jobs = table.column("answered_us").to_pylist()
                read = rows_of(tmp_path / "queries.csv")
                assert ["" if one is None else str(one) for one in jobs] == [
                    one["answered_us"] for one in read
                ]


def test_a_damaged_record_ends_an_export_with_one_sentence(runs: Path, tmp_path: Path) -> None:
    shutil.copy(runs / "small-0001.sqlite", tmp_path / "bad.sqlite")
    with sqlite3.connect(tmp_path / "bad.sqlite") as db:
        db.execute("UPDATE fleet SET state = x'00' WHERE slot = (SELECT max(slot) FROM fleet)")
    for kind in ("--csv", "--parquet"):
        status, _, error = run(tmp_path, "runs", "export", "./bad.sqlite", kind, kind.strip("-"))
        assert status == 1 and "bad.sqlite is damaged: " in error and error.count("\n") == 1, error
