"""A run for Open MCT: its archive, objects and samples, and who may ask."""

import asyncio
import io
import json
import sqlite3
import tarfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from typer.testing import CliRunner

from ascnode.cli.main import app
from ascnode.errors import AscnodeError
from ascnode.ground.openmct.archive import archive, fetch, load
from ascnode.ground.openmct.objects import Model
from ascnode.ground.openmct.server import Server
from ascnode.record.reader import open_record
from ascnode_fw.wire import dictionary as d
from ground.flown import record

START_MS = 1774008000000.0  # 2026-03-20T12:00:00Z
FILES = {"openmct.js": ("text/javascript", b"// Open MCT")}


@pytest.fixture(autouse=True)
def _flown() -> None:
    record()  # it needs an event loop of its own


def pack(folder: Path, files: dict[str, bytes]) -> Path:
    path = folder / "openmct-4.2.0.tgz"
    with tarfile.open(path, "w:gz") as packed:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            packed.addfile(member, io.BytesIO(data))
    return path


# --- Open MCT itself, which the user brings


def test_where_it_is_not_one_sentence_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(AscnodeError) as told:
        archive(tmp_path)
    assert f"npm pack openmct@4.2.0 --pack-destination {tmp_path}" in str(told.value)


def test_its_files_are_read_from_the_archive_and_nothing_else_is(tmp_path: Path) -> None:
    packed = {
        "package/dist/openmct.js": b"js",
        "package/dist/fonts/a.woff": b"w",
        "package/dist/openmct.js.map": b"m",
        "package/src/secret.js": b"s",
        "../../etc/passwd": b"p",
    }
    files = load(pack(tmp_path, packed))
    assert {name: body for name, (_, body) in files.items()} == {"openmct.js": b"js", "fonts/a.woff": b"w"}
    assert files["openmct.js"][0] == "text/javascript"


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda path: path.write_bytes(b"no archive"), "is damaged"),
        (lambda path: path.write_bytes(path.read_bytes()[:60]), "is damaged"),
        (lambda path: pack(path.parent, {"package/x": b""}), "holds no Open MCT"),
    ],
)
def test_a_bad_archive_is_one_sentence(
    tmp_path: Path, damage: Callable[[Path], object], sentence: str
) -> None:
    path = pack(tmp_path, {"package/dist/openmct.js": bytes(5000)})
    damage(path)
    with pytest.raises(AscnodeError, match=sentence):
        load(path)


def npm(folder: Path, text: str) -> None:
    (folder / "npm").write_text(f"#!/bin/sh\n{text}\n")
    (folder / "npm").chmod(0o755)


def test_npm_packs_it_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "source").mkdir()
    made = pack(tmp_path / "source", {"package/dist/openmct.js": b"js"})
    npm(tmp_path, f'test "$1 $2" = "pack openmct@4.2.0" && cp {made} "$4" && echo once >> {tmp_path}/calls')
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    for _ in range(2):
        assert load(fetch(tmp_path / "cache"))["openmct.js"][1] == b"js"
    assert (tmp_path / "calls").read_text() == "once\n"


def test_npm_that_fails_or_is_not_there_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    npm(tmp_path, "echo 'npm error network' >&2; exit 1")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(AscnodeError, match=r"npm did not pack openmct@4\.2\.0: npm error network"):
        fetch(tmp_path / "cache")
    monkeypatch.setenv("PATH", str(tmp_path / "cache"))
    with pytest.raises(AscnodeError, match="npm was not found"):
        fetch(tmp_path / "cache")


def test_the_command_refuses_without_it(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["openmct", str(record()), "--from", str(tmp_path)])
    assert result.exit_code == 1
    assert "Open MCT is not in" in str(result.exception)


# --- objects and samples


@pytest.fixture
def model() -> Model:
    return Model(open_record(record()))


def test_every_field_of_every_board_is_an_object(model: Model) -> None:
    told = model.describe()
    fields = {f"{row[1]}.{name}" for row in d.TELEMETRY for name, _ in row[3]}
    of_kind = {key for key, one in told["objects"].items() if one["type"] == "ascnode.field"}
    assert of_kind == {f"{board}.{field}" for board in range(3) for field in fields}
    for key, one in told["objects"].items():
        assert one["location"] == "ROOT" or key in told["objects"][one["location"]]["children"]
    assert (told["start"], told["end"], told["whole"]) == (START_MS, START_MS + 300_000, True)


def test_limits_and_names_are_the_dictionarys(model: Model) -> None:
    objects = model.describe()["objects"]
    assert objects["0.housekeeping.charge"]["limits"] == [
        {"level": "WARNING", "side": "low", "value": 45.0},
        {"level": "CRITICAL", "side": "low", "value": 15.0},
    ]
    assert objects["0.housekeeping.charge"]["values"][0]["unit"] == "%"
    assert {"level": "CRITICAL", "side": "is", "value": d.SAFE} in objects["0.housekeeping.mode"]["limits"]
    (mode,) = objects["0.housekeeping.mode"]["values"]
    assert [one["string"] for one in mode["enumerations"]] == list(d.MODES)


