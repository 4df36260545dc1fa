"""The page: alone, whole, bounded, and honest about what the record lacks."""

import json
import re
import shutil
import sqlite3
import webbrowser
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from ascnode.cli.main import app
from ascnode.errors import RecordError
from ascnode.record.database import Record
from ascnode.record.packed import FleetState, pack_fleet
from ascnode.report.repeat import command, scenario_toml
from ascnode.report.series import thinned
from ascnode.scenario.scenario import load, ready_made
from ascnode_fw.wire import dictionary as d
from ground.flown import record as talking
from report.reading import Parsed, report_of, section, stress, words


@pytest.fixture(scope="module")
def page() -> str:
    """Of a run with three boards, one of which restarts."""
    return report_of(talking())


def test_it_is_whole_and_asks_for_nothing_from_anywhere(page: str) -> None:
    for text in (page, report_of(stress(0.2))):
        parsed = Parsed(text)
        assert parsed.open == []
        assert parsed.asks == []
        assert not re.search(r"https?://|//[a-z]+\.|url\(|@import", text)


def test_light_dark_and_paper_are_provided_for(page: str) -> None:
    assert "prefers-color-scheme:dark" in page
    assert "@media print" in page


def test_every_plot_is_named_and_has_a_line_or_bars() -> None:
    text = report_of(stress(0.2))
    plots = re.findall(
        r'<svg viewBox="0 0 640 150" role="img" aria-label="([^"]+)">(.*?)</svg>', text, re.DOTALL
    )
    assert len(plots) >= 9
    for name, body in plots:
        assert 'class="l0"' in body or 'class="c"' in body, name
        assert "nan" not in body and "inf" not in body, name
    assert {"charge, %", "temperature, °C", "waiting", "answers by latency, s"} < {
        unescape(n) for n, _ in plots
    }


def test_limits_are_drawn_where_the_flight_software_acts(page: str) -> None:
    assert "warning: charge_low" in page
    assert "critical: temperature_trip" in page


def test_boards_are_plotted_from_their_telemetry(page: str) -> None:
    boards = section(page, "Boards, by their own telemetry")
    assert re.findall(r"<h3>([^<]+)</h3>", boards) == ["sat-0-0", "sat-3-5", "sat-5-1"]
    assert boards.count("<svg") == 3 * 6


def test_a_fault_comes_with_what_followed(page: str) -> None:
    (row,) = [one for one in Parsed(page).data if one.get("fault") == "board reset"]
    assert (row["board"], row["count"]) == ("sat-5-1", "1")
    told = words(section(page, "Faults and what they did"))
    assert "0:01:52" in told
    assert re.search(r"back after \d+ s \(reset, boot 1\)", told)
    assert "events: boot (1)" in told


def test_what_followed_is_what_the_record_has(page: str) -> None:
    # A reset at 112 s: lost queries of that satellite that were sent until 412 s and not due before.
    with sqlite3.connect(talking()) as db:
        (satellite,) = db.execute("SELECT satellite FROM boards WHERE name = 'sat-5-1'").fetchone()
        lost = dict(
            db.execute(
                "SELECT cause, count(*) FROM queries WHERE node = ? AND cause != '' AND sent_us <= 412e6 "
                "AND deadline_s >= 112 GROUP BY cause",
                (satellite,),
            )
        )
    assert "board restarted" in lost
    told = words(section(page, "Faults and what they did"))
    for cause, count in lost.items():
        assert f"{count} {cause}" in told
    assert "2 packets met no board" in told


def test_events_are_counted_as_the_record_has_them(page: str) -> None:
    names = {row[0]: row[1] for row in d.EVENTS}
    with sqlite3.connect(talking()) as db:
        rows = db.execute("SELECT fields FROM telemetry WHERE name = 'event'").fetchall()
    told = [json.loads(fields) for (fields,) in rows]
    counted: dict[str, int] = {}
    for fields in told:
        counted[names[fields["event"]]] = counted.get(names[fields["event"]], 0) + 1
    assert {name: int(one["count"]) for name, one in Parsed(page).of("event").items()} == counted


# --- how to repeat it


@pytest.mark.parametrize("name", ["demo", "stress", "starlink-rtt"])
def test_the_scenario_in_the_report_is_the_one_that_flew(tmp_path: Path, name: str) -> None:
    flown = load(ready_made(name))
    (tmp_path / "again.toml").write_text(scenario_toml(flown.model_dump(mode="json")), encoding="utf-8")
    again = load(tmp_path / "again.toml")
    assert again.model_dump(exclude={"folder"}) == flown.model_dump(exclude={"folder"})


