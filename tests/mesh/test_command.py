"""`ascnode mesh` as a user calls it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ascnode.cli.main import app, main
from ascnode.sky.shells import Shell
from mesh.element_sets import tle_text
from mesh.tools import shells

SHELL = "D:630:51.9:1156/34/1"


def run(*words: str) -> str:
    result = CliRunner().invoke(app, ["mesh", *words])
    assert result.exit_code == 0, result.output
    return result.stdout


def route(*words: str) -> dict[str, object]:
    values: dict[str, object] = json.loads(run("route", "--json", *words))
    return values


def failure(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    monkeypatch.setattr("sys.argv", ["ascnode", "mesh", *words])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code not in (0, None)
    return capsys.readouterr().err


def test_route_prints_paths_and_delays_over_time() -> None:
    found = route(
        "--constellation", SHELL, "--from", "Paris", "--to", "55.75,37.62", "--duration", "4", "--step", "2"
    )
    assert (found["satellites"], found["epoch"]) == (1156, "2000-01-01T00:00:00.000Z")
    assert [step["t_s"] for step in found["steps"]] == [0, 2, 4]
    for step in found["steps"]:
        assert step["rtt_ms"] == pytest.approx(2000 * step["length_km"] / 299792.458)
        assert all(0 <= satellite < 1156 for satellite in step["path"]) and step["path"]
    assert found["to"] == {
        "name": "55.75,37.62",
        "latitude_deg": 55.75,
        "longitude_deg": 37.62,
        "height_m": 0.0,
    }


def test_range_alone_and_elevation_alone_are_limits_of_their_own() -> None:
    ends = ("--constellation", SHELL, "--from", "Nairobi", "--to", "Cairo")
    far, low = route(*ends, "--max-gsl-km", "3000"), route(*ends, "--min-elevation-deg", "10")
    both = route(*ends, "--max-gsl-km", "1", "--min-elevation-deg", "10")
    assert far["steps"][0]["length_km"] < low["steps"][0]["length_km"]
    assert both["steps"] == [{"t_s": 0.0, "rtt_ms": None, "length_km": None, "path": []}]
    assert both["steps_without_route"] == 1


def test_element_sets_start_at_their_epoch_and_planes_are_found(tmp_path: Path) -> None:
    file = tmp_path / "kuiper.tle"
    file.write_text("34 34\n" + tle_text(shells(Shell(630, 51.9, 34, 34, 1))))
    ends = ("--from", "Paris", "--to", "Moscow")
    found, shell = route("--constellation", str(file), *ends), route("--constellation", SHELL, *ends)
    assert found["epoch"] == "2000-01-01T00:00:00.000Z"
    assert found["steps"][0]["path"] == shell["steps"][0]["path"]
    assert found["steps"][0]["rtt_ms"] == pytest.approx(shell["steps"][0]["rtt_ms"], rel=0.01)


def test_table_and_stats_are_for_people() -> None:
    table = run("route", "--constellation", SHELL, "--from", "Paris", "--to", "Moscow")
    assert "Paris to Moscow over" in table and "fibre along the great circle" in table
    stats = run("stats", "--constellation", SHELL, "--cities", "12", "--duration", "10")
    assert "1,156 satellites, 2,312 links" in stats and "1156 have 4" in stats


def test_stats_as_json_hold_the_figures_of_the_table() -> None:
    found = json.loads(run("stats", "--json", "--constellation", SHELL, "--cities", "12"))
    assert (found["links"], found["pairs"], found["satellites_by_links"]) == (2312, 66, [0, 0, 0, 0, 1156])
    assert found["rtt_ms"]["p5"] < found["rtt_ms"]["p50"] < found["rtt_ms"]["p99"]
    assert 0 < found["faster_than_fibre"] < 1


def test_plot_is_written(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="charts need matplotlib: pip install 'ascnode[plot]'")
    for command in (
        ("route", "--from", "Paris", "--to", "Moscow", "--duration", "3"),
        ("stats", "--cities", "5"),
    ):
        file = tmp_path / f"{command[0]}.svg"
        run(*command, "--constellation", SHELL, "--plot", str(file))
        assert file.read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--to", "Pari"), "'Pari' is no city of the table: did you mean Paris"),
        (("--to", "Moscow", "--step", "0"), "--step is 0.0: it is above 0"),
        (("--to", "Moscow", "--duration", "1e9"), "is more than 1,000,000 steps"),
        (("--to", "48.86,2.35"), "a route has two ends"),
        (("--to", "Moscow", "--max-gsl-km", "-1"), "--max-gsl-km is -1: a link has a length"),
        (("--to", "Moscow", "--min-elevation-deg", "91"), "min_elevation_deg is 91.0"),
        (("--to", "Moscow", "--max-isl-km", "0"), "--max-isl-km is 0: a link has a length"),
        (("--to", "Moscow", "--epoch", "soon"), "'soon' is no instant"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(
    words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = failure(capsys, monkeypatch, "route", "--constellation", SHELL, "--from", "Paris", *words)
    assert message in said and said.count("\n") == 1


def test_constellation_that_is_none_and_one_too_large_for_tables_are_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = failure(capsys, monkeypatch, "route", "--constellation", "x", "--from", "Paris", "--to", "Rome")
    assert "'x' is no constellation" in said
    said = failure(capsys, monkeypatch, "stats", "--constellation", "million")
    assert "tables of all routes are kept up to 100,000" in said