def test_samples_are_those_of_the_record_in_the_xtces_units(model: Model) -> None:
    with sqlite3.connect(record()) as db:
        rows = db.execute(
            "SELECT sent_us, fields FROM telemetry WHERE node = 1 AND name = 'housekeeping' ORDER BY number"
        ).fetchall()
    expected = [[START_MS + sent / 1000, json.loads(fields)["charge"] / 10] for sent, fields in rows]
    found = model.samples("1.housekeeping.charge", START_MS, START_MS + 1e9, 1000)
    assert found == [pytest.approx(one) for one in expected]
    middle = expected[1][0]
    assert model.samples("1.housekeeping.charge", middle, middle, 10) == [pytest.approx(expected[1])]


def test_many_samples_are_thinned_to_least_and_greatest(model: Model) -> None:
    whole = model.samples("0.result.energy", START_MS, START_MS + 1e9, 4000)
    few = model.samples("0.result.energy", START_MS, START_MS + 1e9, 10)
    assert len(few) <= 10 < len(whole)
    assert few == sorted(few)
    assert {max(v for _, v in few), min(v for _, v in few)} == {
        max(v for _, v in whole),
        min(v for _, v in whole),
    }


@pytest.mark.parametrize(
    "key", ["", "0", "7.housekeeping.charge", "0.nothing.charge", "0.event.nothing", "x.y.z"]
)
def test_an_unknown_field_is_refused(model: Model, key: str) -> None:
    with pytest.raises(KeyError):
        model.samples(key, 0, 1, 1)


# --- the server


def asked(work: Callable[[aiohttp.ClientSession, str], Awaitable[Any]], path: Path | None = None) -> Any:
    async def body() -> Any:
        server = await Server(open_record(path or record()), FILES).start(0)
        try:
            async with aiohttp.ClientSession() as session:
                return await work(session, f"http://127.0.0.1:{server.port}/")
        finally:
            await server.close()

    return asyncio.run(body())


def test_pages_files_and_samples_are_served_for_this_page_alone() -> None:
    async def work(session: aiohttp.ClientSession, url: str) -> None:
        for path, kind in (
            ("", "text/html"),
            ("ascnode.js", "text/javascript"),
            ("openmct/openmct.js", "text/javascript"),
        ):
            async with session.get(url + path) as response:
                assert (response.status, response.content_type) == (200, kind)
                policy = response.headers["Content-Security-Policy"]
                assert "default-src 'none'" in policy and "http" not in policy
        query = {"key": "0.housekeeping.charge", "start": START_MS, "end": START_MS + 3e5, "most": 5}
        async with session.get(url + "api/samples", params=query) as response:
            assert len(await response.json()) in range(1, 6)

    asked(work)


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("api/samples?key=0.housekeeping.charge", {}, 400),
        ("api/samples?key=nothing&start=0&end=1", {}, 400),
        ("api/samples?key=0.housekeeping.charge&start=nan&end=1", {}, 400),
        ("api/samples?key=0.housekeeping.charge&start=0&end=1&most=x", {}, 400),
        ("api/nothing", {}, 404),
        ("openmct/..%2f..%2fetc/passwd", {}, 404),
        ("api/run", {"Host": "evil.example"}, 421),
        ("api/run", {"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_what_makes_no_sense_or_comes_from_elsewhere_is_refused(
    path: str, headers: dict[str, str], status: int
) -> None:
    async def work(session: aiohttp.ClientSession, url: str) -> int:
        async with session.get(url + path, headers=headers) as response:
            assert "error" in await response.json()
            return response.status

    assert asked(work) == status


def test_a_run_that_goes_on_is_told_as_it_comes(tmp_path: Path) -> None:
    with sqlite3.connect(record()) as db, sqlite3.connect(tmp_path / "growing.sqlite") as growing:
        db.backup(growing)
        figures = growing.execute("SELECT * FROM figures").fetchall()
        for table, column in (("slots", "start_us"), ("frames", "time_us"), ("telemetry", "sent_us")):
            growing.execute(f"DELETE FROM {table} WHERE {column} > 100000000")
        growing.execute("DELETE FROM figures")

    async def work(session: aiohttp.ClientSession, url: str) -> list[dict[str, Any]]:
        told = []
        for rows in ([], figures):
            with sqlite3.connect(tmp_path / "growing.sqlite") as growing:
                growing.executemany("INSERT INTO figures VALUES (?, ?)", rows)
            async with session.get(url + "api/now") as response:
                told.append(await response.json())
        return told

    before, after = asked(work, tmp_path / "growing.sqlite")
    assert not before["whole"] and after["whole"]
    assert START_MS + 90_000 < before["end"] <= START_MS + 120_000
    assert after["end"] == START_MS + 300_000
