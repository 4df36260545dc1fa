"""docs/scenario.md cannot drift: its tables are the models', its example flies, its causes are the code's."""

import re
from pathlib import Path

from ascnode.scenario import injected, ledger, parcel, run, training
from ascnode.scenario.reference import TABLES, reference
from ascnode.scenario.scenario import load, ready_made

DOCS = (Path(__file__).parents[2] / "docs" / "scenario.md").read_text(encoding="utf-8")


def test_the_key_tables_are_those_of_the_models() -> None:
    assert DOCS.endswith(reference()), "run python -m ascnode.scenario.reference and paste it"
    assert all(f"### {name}\n" in DOCS for name in TABLES)


def test_the_example_is_a_whole_scenario(tmp_path: Path) -> None:
    example = re.search(r"this is a whole scenario\.\n\n```toml\n(.*?)```", DOCS, re.DOTALL)
    assert example is not None
    path = tmp_path / "mine.toml"
    path.write_text(example[1], encoding="utf-8")
    assert len(load(path).space.boards) == 2


def test_the_example_of_faults_hits_its_boards(tmp_path: Path) -> None:
    example = re.search(r"This is a whole scenario:\n\n```toml\n(.*?)```", DOCS, re.DOTALL)
    assert example is not None
    path = tmp_path / "hard-day.toml"
    path.write_text(example[1], encoding="utf-8")
    schedule = load(path).board_faults()
    assert [one.kind for _, one in schedule.of_node("sat-0-0")] == ["radio", "upset"]
    assert [one.kind for _, one in schedule.of_node("sat-18-5")] == ["radio", "board", "upset"]


def test_every_outcome_of_a_fault_is_explained() -> None:
    for outcome in (injected.WENT_ON, injected.RECOVERED, injected.OFF, injected.DETECTED, injected.NO_TRACE):
        assert f"| {outcome} |" in DOCS, outcome


def test_the_ready_made_scenarios_that_it_names_are_valid() -> None:
    named = set(re.findall(r"scenario/([a-z-]+)\.toml", DOCS))
    assert named == {"demo", "stress", "starlink-rtt"}
    for name in named:
        assert load(ready_made(name)).name == name


def test_every_cause_of_loss_is_explained() -> None:
    causes = [
        getattr(parcel, name) for name in ("LOST_UP", "LOST_DOWN", "NO_SATELLITE", "NO_ROUTE", "BUFFER_FULL")
    ]
    for cause in (*causes, ledger.NOT_DOWN, run.NODE_FAILED, run.RESTARTED, training.LATE):
        assert cause in DOCS, cause
