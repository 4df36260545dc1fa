"""`ascnode demo` end to end: real firmware on virtual boards, answering; and what it says when things go wrong."""

import resource
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ascnode.boards.interpreter import find_interpreter
from ascnode.scenario.scenario import load, ready_made
from loop.demo_process import SMALL, alive, children, fly, run, start, write_scenario

needs_interpreter = pytest.mark.skipif(
    find_interpreter() is None, reason="no MicroPython interpreter on this machine"
)
KEYS = {
    *("queries_sent", "answered", "late", "lost", "correct", "boards", "steps"),
    *("parity_mismatches", "energy_j_per_answer", "wall_s", "sim_s"),
}


@needs_interpreter
def test_every_query_is_accounted_for_and_boards_and_twins_agree(tmp_path: Path) -> None:
    figures = fly(tmp_path, "one")
    assert figures.keys() >= KEYS
    assert figures["kind"] == "virtual"
    assert figures["queries_sent"] == 60
    assert figures["answered"] + figures["lost"] == 60
    assert figures["answered"] >= 50
    assert sum(figures["causes"].values()) == figures["lost"]
    assert figures["correct"] >= 0.9 * figures["answered"]
    assert figures["late"] <= figures["answered"]
    assert (figures["boards"], figures["parity_mismatches"]) == (2, 0)
    assert figures["sim_s"] == 1434.0
    assert figures["steps"] == 2 * 1434
    assert sum(figures["per_board"][0]["mode_minutes"].values()) == pytest.approx(1434 / 60, abs=0.02)


@needs_interpreter
def test_same_seed_same_record_other_seed_another(tmp_path: Path) -> None:
    first, second = fly(tmp_path, "first"), fly(tmp_path, "second")
    other = fly(tmp_path, "other", "--seed", "2")
    assert first["record_sha256"] == second["record_sha256"]
    assert first["record_sha256"] != other["record_sha256"]


@needs_interpreter
def test_twins_alone_come_to_the_same_figures_as_boards(tmp_path: Path) -> None:
    boards = fly(tmp_path, "boards")
    twins = fly(tmp_path, "twins", ASCNODE_MICROPYTHON="none")
    assert twins["kind"] == "twin"
    wall = {"wall_s", "record", "record_sha256", "kind"}
    assert {k: v for k, v in twins.items() if k not in wall} == {
        k: v for k, v in boards.items() if k not in wall
    }


# Twelve satellites without lasers and with slow nodes: answers wait on board for the next pass over their user.
ESP32_POLAR = """
profile = "esp32"
step_ms = 500
duration_s = 7500
radiator_face = "zenith"
[[constellation.shells]]
altitude_km = 650
inclination_deg = 97.99
planes = 4
per_plane = 3
[constellation]
boards = [[0, 0], [1, 1]]
[users]
cities = ["71.3,-156.8", "64.1,-21.9", "78.2,15.6", "-77.8,166.7"]
min_elevation_deg = 10
[downlink]
gso_deg = 0
loss = 0.0
loss_low = 0.0
[lasers]
layout = "none"
[[workload]]
kind = "inference"
queries = 200
deadline_s = 5000
[policy]
placement = "nearest"
[node]
operating_points = [[0, 0], [1500, 12]]
"""
# 20 kW: power words of 64 mW, steps of 2 s
LARGE = """
step_ms = 2000
orbits = 0.25
[constellation]
name = "starlink-gen1-1"
boards = [[3, 3]]
compute = "boards"
[[workload]]
kind = "inference"
queries = 100
[node]
array_m2 = 60.0
battery_wh = 15000
bus_load_w = 2000
bus_heat_w = 2000
radio_w = 100
radiator_m2 = 30
radiator_j_per_k = 200000
accelerator_j_per_k = 20000
conductance_w_per_k = 300
leakage_w = 300
idle_w = 100
operating_points = [[0, 0], [100000, 2000], [200000, 6000], [400000, 9000]]
"""
# an old satellite with a flat battery: what comes is refused with a cause
FLAT = """
orbits = 0.5
age_days = 3000
[constellation]
name = "starlink-gen1-1"
boards = [[0, 0]]
compute = "boards"
[[workload]]
kind = "inference"
queries = 50
[downlink]
loss = 0.0
loss_low = 0.0
[node]
initial_charge = 0.1
array_m2 = 0.3
battery_wh = 60
"""
NOBODY = """
orbits = 0.1
workload = []
[constellation]
code = "D:550:0.0:22/1/0"
boards = [0]
"""


