"""Two records compared: the same is the same; else inputs that differ, and the first difference in words."""

import shutil
import sqlite3
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from ascnode.record.difference import Comparison, compare
from ascnode.record.reader import open_record
from ascnode.record.words import difference, kind_of
from ascnode.session import messages
from ascnode_fw import link
from ascnode_fw.wire import dictionary as d
from record.old_records import version_3


def compared(a: Path, b: Path) -> Comparison:
    with open_record(a) as one, open_record(b) as other:
        return compare(one, other)


def test_runs_of_the_same_scenario_are_the_same_whoever_compares(runs: Path) -> None:
    result = compared(runs / "small-0001.sqlite", runs / "small-0002.sqlite")
    assert (result.same, result.inputs, result.first) == (True, [], "")
    with open_record(runs / "small-0001.sqlite") as reader:
        assert result.compared["frames"] == reader.count("frames") > 10
        assert result.compared["queries"] == 30


def test_other_scenarios_are_told_by_the_keys_that_differ(runs: Path) -> None:
    result = compared(runs / "small-0001.sqlite", runs / "other-0001.sqlite")
    assert result.inputs == [
        "scenario.name is small in A and other in B",
        "scenario.workload.0.queries is 30 in A and 31 in B",
    ]
    assert result.first and not result.same
    seeds = compared(runs / "small-0001.sqlite", runs / "small-0003.sqlite")
    assert seeds.inputs == ["scenario.seed is 1 in A and 9 in B"]
    assert seeds.first.startswith("t = 0.000 s: board sat-0-0: unique_id is ")


def test_other_versions_are_told_and_are_no_difference(runs: Path, tmp_path: Path) -> None:
    copy = tmp_path / "newer.sqlite"
    shutil.copy(runs / "small-0001.sqlite", copy)
    with sqlite3.connect(copy) as db:
        db.execute("UPDATE run SET value = json_set(value, '$.numpy', '9.9') WHERE key = 'versions'")
    result = compared(runs / "small-0001.sqlite", copy)
    assert result.same
    (line,) = result.versions
    assert line.startswith("version.numpy is ") and line.endswith(" in A and 9.9 in B")


@pytest.fixture
def changed(runs: Path, tmp_path: Path) -> Callable[[str, tuple[object, ...]], str]:
    """The first difference between a record and itself with a row changed by SQL."""

    def change(sql: str, values: tuple[object, ...] = ()) -> str:
        copy = tmp_path / "changed.sqlite"
        shutil.copy(runs / "small-0001.sqlite", copy)
        with sqlite3.connect(copy) as db:
            assert db.execute(sql, values).rowcount == 1
        db.close()
        return compared(runs / "small-0001.sqlite", copy).first

    return change


def a_done(runs: Path) -> tuple[int, bytes, int]:
    """The end of the second exchange of the second board: its number, bytes, and the steps of the first."""
    with open_record(runs / "small-0001.sqlite") as reader:
        found = [one for one in reader.frames(1) if one.body[:2] == bytes((d.SIM, link.DONE))]
    return found[1].number, found[1].body, messages.parse_done(found[0].body).steps


def test_a_field_of_telemetry_within_a_frame_is_named_with_node_step_and_values(
    runs: Path, changed: Callable[[str, tuple[object, ...]], str]
) -> None:
    number, body, steps = a_done(runs)
    done = messages.parse_done(body)
    packet = done.outputs[0].packet
    at = body.index(packet) + len(packet) - 1
    spoiled = body[:at] + bytes((body[at] ^ 1,)) + body[at + 1 :]
    words = changed("UPDATE frames SET body = ? WHERE node = 1 AND number = ?", (spoiled, number))
    assert f"sat-18-5, after step {steps}: end of exchange: packet 0 (" in words
    values = struct.unpack(">BB", bytes((body[at], spoiled[at])))
    assert f" is {values[0]} in A and {values[1]} in B" in words or f"{values[0]:02x}" in words


