"""`ascnode twin run` as a user runs it: Basilisk's cases, closed forms, the firmware's integers, bad input."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ascnode.cli.main import app
from ascnode.errors import AscnodeError
from ascnode.scenario.hardware import nadir_view_factor
from ascnode.sky.eclipse import eclipse_fraction

CAPACITY_WH = 300.0
WH_GATE = 0.002 * CAPACITY_WH
TEMPERATURE_GATE_K = 0.1

# PHYSICS, "Cases to reproduce": one plate, its thermal module's own S and sigma, the first from orbit noon.
BASILISK_NODE = (
    "--array-m2 1 --cell-efficiency 0.30 --mppt 0.97 --battery-wh 300 --initial-wh 240 --charge-efficiency 1 "
    "--discharge-efficiency 1 --radiator-m2 0.1 --radiator-absorptivity 0.25 --radiator-emissivity 0.85 "
    "--radiator-view-factor 0 --radiator-j-per-k 1780 --bus-heat-w 40 --radiator-face sun "
    "--thermal-solar-constant-w-m2 1366 --stefan-boltzmann-w-m2-k4 5.76051e-8"
)
BASILISK = {
    "--altitude-km 550 --beta-deg 0 --load-w 230": (0.37232, 248.60, 163.68, 246.64, 71.59, 64.31),
    "--altitude-km 650 --beta-deg 58.57 --start-deg -90 --load-w 280": (
        *(0.20189, 316.09, 208.42, 236.35),
        *(75.38, 64.79),
    ),
}


def twin(options: str) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["twin", "run", *options.split(), "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    report: dict[str, Any] = json.loads(result.stdout)
    return report


def complaint(options: str) -> str:
    with pytest.raises(AscnodeError) as error:
        CliRunner().invoke(app, ["twin", "run", *options.split()], catch_exceptions=False)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("node", ["float", "integer"])
@pytest.mark.parametrize("case", BASILISK)
def test_three_orbits_agree_with_basilisk(case: str, node: str) -> None:
    dark, array_w, least_wh, last_wh, hottest_c, last_c = BASILISK[case]
    report = twin(f"{case} {BASILISK_NODE} --node {node}")
    assert report["eclipse_fraction"] == pytest.approx(dark, abs=2e-4)
    assert report["mean_array_w"] == pytest.approx(array_w, rel=0.002)
    assert report["battery_min_wh"] == pytest.approx(least_wh, abs=WH_GATE)
    assert report["battery_end_wh"] == pytest.approx(last_wh, abs=WH_GATE)
    assert report["radiator_max_c"] == pytest.approx(hottest_c, abs=TEMPERATURE_GATE_K)
    assert report["radiator_end_c"] == pytest.approx(last_c, abs=TEMPERATURE_GATE_K)


@pytest.mark.parametrize(
    "options",
    [
        "--orbit 550,53,40,15",
        "--altitude-km 700 --ltan-h 10.5 --radiator-face nadir --accelerator-w 95",
        "--orbit 1200,87.9 --array-face zenith --radiator-face zenith --age-years 5 --load-w 90",
        "--altitude-km 420 --beta-deg 70 --radiator-face antisun --accelerator-w 40 --leakage-w 8",
        "--orbit 550,53 --two-body --battery-wh 60 --array-m2 0.5 --load-w 120 --orbits 1.5",
    ],
)
def test_floats_and_the_firmwares_integers_agree(options: str) -> None:
    mine, its = twin(options), twin(f"{options} --node integer")
    capacity_wh = 60 if "--battery-wh 60" in options else 300
    for key, value in its.items():
        if key.endswith("_wh"):
            assert mine[key] == pytest.approx(value, abs=0.002 * capacity_wh), key
        elif key.endswith("_c"):
            assert mine[key] == pytest.approx(value, abs=TEMPERATURE_GATE_K), key
        elif key.endswith("_w") or key == "eclipse_fraction":
            assert mine[key] == pytest.approx(value, rel=0.002), key


def test_an_orbit_in_one_option_is_the_same_orbit() -> None:
    one = twin("--orbit 550,53,40,15 --orbits 0.5")
    several = (
        "--altitude-km 550 --inclination-deg 53 --raan-deg 40 --argument-of-latitude-deg 15 --orbits 0.5"
    )
    assert one == twin(several)


def test_eclipse_is_that_of_the_orbits_own_beta() -> None:
    report = twin("--orbit 600,97.8,200 --epoch 2025-06-21T00:00:00Z --orbits 1 --two-body")
    assert report["eclipse_fraction"] == pytest.approx(eclipse_fraction(600, report["beta_deg"]), abs=1e-3)


def test_a_lossless_battery_gives_back_what_went_in() -> None:
    lossless = "--charge-efficiency 1 --discharge-efficiency 1 --battery-wh 5000 --initial-wh 2500"
    report = twin(f"--orbit 550,53 {lossless} --orbits 2")
    hours = report["duration_s"] / 3600
    gained_wh = (report["mean_array_w"] - report["mean_load_w"]) * hours
    assert report["battery_end_wh"] - 2500 == pytest.approx(gained_wh, abs=1e-6)
    assert (report["shunted_wh"], report["unmet_wh"]) == (0, 0)


def test_what_the_battery_cannot_give_is_unmet() -> None:
    report = twin("--orbit 550,53 --array-m2 0 --discharge-efficiency 1 --load-w 400 --orbits 1")
    assert report["battery_min_wh"] == report["battery_end_wh"] == 0
    assert report["unmet_wh"] == pytest.approx(400 * report["duration_s"] / 3600 - 270)


def test_the_radiator_settles_where_emission_meets_heat() -> None:
    # eps A = 0.51 m2 and 200 W inside: 288.378 K. A nadir face takes the Earth's infrared as well.
    plate = "--radiator-m2 0.6 --radiator-emissivity 0.85 --radiator-j-per-k 150 --load-w 200 --albedo 0"
    dark = twin(f"--orbit 550,53 {plate} --radiator-view-factor 0")
    assert dark["radiator_end_c"] == pytest.approx(288.378 - 273.15, abs=0.001)
    warm = twin(f"--orbit 550,53 {plate} --radiator-face nadir --radiator-absorptivity 0")
    infrared_w = 0.51 * 237 * nadir_view_factor(550)
    settles_k = ((200 + infrared_w) / (0.51 * 5.670374e-8)) ** 0.25
    assert warm["radiator_end_c"] == pytest.approx(settles_k - 273.15, abs=0.001)


def test_the_accelerator_lies_above_its_radiator_by_heat_over_conductance() -> None:
    options = "--accelerator-w 100 --leakage-w 0 --conductance-w-per-k 4 --accelerator-j-per-k 100 --orbits 4"
    report = twin(f"--orbit 550,53 {options}")
    apart = report["accelerator_end_c"] - report["radiator_end_c"]
    assert apart == pytest.approx(25, abs=0.1)
    assert report["mean_load_w"] == pytest.approx(160)


def test_a_longer_step_tells_the_same_story() -> None:
    fine, coarse = (twin(f"--orbit 550,53 --accelerator-w 95 --step-s {step}") for step in (1, 20))
    assert coarse["battery_min_wh"] == pytest.approx(fine["battery_min_wh"], abs=WH_GATE)
    assert coarse["radiator_max_c"] == pytest.approx(fine["radiator_max_c"], abs=TEMPERATURE_GATE_K)


def test_the_table_shows_the_figures() -> None:
    result = CliRunner().invoke(app, ["twin", "run", "--orbit", "550,53"], catch_exceptions=False)
    assert "battery Wh" in result.stdout and "eclipse 0.3" in result.stdout


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("", "give the orbit: --orbit KM,DEG"),
        ("--altitude-km 550", "give --inclination-deg, --ltan-h for a sun-synchronous orbit, or --beta-deg"),
        ("--orbit 550", "--orbit is '550': write altitude and inclination as 550,53"),
        ("--orbit 550:53:1:2:3", "--orbit is"),
        ("--orbit 550,high", "--orbit is '550,high'"),
        ("--orbit 550,53 --altitude-km 500", "--orbit leaves no room for --altitude-km"),
        ("--altitude-km 550 --beta-deg 10 --raan-deg 5", "--beta-deg leaves no room for --raan-deg"),
        ("--altitude-km 550 --beta-deg 91", "lies between -90 and 90"),
        ("--altitude-km -5 --beta-deg 0", "an orbit lies above the surface"),
        ("--orbit -5,53", "an orbit lies above the surface"),
        ("--altitude-km 700 --ltan-h 25", "--ltan-h is 25: it lies within 0..24"),
        ("--orbit 550,53 --epoch tomorrow", "--epoch"),
        ("--orbit 550,53 --step-s 0", "--step-s 0 makes no 1 to"),
        ("--orbit 550,53 --orbits -1", "makes no 1 to"),
        ("--orbit 550,53 --orbits nan", "makes no 1 to"),
        ("--orbit 550,53 --battery-wh 0", "--battery-wh: input should be greater than 0"),
        ("--orbit 550,53 --initial-wh 400", "--initial-wh is 400: it lies within 0 and the capacity of 300"),
        ("--orbit 550,53 --load-w -1", "--load-w: input should be greater than or equal to 0"),
        ("--orbit 550,53 --cell-efficiency 0.9", "--cell-efficiency: "),
        ("--orbit 550,53 --accelerator-w -1", "--accelerator-w is -1"),
        ("--orbit 550,53 --orbits 0.1 --node integer --step-s 0.0015", "steps whole milliseconds"),
        ("--orbit 550,53 --node integer --step-s 60 --accelerator-w 9", "asks for step_ms below"),
        ("--orbit 550,53 --plot chart.gif", "a chart is written as .png or .svg"),
    ],
)
def test_bad_input_ends_in_one_sentence(options: str, sentence: str) -> None:
    assert sentence in complaint(options)


def test_a_plot_shows_charge_and_temperatures(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    chart = tmp_path / "flight.svg"
    twin(f"--orbit 550,53 --accelerator-w 60 --orbits 1 --plot {chart}")
    text = chart.read_text(encoding="utf-8")
    assert "<svg" in text and text.count("<path") > 20


def test_a_plot_without_matplotlib_is_refused_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    sentence = complaint(f"--orbit 550,53 --orbits 0.1 --plot {tmp_path / 'flight.png'}")
    assert sentence == "charts need matplotlib: pip install 'ascnode[plot]'"
