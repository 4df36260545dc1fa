"""docs/records.md cannot drift: its tables are the schema's, the schema is the database's, its commands are there."""

import re
import sqlite3
from pathlib import Path

from typer.main import get_command

from ascnode.cli.main import app
from ascnode.record import packed, schema
from ascnode.record.database import Record
from ascnode.record.reader import open_record

DOCS = (Path(__file__).parents[2] / "docs" / "records.md").read_text(encoding="utf-8")


def test_the_tables_are_those_of_the_schema() -> None:
    assert DOCS.endswith(schema.reference()), "run python -m ascnode.record.schema and paste it"
    assert f"## Schema {schema.VERSION}\n" in DOCS


def test_the_schema_is_what_a_record_has(tmp_path: Path) -> None:
    Record(tmp_path / "run.sqlite").close()
    with sqlite3.connect(tmp_path / "run.sqlite") as db:
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert tables == set(re.findall(r"^### (\w+)$", DOCS, re.MULTILINE))
        for table in tables:
            section = DOCS.split(f"### {table}\n")[1].split("\n### ")[0]
            told = re.findall(r"^\| `(\w+)` \| (\w+) \|", section, re.MULTILINE)
            assert told == [(row[1], row[2].lower()) for row in db.execute(f"PRAGMA table_info({table})")], (
                table
            )
        assert db.execute("PRAGMA application_id").fetchone() == (schema.APPLICATION_ID,)


def test_every_table_but_those_that_depend_on_wall_time_is_in_the_digest() -> None:
    assert {table.name for table in schema.TABLES if not table.order} == {"wall", "link_frames"}
    assert DOCS.count("Not in the digest.") == 2


def test_the_commands_and_options_that_it_names_are_there() -> None:
    for line in re.findall(r"^    ascnode ([^#\n]*)", DOCS, re.MULTILINE):
        words = re.sub(r"[\[\]]", "", line).split()
        command = get_command(app)
        while words and (inner := getattr(command, "get_command", lambda *_: None)(None, words[0])):
            command, words = inner, words[1:]
        options = {name for one in command.params for name in one.opts}
        assert not hasattr(command, "commands"), line
        assert {word for word in words if word.startswith("--")} <= options, line


def test_the_keys_of_run_wall_and_service_are_those_of_a_run(runs: Path) -> None:
    with open_record(runs / "small-0001.sqlite") as reader:
        service = next(reader.raw_rows("service"))[1]
        keys = {*reader.run, *reader.wall, *packed.unpack_json(service)}
    for key in keys:
        assert f"`{key}`" in DOCS or f"`{key}:`" in DOCS, key


def test_the_example_reads_a_record(runs: Path) -> None:
    code = re.search(r"In Python:\n\n((?:    .*\n|\n)+)", DOCS)
    assert code is not None
    program = re.sub("^    ", "", code[1], flags=re.MULTILINE)
    place: dict[str, object] = {}
    exec(program.replace("runs/demo-0001.sqlite", str(runs / "small-0001.sqlite")), place)
    assert place["state"].board.sum() == 2  # type: ignore[attr-defined]


def test_the_bits_of_the_flags_are_those_of_the_code() -> None:
    words = " ".join(DOCS.split())
    told = re.search(
        "Flags: bit 0 in sun.* 1 out of service, 2 throttled.* 3 load shed, 4 thermal.* 7 a board", words
    )
    assert told is not None
    bits = {"sunlit": 0, "out": 1, "throttled": 2, "shed": 3, "tripped": 4, "board": 7}
    assert {name: 1 << bit for name, bit in bits.items()} == packed.FLAGS
    assert packed.MODE_SHIFT == 5
