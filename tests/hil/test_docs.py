"""docs/hil.md says what there is, and its first test runs."""

import re
from pathlib import Path

import pytest

from ascnode_hil.evidence import OUTCOMES
from ascnode_hil.node import HilNode
from ascnode_hil.requirements import own_requirements
from hil.running import run_pytest

_DOCS = Path(__file__).parents[2] / "docs" / "hil.md"
TEXT = _DOCS.read_text()


def test_the_first_test_runs_as_it_stands(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    (tmp_path / "test_mine.py").write_text(code)
    ran = run_pytest(tmp_path, "--ascnode-board=twin")
    assert ran.told == {"pass": 1}, ran.output


def test_every_option_and_fixture_is_described(tmp_path: Path) -> None:
    options = set(re.findall(r"--ascnode-[a-z0-9-]+", run_pytest(tmp_path, "--help").output))
    assert options == set(re.findall(r"^\| `(--ascnode-[a-z0-9-]+)`", TEXT, re.MULTILINE))
    fixtures = set(re.findall(r"^(ascnode_\w+)", run_pytest(tmp_path, "--fixtures").output, re.MULTILINE))
    described = set(re.findall(r"^\| `(ascnode_\w+)`", TEXT, re.MULTILINE))
    assert described == fixtures - {"ascnode_pool", "ascnode_open"}  # what the others are made of


def test_every_outcome_and_suite_is_described() -> None:
    assert set(re.findall(r"^\| (\w+) \| ", TEXT, re.MULTILINE)) >= set(OUTCOMES)
    for suite in {one.suite for one in own_requirements().values()}:
        assert suite in TEXT


def test_what_a_node_offers_is_there() -> None:
    table = TEXT.split("What a node offers:")[1].split("\n\n")[1]
    names = {
        name
        for cell in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
        for name in re.findall(r"`(\w+)", cell)
    }
    assert len(names) > 25
    attributes = {"heard", "trace"}
    assert not [name for name in names - attributes if not hasattr(HilNode, name)]


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)]+)\)", TEXT))))
def test_links_lead_somewhere(link: str) -> None:
    assert (_DOCS.parent / link).exists()
