"""The reader: rows as they were written, filters, older versions, what is new since a cursor."""

import json
import sqlite3
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from ascnode.errors import RecordError
from ascnode.record import rows, schema
from ascnode.record.database import Record
from ascnode.record.packed import FleetState, pack_fleet, pack_json
from ascnode.record.reader import open_record
from ascnode.record.rows import Cursor
from record.old_records import version_1, version_3

PARTS = (5_000, 120_000, 100_000, 700_000, 71_000, 4_000)
STATE = (0.75, 0.875, 350.25, 320.5, 1234.5)


def packet(record: Record, node: int, sent_us: int, name: str = "housekeeping", **fields: int) -> None:
    text = json.dumps(fields, sort_keys=True)
    record.numbered("telemetry", node, sent_us, sent_us - 1000, name, text, b"\x01", b"\x02\x03")


def query(record: Record, job: int, revision: int, answered_us: int | None = None, cause: str = "") -> None:
    done = (answered_us, 4, 117.5) if answered_us else (None, None, None)
    head = (job, "inference", 401 + job % 2, "Lima", 9, 4, 1, 1_000_000 * job, 61)
    record.add("queries", *head, *PARTS, *done, 1, cause, revision)


def slot(record: Record, number: int) -> None:
    record.add(
        "slots", number, 15_000_000 * number, 15_000_000 * (number + 1), 3168, 20, 1, 2, 300, 4, *STATE
    )


def board(record: Record, node: int) -> None:
    record.add("boards", node, 401 + node, f"sat-18-{node}", "twin", "0011", "0.1.0", "aa", 0)


def test_rows_of_every_table_have_the_fields_of_its_columns() -> None:
    kinds = {
        **{"boards": rows.Board, "slots": rows.Slot, "queries": rows.Query, "telemetry": rows.Telemetry},
        **{"faults": rows.Fault, "frames": rows.Frame, "link_frames": rows.Frame, "nodes": rows.Node},
        **{"measurements": rows.Measured, "snapshots": rows.Snapshot},
    }
    for table, kind in kinds.items():
        assert kind._fields == tuple(one.name for one in schema.BY_NAME[table].columns), table