@needs_interpreter
@pytest.mark.parametrize(
    ("scenario", "sent", "answered"),
    [(ESP32_POLAR, 200, 20), (LARGE, 100, 90), (FLAT, 50, 0), (NOBODY, 0, 0)],
)
def test_other_boards_orbits_and_nodes_fly_too(
    tmp_path: Path, scenario: str, sent: int, answered: int
) -> None:
    figures = fly(tmp_path, "other", scenario=scenario)
    assert figures["parity_mismatches"] == 0
    assert figures["queries_sent"] == sent
    assert figures["answered"] >= answered
    assert figures["answered"] + figures["lost"] == sent
    assert sum(figures["causes"].values()) == figures["lost"]
    if scenario is ESP32_POLAR:
        # the two boards are among those asked, and what they answer waits for a pass
        assert sum(board["jobs_done"] for board in figures["per_board"]) > 0
        assert figures["latency_s"]["max"] > 1800
    if scenario is FLAT:
        in_view = 50 - figures["causes"].get("no satellite in view", 0)
        assert figures["causes"]["refused: load shed"] == in_view > 40
        assert figures["per_board"][0]["mode_minutes"]["SAFE"] > 20
    if scenario is LARGE:
        # the power of the points is kilowatts: the jobs' energy is, too
        assert figures["energy_j_per_answer"] > 1000


def test_without_an_interpreter_it_says_so_and_flies_twins(tmp_path: Path) -> None:
    status, out, error = run(
        tmp_path, "demo", "--scenario", write_scenario(tmp_path), ASCNODE_MICROPYTHON="none"
    )
    assert (status, error) == (0, "")
    assert "No MicroPython interpreter was found" in out
    assert "twins flew alone" in out


def test_an_interpreter_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    status, _, error = run(tmp_path, "demo", ASCNODE_MICROPYTHON="/no/such/micropython")
    assert status == 1
    assert "/no/such/micropython" in error
    assert error.count("\n") == 1


def test_the_demo_scenario_itself_is_valid_and_in_the_shell_it_claims() -> None:
    scenario = load(ready_made("demo"))
    assert scenario.space.count == 1584
    orbits = [scenario.space.orbit(number) for number in scenario.space.boards]
    assert {(orbit.altitude_km, orbit.inclination_deg) for orbit in orbits} == {(550.0, 53.0)}
    assert len(orbits) == 4
    # a 550 km orbit takes 95.6 minutes
    assert scenario.length_s == pytest.approx(5737, abs=5)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("orbits = -1", "orbits"),
        ("orbit = 1", "orbit: is not a key"),
        ("orbits = ", "not TOML"),
        ('constellation = {name = "kuiper", boards = [[99, 0]]}', "board [99, 0] is not there: plane 99"),
        ('constellation = {code = "D:550:53.0:22/1/0", boards = [22]}', "board 22 is not there"),
        ('constellation = {name = "kuiper", compute = "boards"}', "boards is empty"),
        ("[[constellation.shells]]\nplanes = 60\nphasing = 60", "phasing is 60: it lies between 0 and 59"),
        ('constellation = {name = "kuiper", boards = [[1, 1], [0, 1, 1]]}', "twice"),
        ('constellation = {name = "kuiper", code = "D:550:53.0:22/1/0"}', "exactly one of"),
        ("constellation = {boards = [0]}", "exactly one of"),
        ('constellation = {name = "nowhere"}', "constellation.name"),
        ('constellation = {name = "million"}', "takes up to 100,000; these are 1,000,000"),
        ('constellation = {file = "no.tle"}', "constellation.file"),
        ('[[workload]]\nkind = "sleep"', "workload.0"),
        ("[[cap]]\nat_s = 1\nfor_s = 2", "one of each_w and total_w"),
        ('[[fault]]\nkind = "outage"\nat_s = 1', "names satellite"),
        ('[policy]\nplacement = "best"', "policy.placement"),
        ("[node]\nbattery_wh = 0", "node.battery_wh"),
        ("step_ms = 10000\n[node]\naccelerator_j_per_k = 1.0", "accelerator_j_per_k"),
        ("[node]\nradiator_m2 = 'big'", "node.radiator_m2"),
        ('epoch = "2026-01-01"', "epoch"),
        ("name = '../escape'", "name"),
        ("\x00", "not TOML"),
    ],
)
def test_a_bad_scenario_is_one_sentence_that_names_the_key(tmp_path: Path, text: str, says: str) -> None:
    status, _, error = run(tmp_path, "demo", "--scenario", write_scenario(tmp_path, text))
    assert status == 1
    assert says in error
    assert error.startswith("ascnode: ")
    assert error.count("\n") == 1
    assert not (tmp_path / "runs").exists()


def test_a_scenario_that_is_not_there_or_not_text_is_one_sentence(tmp_path: Path) -> None:
    assert run(tmp_path, "demo", "--scenario", "missing.toml")[2].startswith(
        "ascnode: missing.toml: No such file"
    )
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    assert "not a text file" in run(tmp_path, "demo", "--scenario", "binary.toml")[2]


