"""The table of requirements: each has a test, and a user can add a table of his own."""

from pathlib import Path

import pytest

from ascnode_hil.errors import HilUsageError
from ascnode_hil.requirements import own_requirements, requirements
from hil.running import SUITES, run_pytest

_SUITE_NAMES = {
    "power",
    "thermal",
    "links",
    "tasks",
    "modes",
    "commands",
    "recovery",
    "timing",
    "accelerator",
}


def test_every_suite_has_requirements_and_every_requirement_a_text() -> None:
    own = own_requirements()
    assert {one.suite for one in own.values()} == _SUITE_NAMES
    assert all(one.text.endswith(".") for one in own.values())


def test_every_requirement_has_a_test_in_its_suite(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "def pytest_collection_modifyitems(items):\n"
        "    with open('traced.txt', 'w') as file:\n"
        "        for item in items:\n"
        "            for mark in item.iter_markers('ascnode_requirement'):\n"
        "                for name in mark.args:\n"
        "                    print(item.module.__name__, name, file=file)\n"
    )
    run_pytest(
        tmp_path,
        "--confcutdir",
        str(tmp_path),
        "-p",
        "conftest",
        "--collect-only",
        "--pyargs",
        SUITES,
        first_on_path=tmp_path,
    )
    traced = {tuple(line.split()) for line in (tmp_path / "traced.txt").read_text().splitlines()}
    expected = {(f"{SUITES}.test_{one.suite}", one.id) for one in own_requirements().values()}
    assert traced == expected


def test_a_users_table_adds_to_ours(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[payload.CAM-01]\ntext = "The camera answers."\n')
    both = requirements([file])
    assert both["CAM-01"].suite == "payload"
    assert both.keys() > own_requirements().keys()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ('[power.PWR-01]\ntext = "again"\n', "requirement PWR-01 exists already"),
        ("[power\n", "not a table of requirements"),
        ("[power.X-1]\nwords = 1\n", "not a table of requirements"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused_with_its_name(tmp_path: Path, content: str, why: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(content)
    with pytest.raises(HilUsageError, match=f"mine.toml: {why}"):
        requirements([file])
