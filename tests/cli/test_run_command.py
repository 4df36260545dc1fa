"""`ascnode run` as a user types it."""

import json
from pathlib import Path

import pytest

from loop.demo_process import run, write_scenario

TINY = """
name = "tiny"
duration_s = 60
[constellation]
name = "starlink-gen1-1"
boards = [[0, 0]]
compute = 5
[users]
cities = 5
[gateways]
sites = 5
[[workload]]
kind = "inference"
queries = 30
end_s = 40
"""


def test_without_boards_all_nodes_are_simulated_and_a_chart_is_drawn(tmp_path: Path) -> None:
    scenario = write_scenario(tmp_path, TINY)
    status, out, error = run(
        tmp_path, "run", scenario, "--no-boards", "--json", "figures.json", "--plot", "chart.svg"
    )
    assert (status, error) == (0, "")
    assert "no boards: all nodes were simulated" in out
    assert "Where the time went" in out
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["boards"] == 0
    assert figures["answered"] + figures["lost"] == 30
    assert set(figures["split_s"]) == {"uplink", "mesh", "queue", "compute", "wait", "downlink"}
    assert "</svg>" in (tmp_path / "chart.svg").read_text()


def test_compare_flies_every_policy_over_the_same_queries(tmp_path: Path) -> None:
    status, out, error = run(
        tmp_path, "run", write_scenario(tmp_path, TINY), "--no-boards", "--compare", "--json", "all.json"
    )
    assert (status, error) == (0, "")
    results = json.loads((tmp_path / "all.json").read_text())
    assert set(results) == {"nearest", "random", "least-queue", "headroom"}
    assert {one["queries_sent"] for one in results.values()} == {30}
    assert "worst battery" in out and "goodput" in out


RESET = '[[fault]]\nkind = "board"\neffect = "reset"\nstart_s = 30\n'


def test_a_run_tells_at_its_end_what_its_faults_came_to(tmp_path: Path) -> None:
    scenario = write_scenario(tmp_path, TINY + RESET)
    status, out, error = run(tmp_path, "run", scenario, "--json", "figures.json")
    assert (status, error) == (0, "")
    assert "Faults of the boards" in out and "1 recovered" in out
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["faults"] == [
        {"kind": "board", "what": "reset", "injected": 1, "outcomes": {"recovered": 1}}
    ]


def test_faults_of_boards_without_boards_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    scenario = write_scenario(tmp_path, TINY + RESET)
    status, _, error = run(tmp_path, "run", scenario, "--no-boards")
    assert (status, error.count("\n")) == (1, 1)
    assert "fault.0.node: a board fault hits boards, and there are none" in error
    assert not (tmp_path / "runs").exists()


def test_ready_made_scenarios_are_found_by_name(tmp_path: Path) -> None:
    # refused for the record, so after it was found
    (tmp_path / "kept.sqlite").touch()
    status, _, error = run(tmp_path, "run", "stress.toml", "--record", "kept.sqlite")
    assert status == 1
    assert "kept.sqlite exists" in error


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("no.toml",), "no.toml: No such file"),
        (("scenario.toml", "--compare", "--record", "x.sqlite"), "--compare flies several runs"),
        (("scenario.toml", "--plot", "chart.gif"), "chart.gif: a chart is written as .png or .svg"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    write_scenario(tmp_path, TINY)
    status, _, error = run(tmp_path, "run", *arguments)
    assert status == 1
    assert says in error
    assert error.count("\n") == 1