def test_a_wrong_option_is_status_2(tmp_path: Path) -> None:
    status, _, error = run(tmp_path, "demo", "--sede", "1")
    assert status == 2
    assert "--sede" in error


def test_a_record_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "kept.sqlite").write_text("precious")
    status, _, error = run(tmp_path, "demo", "--record", "kept.sqlite")
    assert status == 1
    assert "kept.sqlite exists" in error
    assert (tmp_path / "kept.sqlite").read_text() == "precious"


def long_scenario(folder: Path) -> Path:
    return write_scenario(
        folder, SMALL.replace("orbits = 0.25", "orbits = 30").replace("queries = 60\n", "queries = 60_000\n")
    )


def under_way(folder: Path) -> "subprocess.Popen[str]":
    """A long demo that has begun to fly."""
    process = start(folder, "demo", "--scenario", long_scenario(folder), "--record", "run.sqlite")
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("t=") and not line.startswith("t=0:00:00"):
            break
    assert process.poll() is None
    return process


def check_ended_well(process: "subprocess.Popen[str]", family: list[int], status: int, says: str) -> None:
    out, error = process.communicate(timeout=30)
    assert process.returncode == status, (out, error)
    assert says in error
    assert error.count("\n") == 1, error
    assert "The record so far is kept in run.sqlite" in out
    deadline = time.monotonic() + 5
    while any(map(alive, family)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(alive, family))


def frames_in(record: Path) -> int:
    with sqlite3.connect(record) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return int(db.execute("SELECT count(*) FROM frames").fetchone()[0])


@needs_interpreter
def test_ctrl_c_ends_it_in_one_sentence_with_the_record_and_no_process_left(tmp_path: Path) -> None:
    process = under_way(tmp_path)
    family = children(process.pid)
    assert len(family) >= 4  # a supervisor and a VM for each of two boards
    process.send_signal(signal.SIGINT)
    check_ended_well(process, family, 130, "Ctrl-C")
    assert frames_in(tmp_path / "run.sqlite") > 2


@needs_interpreter
def test_a_termination_leaves_no_process(tmp_path: Path) -> None:
    process = under_way(tmp_path)
    family = children(process.pid)
    deadline = time.monotonic() + 20
    while (committed := frames_in(tmp_path / "run.sqlite")) == 0 and time.monotonic() < deadline:
        time.sleep(0.1)
    process.kill()
    process.wait(10)
    deadline = time.monotonic() + 5
    while any(map(alive, family)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(alive, family))
    assert frames_in(tmp_path / "run.sqlite") >= committed > 0


@needs_interpreter
def test_a_board_that_dies_in_mid_run_is_named(tmp_path: Path) -> None:
    process = under_way(tmp_path)
    family = children(process.pid)
    (vm, *_) = (pid for pid in family if not children(pid))
    signal_vm(vm)
    check_ended_well(process, family, 1, "died: its process was killed by signal 9")
    assert frames_in(tmp_path / "run.sqlite") > 2


def signal_vm(pid: int) -> None:
    import os

    os.kill(pid, signal.SIGKILL)


def fly_with_files_of_at_most(limit_bytes: int, folder: Path) -> tuple[int, str, str]:
    """A limit on the size of files stands in for a full disk: writes fail in the same places."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "ascnode",
            "demo",
            "--scenario",
            long_scenario(folder),
            "--record",
            "run.sqlite",
        ],
        cwd=folder,
        preexec_fn=limit,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    out, error = process.communicate(timeout=100)
    return process.returncode, out, error


@needs_interpreter
def test_a_full_disk_is_one_sentence_and_what_was_recorded_stays(tmp_path: Path) -> None:
    status, out, error = fly_with_files_of_at_most(3_000_000, tmp_path)
    assert status == 1, out
    assert "the record run.sqlite cannot be written" in error
    assert error.count("\n") == 1
    assert frames_in(tmp_path / "run.sqlite") > 100


@needs_interpreter
def test_a_disk_too_full_for_the_boards_flash_is_one_sentence(tmp_path: Path) -> None:
    status, out, error = fly_with_files_of_at_most(1_000_000, tmp_path)
    assert status == 1, out
    assert "File too large" in error
    assert error.count("\n") == 1


def test_figures_that_cannot_be_written_are_one_sentence(tmp_path: Path) -> None:
    status, _, error = run(
        tmp_path,
        "demo",
        "--scenario",
        write_scenario(tmp_path),
        "--json",
        "/dev/full",
        ASCNODE_MICROPYTHON="none",
    )
    assert status == 1
    assert error == "ascnode: /dev/full: No space left on device\n"