def test_telemetry_is_found_by_board_kind_and_time(tmp_path: Path) -> None:
    with Record(tmp_path / "run.sqlite") as record:
        for node in (0, 1):
            board(record, node)
        for t in range(10):
            packet(record, t % 2, t * 1_000_000, "housekeeping", charge=900 + t)
        packet(record, 1, 10_000_000, "event", event=3, severity=4, value=36_900)
        packet(record, 1, 11_000_000, "event", event=2, severity=1, value=513)
    with open_record(tmp_path / "run.sqlite") as reader:
        some = reader.telemetry(0, "housekeeping", 2_000_000, 6_000_000)
        assert [(one.sent_us, one.fields["charge"]) for one in some] == [(2_000_000, 902), (4_000_000, 904)]
        assert [one.sent_us // 1_000_000 for one in reader.telemetry()] == list(range(12))
        assert [one.node for one in reader.telemetry(name="housekeeping", start_us=7_000_000)] == [1, 0, 1]
        (severe,) = reader.events(severity=2)
        assert (severe.name, severe.severity, severe.value, severe.made_us) == (
            *("thermal trip", 4, 36_900),
            9_999_000,
        )
        assert next(reader.telemetry()).packet == b"\x02\x03"


def test_queries_are_found_by_node_time_and_what_became_of_them(tmp_path: Path) -> None:
    with Record(tmp_path / "run.sqlite") as record:
        query(record, 1, 1)
        query(record, 2, 2, cause="no route")
        query(record, 3, 3)
        query(record, 3, 4, answered_us=62_000_000)
    with open_record(tmp_path / "run.sqlite") as reader:
        jobs = {
            status: [one.job for one in reader.queries(status=status)]
            for status in ("open", "lost", "answered")
        }
        assert jobs == {"open": [1], "lost": [2], "answered": [3]}
        assert [one.job for one in reader.queries(node=402)] == [1, 3]
        assert [one.job for one in reader.queries(start_us=2_000_000, end_us=3_000_000)] == [2]
        (late,) = reader.queries(status="answered")
        assert late.late and late.revision == 4
        assert reader.count("queries") == 3
        assert next(reader.queries(status="lost")).known_until_us == 2_000_000 + sum(PARTS)


def test_a_fleet_comes_back_to_within_a_step_of_its_bytes(tmp_path: Path) -> None:
    n, rng = 1584, np.random.default_rng(5)
    flags = {name: rng.random(n) < 0.5 for name in ("sunlit", "out", "throttled", "shed", "tripped", "board")}
    kelvin = rng.uniform(200, 400, (2, n))
    numbers = rng.integers(0, [[8], [300], [4]], (3, n))
    fleet = FleetState(rng.random(n), *kelvin, *numbers, **flags)
    with Record(tmp_path / "run.sqlite") as record:
        record.add("fleet", 7, 105_000_000, pack_fleet(fleet))
    with open_record(tmp_path / "run.sqlite") as reader:
        read = reader.fleet_state(7)
        assert read is not None and reader.fleet_state(8) is None
        assert np.abs(read.charge - fleet.charge).max() <= 0.5 / 255 + 1e-9
        assert np.abs(read.accelerator_k - kelvin[0]).max() <= 0.5
        assert np.abs(read.radiator_k - kelvin[1]).max() <= 0.5
        np.testing.assert_array_equal(read.jobs, np.minimum(numbers[1], 255))
        np.testing.assert_array_equal(read.mode, numbers[2])
        for name, marks in flags.items():
            np.testing.assert_array_equal(getattr(read, name), marks, name)
        cells = reader.fleet_cells(7)
        # bit by bit as the documentation has it
        assert cells is not None and cells.shape == (n, 6)
        assert (cells[0, 5] & 1, cells[0, 5] >> 7) == (int(flags["sunlit"][0]), int(flags["board"][0]))


def test_the_lasers_of_a_slot_are_the_planned_ones_without_those_out_and_with_others(tmp_path: Path) -> None:
    served = {
        **{"serving": [3, -1, 0], "gateway": [[0, 3], [1, 0]], "lasers_out": [[1, 2]]},
        **{"lasers_more": [[0, 3]], "out": [2], "gateways_out": [1]},
    }
    with Record(tmp_path / "run.sqlite") as record:
        record.values("run", {"lasers": [[0, 1], [1, 2], [2, 3]]})
        record.add("service", 7, pack_json(served))
    with open_record(tmp_path / "run.sqlite") as reader:
        service = reader.served(7)
        assert service is not None
        assert service.lasers.tolist() == [[0, 1], [2, 3], [0, 3]]
        assert service.serving.tolist() == [3, -1, 0]
        assert service.gateway == {0: 1, 3: 0}
        assert (service.out, service.gateways_out) == ({2}, {1})
        assert reader.served(8) is None


def test_a_slot_is_found_by_time(tmp_path: Path) -> None:
    with Record(tmp_path / "run.sqlite") as record:
        for number in range(4):
            slot(record, number)
    with open_record(tmp_path / "run.sqlite") as reader:
        found = [reader.slot_at(t) for t in (0, 14_999_999, 15_000_000, 99_000_000)]
        assert [one.number for one in found if one] == [0, 0, 1, 3]
        assert reader.slot_at(-1) is None
        assert reader.newest_us == 60_000_000
        assert [one.number for one in reader.slots(15_000_000, 45_000_000)] == [1, 2]


def test_a_follower_gets_each_row_once_and_a_query_again_when_it_ends(tmp_path: Path) -> None:
    with Record(tmp_path / "run.sqlite") as record, open_record(tmp_path / "run.sqlite") as reader:
        news, cursor = reader.follow(Cursor.start())
        assert (news, cursor) == (([], [], [], [], False), Cursor.start())
        board(record, 0)
        packet(record, 0, 1_000_000)
        slot(record, 0)
        query(record, 1, 1)
        record.commit()
        news, cursor = reader.follow(cursor)
        assert [len(some) for some in news[:4]] == [1, 0, 1, 1]
        assert cursor == reader.end() == Cursor.of(json.loads(json.dumps(asdict(cursor))))
        query(record, 1, 2, answered_us=3_000_000)
        packet(record, 0, 2_000_000)
        record.commit()
        news, cursor = reader.follow(cursor)
        assert [one.sent_us for one in news.telemetry] == [2_000_000]
        assert [one.status for one in news.queries] == ["answered"]
        assert not news.whole
        record.values("figures", {"answered": 1})
        record.commit()
        news, _ = reader.follow(cursor)
        assert news == ([], [], [], [], True)


def test_a_cursor_that_is_none_is_refused() -> None:
    for plain in (
        None,
        {},
        {"telemetry": [], "faults": {}, "slots_us": 0, "queries": 0},
        {"telemetry": {"x": 1}},
    ):
        with pytest.raises(ValueError):
            Cursor.of(plain)


def test_a_record_of_version_3_opens_and_what_it_lacks_is_empty(tmp_path: Path) -> None:
    with open_record(version_3(tmp_path / "old.sqlite")) as reader:
        assert (reader.version, reader.scenario["seed"], reader.whole) == (3, 7, False)
        assert [(one.number, one.end_us, one.links) for one in reader.slots()] == [
            (100, 0, 3168),
            (101, 12_000_000, 3160),
        ]
        assert (reader.fleet_state(100), reader.served(100), reader.measurements) == (None, None, [])
        assert list(reader.snapshots(0)) == list(reader.frames(0, table="link_frames")) == []
        (heard,) = reader.telemetry()
        assert (heard.sent_us, heard.packet, heard.fields["value"]) == (61_000_000, b"", 514)
        assert [one.name for one in reader.events()] == ["mode"]
        assert [(one.place, one.status, one.revision) for one in reader.queries()] == [
            ("Lima", "answered", 0),
            ("Quito", "lost", 0),
        ]
        assert reader.faults(0)[0].target == "reset"
        news, cursor = reader.follow(Cursor.start())
        assert (len(news.telemetry), len(news.slots), len(news.queries)) == (1, 2, 0)
        assert cursor == reader.end()


def test_a_record_of_version_1_opens_with_its_columns_under_their_present_names(tmp_path: Path) -> None:
    with open_record(version_1(tmp_path / "old.sqlite")) as reader:
        assert (reader.version, reader.boards[0].name, reader.boards[0].satellite) == (1, "sat-0-0", 0)
        assert [one.sent_us for one in reader.telemetry(start_us=61_000_000)] == [61_000_000]
        assert list(reader.telemetry(start_us=61_000_001)) == []
        assert [(one.place, one.status) for one in reader.queries()] == [
            ("Lima", "answered"),
            ("Quito", "open"),
        ]
        assert [one.body for one in reader.frames(0)] == [b"\x01\x01", b"\x01\x81"]
        assert (reader.slots(), reader.faults(), reader.whole) == ([], [], True)
        assert reader.newest_us == 61_000_000


def test_what_is_no_record_or_a_newer_one_is_one_sentence(tmp_path: Path) -> None:
    def refused(name: str) -> str:
        with pytest.raises(RecordError) as caught:
            open_record(tmp_path / name)
        assert name in str(caught.value) and "\n" not in str(caught.value)
        return str(caught.value)

    assert "No such file" in refused("absent.sqlite")
    (tmp_path / "folder").mkdir()
    assert "directory" in refused("folder")
    (tmp_path / "empty.sqlite").touch()
    assert "is empty" in refused("empty.sqlite")
    (tmp_path / "text.sqlite").write_text("a table of contents, and not a database at all" * 9)
    assert "no SQLite file" in refused("text.sqlite")
    with sqlite3.connect(tmp_path / "other.sqlite") as db:
        db.execute("CREATE TABLE run (key TEXT, value TEXT)")
    assert "is not a record" in refused("other.sqlite")
    Record(tmp_path / "newer.sqlite").close()
    with sqlite3.connect(tmp_path / "newer.sqlite") as db:
        db.execute(f"PRAGMA user_version={schema.VERSION + 1}")
    assert "newer ascnode" in refused("newer.sqlite")


def test_rows_that_hold_no_json_or_no_zlib_are_damage(tmp_path: Path) -> None:
    with Record(tmp_path / "run.sqlite") as record:
        record.add("run", "scenario", "{")
        record.add("fleet", 1, 0, b"not zlib")
        record.add("service", 1, pack_json({"serving": []}))
        board(record, 0)
        record.add("telemetry", 0, 0, 1, 1, "event", "[", b"", b"")
    with open_record(tmp_path / "run.sqlite") as reader:
        for read in (
            lambda: reader.scenario,
            lambda: reader.fleet_state(1),
            lambda: reader.served(1),
            lambda: list(reader.events()),
        ):
            with pytest.raises(RecordError, match=r"run\.sqlite is damaged: "):
                read()


def test_a_zlib_that_would_fill_the_memory_is_damage(tmp_path: Path) -> None:
    import zlib

    with Record(tmp_path / "run.sqlite") as record:
        record.add("fleet", 1, 0, zlib.compress(bytes(70 << 20), 9))
    with open_record(tmp_path / "run.sqlite") as reader, pytest.raises(RecordError, match="too large"):
        reader.fleet_state(1)


def test_the_check_sees_a_row_that_was_changed_after_the_run(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    with Record(path) as record:
        query(record, 1, 1)
        record.values("wall", {"record_sha256": record.digest()})
    with open_record(path) as reader:
        reader.check()
    with sqlite3.connect(path) as db:
        db.execute("UPDATE queries SET guess = 5")
    with open_record(path) as reader, pytest.raises(RecordError, match="not those that were written"):
        reader.check()


def test_nothing_can_be_written_through_a_reader(tmp_path: Path) -> None:
    Record(tmp_path / "run.sqlite").close()
    with open_record(tmp_path / "run.sqlite") as reader, pytest.raises(RecordError, match="readonly"):
        reader._file.one("DELETE FROM run")