def test_a_state_that_differs_while_all_else_agrees_is_named_last(
    runs: Path, changed: Callable[[str, tuple[object, ...]], str]
) -> None:
    number, body, _ = a_done(runs)
    crc = messages.parse_done(body).crc
    at = body.index(struct.pack(">I", crc))
    spoiled = body[:at] + struct.pack(">I", crc ^ 0xF0) + body[at + 4 :]
    words = changed("UPDATE frames SET body = ? WHERE node = 1 AND number = ?", (spoiled, number))
    assert words.endswith(f"state CRC is 0x{crc:08x} in A and 0x{crc ^ 0xF0:08x} in B")


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("UPDATE queries SET guess = guess + 1 WHERE job = 3", "query 3 from "),
        ("UPDATE slots SET links = 7 WHERE start_us = 27000000", "links is "),
        ("UPDATE nodes SET answers = 99 WHERE node = 401", "at the end: node sat-18-5: answers is "),
        ("UPDATE figures SET value = '1' WHERE key = 'late'", "at the end: figure.late is 0 in A and 1 in B"),
        ("DELETE FROM queries WHERE job = 29", "query 29 from "),
        ("DELETE FROM slots WHERE start_us = 27000000", "slot "),
        ("DELETE FROM boards WHERE node = 1", "board sat-18-5 is in A alone"),
        (
            "UPDATE telemetry SET sent_us = sent_us + 1 WHERE node = 0 AND number = 2",
            "sat-0-0, telemetry: sent_us is ",
        ),
    ],
)
def test_a_changed_or_missing_row_is_named(changed: Callable[[str], str], sql: str, words: str) -> None:
    assert words in changed(sql)


def test_a_satellite_whose_state_differs_is_named(runs: Path, tmp_path: Path) -> None:
    from ascnode.record.packed import fleet_state, pack_fleet

    copy = tmp_path / "changed.sqlite"
    shutil.copy(runs / "small-0001.sqlite", copy)
    with open_record(copy) as reader:
        slot = reader.slots()[2]
        cells = reader.fleet_cells(slot.number)
        assert cells is not None
        cells = cells.copy()
        cells[17, 0] ^= 1
    with sqlite3.connect(copy) as db:
        db.execute("UPDATE fleet SET state = ? WHERE slot = ?", (pack_fleet(fleet_state(cells)), slot.number))
    first = compared(runs / "small-0001.sqlite", copy).first
    assert first.startswith(f"t = {slot.end_us / 1e6:.3f} s: satellite 17: charge (as a byte) is ")


def test_the_earliest_of_several_differences_comes_first(runs: Path, tmp_path: Path) -> None:
    copy = tmp_path / "changed.sqlite"
    shutil.copy(runs / "small-0001.sqlite", copy)
    with sqlite3.connect(copy) as db:
        db.execute("UPDATE slots SET links = 7 WHERE start_us = 57000000")
        db.execute("UPDATE slots SET jobs = 77 WHERE start_us = 12000000")
    assert "jobs is " in compared(runs / "small-0001.sqlite", copy).first


def test_records_of_different_versions_are_compared_by_what_both_have(tmp_path: Path) -> None:
    a, b = version_3(tmp_path / "a.sqlite"), version_3(tmp_path / "b.sqlite")
    assert compared(a, b).same
    with sqlite3.connect(b) as db:
        db.execute("UPDATE faults SET mode = 'SAFE'")
    assert (
        compared(a, b).first
        == "t = 5.000 s: fault board reset of board 0: mode is COMPUTE in A and SAFE in B"
    )


def test_frames_of_other_kinds_lengths_and_no_sense_are_told_apart() -> None:
    begin, place = messages.begin(0, 0, 4, 0), messages.place(link.SNAPSHOT, 0, 0)
    assert difference(begin, messages.numbered(begin, 7, 8)) == ""  # the cable's own
    assert difference(begin, place) == "there is a begin in A and a snapshot in B"
    assert difference(begin, messages.begin(5_000_000, 0, 4, 0)) == "begin: s is 0 in A and 5 in B"
    assert difference(b"\x01\x02" + bytes(30), b"\x01\x02" + bytes(31)).startswith("exchange: byte ")
    assert difference(b"", b"\x01") == "empty frame: byte 0 differs, of 0 in A and 1 in B"
    assert kind_of(b"\x09\x09\x00") == "frame 9/9"
    light = messages.exchange(10_000_000, [messages.environment(0, 1024, 1024, 0, 700)], 0, 1024)[0]
    dark = messages.exchange(10_000_000, [messages.environment(0, 0, 1024, 0, 700)], 0, 1024)[0]
    assert difference(light, dark).startswith("exchange: event 0 (light): bytes is 0400")