def test_the_page_holds_that_scenario(page: str, tmp_path: Path) -> None:
    text = (
        section(page, "How to repeat it").split("<summary>The scenario</summary><pre>")[1].split("</pre>")[0]
    )
    (tmp_path / "again.toml").write_text(unescape(text), encoding="utf-8")
    again = load(tmp_path / "again.toml")
    assert (again.name, again.seed, len(again.space.boards), len(again.fault)) == ("talk", 7, 3, 1)


def test_the_command_is_told_without_a_machines_folders(tmp_path: Path) -> None:
    from ascnode.record.reader import open_record

    with Record(tmp_path / "run.sqlite") as record:
        typed = ["/some/where/ascnode", "run", "/home/me/my day.toml", "--seed", "7"]
        record.values("wall", {"command": typed})
    with open_record(tmp_path / "run.sqlite") as reader:
        assert command(reader) == "ascnode run 'my day.toml' --seed 7"


# --- records that lack something


def changed(folder: Path, *statements: str) -> Path:
    with sqlite3.connect(talking()) as db, sqlite3.connect(folder / "changed.sqlite") as copy:
        db.backup(copy)
        for statement in statements:
            copy.execute(statement)
    return folder / "changed.sqlite"


def test_a_run_that_was_stopped_is_told_as_such(tmp_path: Path) -> None:
    deleted = [f"DELETE FROM {table}" for table in ("figures", "nodes")]
    later = "DELETE FROM slots WHERE start_us > 200000000"
    text = report_of(changed(tmp_path, *deleted, later))
    assert "The run is under way: what follows is as of 0:03:" in words(text)  # this process wrote it
    (tmp_path / "other").mkdir()
    gone = "UPDATE wall SET value = '[1, 0]' WHERE key = 'process'"
    text = report_of(changed(tmp_path / "other", *deleted, later, gone))
    assert "The run was stopped at 0:03:" in words(text)
    assert "△ interrupted" in words(text)
    assert "no closing figures of its nodes" in words(text)


def test_queries_under_way_are_neither_answered_nor_lost(tmp_path: Path) -> None:
    text = report_of(changed(tmp_path, "UPDATE queries SET answered_us = NULL, cause = '' WHERE job < 10"))
    assert Parsed(text).figures()["open"] == 10


@pytest.mark.parametrize("table", ["queries", "slots", "telemetry", "fleet", "faults", "boards", "nodes"])
def test_a_record_without_rows_in_a_table_still_makes_a_page(tmp_path: Path, table: str) -> None:
    assert Parsed(report_of(changed(tmp_path, f"DELETE FROM {table}"))).open == []


def test_an_empty_run_makes_a_page(tmp_path: Path) -> None:
    with Record(tmp_path / "run.sqlite") as record:
        record.values("run", {"scenario": {"name": "nothing"}})
    assert "users sent 0 queries" in words(report_of(tmp_path / "run.sqlite"))


def test_what_a_record_says_is_text_and_no_markup(tmp_path: Path) -> None:
    bad = "<script>alert(1)</script>"
    text = report_of(
        changed(
            tmp_path,
            f"UPDATE queries SET place = '{bad}', cause = CASE WHEN cause = '' THEN '' ELSE '{bad}' END",
            f"UPDATE nodes SET name = '{bad}'",
            f"UPDATE boards SET name = '{bad}'",
            f"UPDATE faults SET detail = '{bad}', target = '{bad}' WHERE kind != 'board'",
            f"UPDATE run SET value = '{json.dumps({'name': bad, 'epoch': bad})}' WHERE key = 'scenario'",
        )
    )
    parsed = Parsed(text)
    assert parsed.open == []
    assert parsed.asks == []
    assert "&lt;script&gt;" in text


def test_measurements_stand_with_their_limits(tmp_path: Path) -> None:
    rows = "('latency_p95', 4.25, 's', NULL, 5.0, 'pass'), ('charge_min', 0.125, '1', 0.15, NULL, 'fail')"
    text = report_of(changed(tmp_path, "DELETE FROM measurements", f"INSERT INTO measurements VALUES {rows}"))
    told = words(section(text, "Measurements"))
    assert "latency_p95 4.25 s 5 ✓ pass" in told
    assert "charge_min 0.125 1 0.15 ✕ fail" in told


