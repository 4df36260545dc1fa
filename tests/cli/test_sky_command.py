"""`ascnode sky`: figures that a user compares, JSON that a program reads, and one sentence for what is wrong."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ascnode.cli.main import main

Command = Callable[..., tuple[int, str, str]]
TLE = (
    "1 00005U 58002B   00179.78495062  .00000023  00000-0  28098-4 0  4753\n"
    "2 00005  34.2682 348.7242 1859667 331.7664  19.3264 10.82419157413667\n"
)


@pytest.fixture
def sky(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs `ascnode sky ...` in an empty folder: status, standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def command(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["ascnode", "sky", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
            raise SystemExit(0)
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return command


def report(result: tuple[int, str, str]) -> dict[str, Any]:
    status, out, error = result
    assert (status, error) == (0, "")
    found = json.loads(out)
    assert isinstance(found, dict)
    return found


def sentence(result: tuple[int, str, str]) -> str:
    status, out, error = result
    assert (status, out) == (1, "")
    assert error.startswith("ascnode: ")
    assert error.count("\n") == 1, error
    return error


def test_eclipse_at_a_beta_prints_basilisks_fraction(sky: Command) -> None:
    found = report(sky("eclipse", "--altitude-km", 550, "--beta-deg", 0, "--json"))
    assert found["fraction"] == pytest.approx(0.37232, abs=3e-5)
    assert found["minutes"] == pytest.approx(0.37232 * found["period_s"] / 60, abs=0.005)
    assert found["zero"] == "orbit noon"
    (one,) = found["instants"]
    assert one["umbra_start_s"] - one["penumbra_start_s"] == pytest.approx(8.5, abs=0.05)
    assert found["umbra_minutes"] * 60 == pytest.approx(one["umbra_end_s"] - one["umbra_start_s"], abs=1e-3)
    assert found["penumbra_minutes"] * 60 == pytest.approx(17.0, abs=0.1)


def test_eclipse_of_an_orbit_prints_instants_from_the_epoch(sky: Command) -> None:
    orbit = ("--altitude-km", 650, "--inclination-deg", 97.99, "--raan-deg", 180)
    found = report(sky("eclipse", *orbit, "--epoch", "2024-06-20T20:51:00Z", "--json"))
    assert found["beta_deg"] == pytest.approx(58.57, abs=0.02)
    assert found["fraction"] == pytest.approx(0.20189, abs=1e-3)
    assert found["epoch"] == "2024-06-20T20:51:00.000Z"
    (one,) = found["instants"]
    assert one["penumbra_start_s"] < one["umbra_start_s"] < one["umbra_end_s"] < one["penumbra_end_s"]
    minute, second = divmod(one["umbra_start_s"], 60)
    assert one["umbra_start"][:19] == f"2024-06-20T21:{51 + int(minute) - 60}:{int(second):02}"
    longer = report(sky("eclipse", *orbit, "--epoch", "2024-06-20T20:51", "--duration", 86400, "--json"))
    assert len(longer["instants"]) in (14, 15)
    assert longer["instants"][0] == one


def test_orbit_without_eclipse_prints_none(sky: Command) -> None:
    found = report(sky("eclipse", "--altitude-km", 650, "--beta-deg", -70, "--json"))
    assert (found["fraction"], found["minutes"], found["umbra_minutes"], found["instants"]) == (0, 0, 0, [])
    status, out, _ = sky("eclipse", "--altitude-km", 650, "--beta-deg", -70)
    assert status == 0
    assert "no eclipse in this time" in out


def test_passes_of_a_constellations_satellite_are_a_table(sky: Command) -> None:
    words = ("passes", "--constellation", "starlink-gen1-1", "--satellite", 40, "--from", "london")
    found = report(sky(*words, "--duration", 40000, "--json"))
    assert len(found["passes"]) == 4
    for one in found["passes"]:
        assert one["rise_s"] < one["culmination_s"] < one["set_s"] <= 40000
        assert 25 <= one["max_elevation_deg"] <= 90
        assert 549 < one["range_km"] < 1130
        assert (one["satellite"], one["name"]) == (40, "0/1/18")
    assert (
        report(sky(*(word if word != 40 else "0/1/18" for word in words), "--duration", 40000, "--json"))
        == found
    )
    status, out, _ = sky(*words, "--duration", 40000)
    assert status == 0
    assert out.count("0/1/18") == 4
    assert "4 passes above 25 deg" in out


def test_passes_of_a_file_start_at_its_newest_epoch(sky: Command) -> None:
    Path("one.tle").write_text(f"VANGUARD 1 [bold]\n{TLE}")
    words = ("passes", "--constellation", "one.tle", "--from", "19.4,-99.1", "--min-elevation-deg", 10)
    found = report(sky(*words, "--json"))
    assert found["epoch"] == "2000-06-27T18:50:19.000Z"
    assert {one["name"] for one in found["passes"]} == {"VANGUARD 1 [bold]"}
    assert "VANGUARD 1 [bold]" in sky(*words)[1]
    assert report(sky(*words, "--satellite", "VANGUARD 1 [bold]", "--json")) == found
    assert report(sky(*words, "--satellite", 0, "--json")) == found


def test_passes_of_an_orbit_of_its_own(sky: Command) -> None:
    orbit = ("--altitude-km", 550, "--inclination-deg", 0, "--from", "0,77", "--duration", 20000)
    found = report(sky("passes", *orbit, "--json"))
    assert found["passes"][0]["max_elevation_deg"] == pytest.approx(90, abs=1e-2)
    assert found["passes"][0]["range_km"] == pytest.approx(550, abs=1e-2)


def test_visible_counts_what_is_up_the_highest_first(sky: Command) -> None:
    words = ("visible", "--constellation", "D:550:53.0:1584/72/39", "--from", "51.5,-0.13")
    found = report(sky(*words, "--json"))
    heights = [one["elevation_deg"] for one in found["satellites"]]
    assert found["count"] == len(heights) > 5
    assert found["of"] == 1584
    assert heights == sorted(heights, reverse=True)
    assert min(heights) >= 25
    status, out, _ = sky(*words, "--top", 2)
    assert status == 0
    assert f"{found['count'] - 2} are not shown (--top 0 shows all)" in out


@pytest.mark.parametrize(
    "words",
    [
        ("eclipse", "--altitude-km", 550, "--beta-deg", 0),
        ("eclipse", "--altitude-km", 550, "--inclination-deg", 53, "--raan-deg", 0),
        ("passes", "--altitude-km", 550, "--inclination-deg", 53, "--from", "tokyo"),
        ("visible", "--constellation", "kuiper", "--from", "tokyo"),
    ],
)
def test_charts_are_drawn_into_files(words: tuple[object, ...], sky: Command) -> None:
    pytest.importorskip("matplotlib", reason="no matplotlib: pip install 'ascnode[plot]'")
    assert sky(*words, "--plot", "chart.svg")[0] == 0
    assert sky(*words, "--plot", "chart.png", "--json")[0] == 0
    assert Path("chart.svg").read_text().startswith("<?xml")
    assert Path("chart.png").read_bytes().startswith(b"\x89PNG")
    assert "a chart is written as .png or .svg" in sentence(sky(*words, "--plot", "chart.pdf"))
    assert "nowhere/chart.png: No such file" in sentence(sky(*words, "--plot", "nowhere/chart.png"))


def test_charts_without_matplotlib_say_what_to_install(sky: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    refused = sky("eclipse", "--altitude-km", 550, "--beta-deg", 0, "--plot", "chart.png")
    assert "pip install 'ascnode[plot]'" in sentence(refused)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("eclipse --altitude-km -5 --beta-deg 0", "altitude_km is -5.0: an orbit lies above the surface"),
        ("eclipse --altitude-km nan --beta-deg 0", "altitude_km is nan"),
        ("eclipse --altitude-km 550 --beta-deg 91", "beta_deg is 91.0: it lies between -90 and 90"),
        ("eclipse --altitude-km 550", "give --beta-deg, or both --inclination-deg and --raan-deg"),
        ("eclipse --altitude-km 550 --inclination-deg 53", "give --beta-deg, or both"),
        ("eclipse --altitude-km 550 --beta-deg 0 --raan-deg 3", "--beta-deg stands alone"),
        ("eclipse --altitude-km 550 --inclination-deg 181 --raan-deg 3", "inclination_deg is 181.0"),
        ("eclipse --altitude-km 550 --inclination-deg 53 --raan-deg 3 --epoch soon", "'soon' is no instant"),
        ("eclipse --altitude-km 550 --inclination-deg 53 --raan-deg 3 --epoch 1066-10-14", "the year 1066"),
        (
            "eclipse --altitude-km 550 --inclination-deg 53 --raan-deg 3 --duration -1",
            "--duration is -1 s: it lies above 0",
        ),
        ("passes --from tokyo", "give --constellation, or both --altitude-km and --inclination-deg"),
        ("passes --from tokyo --constellation kuiper --satellite 3236", "kuiper has the numbers 0 to 3235"),
        ("passes --from tokyo --constellation kuiper --satellite Bob", "kuiper has the numbers 0 to 3235"),
        ("passes --from tokyo --constellation kuiper --satellite 0/1/34", "slot 34 is not in a plane of 34"),
        (
            "passes --from tokyo --constellation kuiper --satellite 0 --duration 1e9",
            "up to 1e+08 (three years)",
        ),
        ("passes --from tokyo --constellation million", "million has 1,000,000 satellites: name one"),
        (
            "passes --from tokyo --altitude-km 550 --inclination-deg 5 --min-elevation-deg 90",
            "from 0 to below 90",
        ),
        ("visible --from Tokio --constellation kuiper", "did you mean Tokyo"),
        ("visible --from tokyo --constellation kuyper", "'kuyper' is no constellation"),
        ("visible --from tokyo --constellation kuiper --min-elevation-deg -1", "from 0 to below 90"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(words: str, complaint: str, sky: Command) -> None:
    assert complaint in sentence(sky(*words.split()))
