"""What the server reads of a record: old ones, thinned series, events in words, queries of a span; the land."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ascnode.errors import RecordError, ScenarioError
from ascnode.record.database import Record
from ascnode.view.page import land
from ascnode.view.page.events import words
from ascnode.view.page.series import thinned
from ascnode.view.page.source import Source
from ascnode_fw.wire import dictionary as d
from record.old_records import version_3
from view.recorded import LOST_EVERY, QUERY_S


def test_a_peak_between_two_places_is_never_lost() -> None:
    t = np.arange(10_000.0)
    peak = np.zeros(10_000)
    peak[7_777] = 95.5
    told = thinned(t, {"heat": peak}, 100)
    assert len(told["t"]) == 100 and told["t"][-1] == 9_999
    assert max(told["heat"]["hi"]) == 95.5 and max(told["heat"]["lo"]) == 0
    few = thinned(t[:3], {"heat": np.array([1.0, 2.0, 3.0])}, 100)
    assert few == {"t": [0.0, 1.0, 2.0], "heat": {"lo": [1.0, 2.0, 3.0], "hi": [1.0, 2.0, 3.0]}}
    assert thinned(t[:0], {"heat": t[:0]}, 100) == {"t": []}


def test_events_are_told_in_the_dictionarys_words_with_units() -> None:
    assert words(d.EV_TRIP, 36_915) == "thermal trip: accelerator 96.0 °C"
    assert words(d.EV_BROWN_OUT, 152) == "brown-out: charge 15.2 %"
    assert words(d.EV_MODE, 2 * 256 + 3) == "mode COMPUTE to DOWNLINK"
    assert words(d.EV_MODE, 77 * 256 + 1) == "mode 77 to CHARGE"
    assert words(d.EV_BOOT, 2) == "boot: power cut"
    assert words(d.EV_HEAT_CLAMP, 0) == "plant: temperature clamped"
    assert words(4711, 5) == "event 4711: 5 (value)"


def test_the_newest_events_come_first_and_the_next_one_is_announced(record: Path) -> None:
    source = Source(record)
    told = source.events(1250.0, d.INFO, 3)
    assert [event["time_s"] for event in told["events"]] == [1200.0] * 3
    assert told["next_s"] == 1800.0 or told["next_s"] is None
    assert told["more"] is True
    severe = source.events(1250.0, d.HIGH, 10)
    assert [(e["time_s"], e["node"], e["text"]) for e in severe["events"]] == [
        (900.0, 401, "thermal trip: accelerator 96.0 °C")
    ]
    assert severe["more"] is False
    assert source.events(0.0, d.MEDIUM, 10) == {"events": [], "next_s": 900.0, "more": False}
    source.close()


def test_a_lost_query_ends_where_its_parts_end(record: Path) -> None:
    source = Source(record)
    job = LOST_EVERY - 1
    sent_s = job * QUERY_S
    lost = source.query(job)
    assert (lost["cause"], lost["sent_s"], lost["end_s"]) == ("no route", sent_s, sent_s + 2.5)
    assert job in [query["job"] for query in source.queries(sent_s + 2, sent_s + 4)["queries"]]
    assert job not in [query["job"] for query in source.queries(sent_s + 3, sent_s + 4)["queries"]]
    source.close()


def test_a_record_of_schema_3_is_shown_without_what_it_lacks(tmp_path: Path) -> None:
    source = Source(version_3(tmp_path / "old.sqlite"))
    assert source.scene()["name"] == "old" and len(source.scene()["lasers"]) == 3168
    assert source.progress()["state"] == "interrupted"
    assert [event["text"] for event in source.events(100.0, d.INFO, 9)["events"]] == [
        "mode COMPUTE to COMPUTE",
        "injected: board reset",
    ]
    assert source.query(4)["cause"] == "no route"
    assert source.series(401, 0, 100, 9) == {"t": [], "from": 0, "to": 100}
    assert source.series(7, 0, 100, 9) == {"t": [], "from": 0, "to": 100}
    source.close()


ISS = (  # of 20 September 2008: the example of Vallado et al., "Revisiting Spacetrack Report #3" (2006)
    "1 25544U 98067A   08264.51782528 -.00002182  00000-0 -11606-4 0  2927\n"
    "2 25544  51.6416 247.4627 0006703 130.5360 325.0288 15.72125391563537\n"
)


def test_element_sets_are_found_where_they_lie_and_their_absence_is_one_sentence(tmp_path: Path) -> None:
    runs, elsewhere = tmp_path / "runs", tmp_path / "elsewhere"
    elsewhere.mkdir()
    keys = {
        "constellation": {"file": "one.tle"},
        "lasers": {"layout": "none"},
        "epoch": "2008-09-20T12:00:00Z",
    }
    with Record(runs / "real.sqlite") as record:
        record.values("run", {"scenario": keys})
    with pytest.raises(ScenarioError, match=r"constellation\.file"):
        Source(runs / "real.sqlite").scene()
    (elsewhere / "one.tle").write_text(ISS)
    scene = Source(runs / "real.sqlite", elsewhere).scene()
    (radius_km,) = scene["planes"]["radius_km"]
    assert len(scene["names"]) == 1 and scene["lasers"] == []
    # 15.72 revolutions a day: Kepler's third law
    assert radius_km == pytest.approx(
        (398600.4418 * (86400 / 15.72125391 / (2 * np.pi)) ** 2) ** (1 / 3), abs=3
    )


def test_a_search_takes_wildcards_as_letters(record: Path) -> None:
    source = Source(record)
    assert source.search("%")["found"] == source.search("_okyo")["found"] == []
    assert [one["label"] for one in source.search("tok")["found"]][:2] == ["0 from Tokyo", "100 from Tokyo"]
    assert source.search("  ")["found"] == []
    assert source.search("query 7")["found"][0]["job"] == 7
    assert source.search("²")["found"] == []
    source.close()


def test_no_record_and_a_damaged_one_are_one_sentence(tmp_path: Path, record: Path) -> None:
    with pytest.raises(RecordError, match="No such file"):
        Source(tmp_path / "none.sqlite")
    (tmp_path / "text.sqlite").write_text("not a record at all")
    with pytest.raises(RecordError, match="is no SQLite file"):
        Source(tmp_path / "text.sqlite")
    data = bytearray(record.read_bytes())
    data[4096:] = bytes(len(data) - 4096)
    (tmp_path / "zeros.sqlite").write_bytes(data)
    with pytest.raises(RecordError, match="is damaged"):
        Source(tmp_path / "zeros.sqlite").scene()


def outline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, collection: Any) -> Any:
    """The land that is read from such a file."""
    path = tmp_path / "ne_110m_land.geojson"
    path.write_text(collection if isinstance(collection, str) else json.dumps(collection))
    monkeypatch.setattr(land.metadata, "files", lambda _: [path])
    return land.load_land()


def feature(kind: str, coordinates: Any) -> dict[str, Any]:
    return {"features": [{"geometry": {"type": kind, "coordinates": coordinates}}]}


def test_an_outline_of_polygons_is_read_and_what_is_none_leaves_the_sea(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ring = [[0, 0], [10.123456, 0], [10.1201, 0], [10, 10], [0, 0]]
    read = [[0, 0], [10.12, 0], [10, 10], [0, 0]]
    assert outline(monkeypatch, tmp_path, feature("Polygon", [ring])) == [read]
    assert outline(monkeypatch, tmp_path, feature("MultiPolygon", [[ring], [ring]])) == [read, read]
    for wrong in (
        *("", "{", "[]", '{"features": 7}', '{"features": [{"geometry": null}]}'),
        *(
            feature("Polygon", [[[0, 91]]]),
            feature("Polygon", [[[float("nan"), 0]]]),
            feature("Point", [1, 2]),
        ),
        feature("Polygon", [[[i % 2, 0] for i in range(60_000)]]),
    ):
        assert outline(monkeypatch, tmp_path, wrong) == []


def test_without_its_package_there_is_no_land(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(land, "_PACKAGE", "no-such-package-of-ours")
    assert land.load_land() == []