# --- long runs


def test_thinning_keeps_order_ends_and_every_peak() -> None:
    dice = np.random.default_rng(7)
    t_s = np.arange(100_000.0)
    values = dice.normal(size=len(t_s)).cumsum()
    kept_s, kept = thinned(t_s, values)
    assert len(kept) <= 2 * 240 + 2
    assert (np.diff(kept_s) > 0).all()
    assert (kept_s[0], kept_s[-1]) == (0, 99_999)
    assert (kept.min(), kept.max()) == (values.min(), values.max())
    lone = np.zeros(100_000)
    lone[54_321] = 1
    assert thinned(t_s, lone)[1].max() == 1


def test_the_page_of_a_long_run_stays_small(tmp_path: Path) -> None:
    # A day of 8 boards, 5,760 slots, 2,000 nodes.
    with Record(tmp_path / "day.sqlite") as record:
        _fill(record, slots=5760, boards=8, nodes=2000)
    text = report_of(tmp_path / "day.sqlite")
    assert len(text) < 600_000
    assert "sat-7" in text or "6 of 8" in words(text)


def _fill(record: Record, slots: int, boards: int, nodes: int) -> None:
    record.values("run", {"scenario": {"name": "day"}, "length_s": slots * 15})
    fields = [name for name, _ in next(row for row in d.TELEMETRY if row[0] == d.TM_HOUSEKEEPING)[3]]
    for board in range(boards):
        record.add("boards", board, board, f"sat-{board}", "twin", "00", "0", "00", 0)
        for minute in range(slots // 4):
            told = dict.fromkeys(fields, (minute * 7919 + board) % 256)
            row = (minute * 60_000_000, minute * 60_000_000, "housekeeping", json.dumps(told), b"", b"")
            record.numbered("telemetry", board, *row)
    for node in range(nodes):
        record.add("nodes", node, f"sat-{node}", 1, 0, 0.5, 0.5, 300.0, 290.0)
    flat = {name: np.zeros(nodes) for name in FleetState._fields}
    flags = {
        name: np.zeros(nodes, bool) for name in ("sunlit", "out", "throttled", "shed", "tripped", "board")
    }
    state = pack_fleet(
        FleetState(
            **{**flat, "accelerator_k": np.full(nodes, 300), "radiator_k": np.full(nodes, 290), **flags}
        )
    )
    for slot in range(slots):
        start_us = slot * 15_000_000
        record.add("fleet", slot, start_us, state)
        record.add("slots", *_slot_row(slot, start_us))


def _slot_row(slot: int, start_us: int) -> tuple[float, ...]:
    from ascnode.record import schema

    names = [column.name for column in schema.BY_NAME["slots"].columns]
    known = {
        "number": slot,
        "start_us": start_us,
        "end_us": start_us + 15_000_000,
        "charge_min": slot % 97 / 97,
    }
    return tuple(known.get(name, slot % 89) for name in names)


# --- the command


def test_the_command_writes_beside_the_record_or_where_it_is_told(tmp_path: Path) -> None:
    record = shutil.copy(talking(), tmp_path / "run.sqlite")
    result = CliRunner().invoke(app, ["report", str(record)])
    assert result.exit_code == 0
    assert (tmp_path / "run.html").read_text(encoding="utf-8") == report_of(record)
    assert CliRunner().invoke(app, ["report", str(record), "-o", str(tmp_path / "other.html")]).exit_code == 0
    assert sorted(path.name for path in tmp_path.glob("*.html")) == ["other.html", "run.html"]
    assert not list(tmp_path.glob(".*"))


def test_the_command_opens_the_browser_and_says_when_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda uri: bool(asked.append(uri)))
    result = CliRunner().invoke(app, ["report", str(talking()), "-o", str(tmp_path / "a.html"), "--open"])
    assert asked == [(tmp_path / "a.html").as_uri()]
    assert result.exit_code == 1
    assert str(result.exception) == f"no browser was found: open {tmp_path / 'a.html'} yourself"


def test_a_file_that_is_no_record_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.sqlite").write_text("no")
    result = CliRunner().invoke(app, ["report", str(tmp_path / "x.sqlite")])
    assert isinstance(result.exception, RecordError)
    assert not list(tmp_path.glob("*.html"))


def test_the_same_record_gives_the_same_page() -> None:
    assert report_of(talking()) == report_of.__wrapped__(talking())
