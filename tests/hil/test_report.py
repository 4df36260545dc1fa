"""The HTML report, opened: whole, alone, and with all that a reader needs."""

import re
from html.parser import HTMLParser

import pytest

from hil.running import run_pytest

_TESTS = """
import pytest
from ascnode.errors import LinkDownError

@pytest.mark.ascnode_requirement("PWR-01")
def test_passes(ascnode_node, ascnode_sky, ascnode_measure):
    ascnode_sky.sun()
    ascnode_node.advance(300)
    ascnode_measure("soc_min", 61.2, "%", low=20, marginal=25)
    ascnode_measure("<peak>", 94, "C", high=95, marginal=92)

@pytest.mark.ascnode_requirement("PWR-02", "THM-01")
def test_fails(ascnode_node):
    assert ascnode_node.mode == "<b>COMPUTE</b>"

@pytest.mark.ascnode_requirement("THM-01")
def test_hears(ascnode_faults, ascnode_node):
    ascnode_faults({"kind": "sensor", "sensor": "cell", "effect": "stuck", "value": 4000, "start_s": 5})
    ascnode_node.advance(20)
    ascnode_faults.became("detected")

def test_in_real_time(ascnode_node):
    ascnode_node.configure(control_period=20)
    ascnode_node.step()
    ascnode_node.in_real_time(0.4)

def test_of_a_link(ascnode_node):
    raise LinkDownError("the cable is out")
"""

_VOID = {"meta", "br"}


class _Page(HTMLParser):
    """Checks that tags are closed in order, and collects what could ask for something from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.count: dict[str, int] = {}
        self.asks: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count[tag] = self.count.get(tag, 0) + 1
        if tag not in _VOID:
            self.open.append(tag)
        self.asks += [
            f"{tag} {name}={value}" for name, value in attrs if name in ("src", "href", "xlink:href")
        ]
        if tag in ("script", "link", "iframe", "object", "img"):
            self.asks.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A report with every outcome but skipped."""
    folder = tmp_path_factory.mktemp("report")
    (folder / "test_mine.py").write_text(_TESTS)
    ran = run_pytest(folder, "--ascnode-board=twin", "--ascnode-report=out/report.html", "--ascnode-seed=7")
    assert ran.status == 1
    assert ran.told == {"pass": 2, "marginal": 1, "blocked": 1, "fail": 1}, ran.output
    return (folder / "out" / "report.html").read_text()


def _section(page: str, heading: str) -> str:
    return page.split(f"<h2>{heading}</h2>")[1].split("<h2>")[0]


def test_it_is_whole_and_asks_for_nothing_from_anywhere(page: str) -> None:
    parsed = _Page()
    parsed.feed(page)
    assert parsed.open == []
    assert parsed.asks == []
    assert not re.search(r"https?://|//[a-z]+\.|url\(|@import", page)


def test_it_plots_charge_temperature_throttle_and_links(page: str) -> None:
    (mine,) = re.findall(
        r"<details>(?:(?!</details>).)*test_passes(?:(?!</details>).)*</details>", page, re.DOTALL
    )
    labels = re.findall(r'aria-label="([^"]+)"', mine)
    assert labels == ["charge (%)", "temperature (C)", "throttle", "throttled so far (s)", "links"]
    path = re.search(r'<path d="(M[^"]+)"', mine)
    assert path is not None and path[1].count("L") == 29  # 300 s, a sample every 10 s


def test_it_says_what_was_tested_on_what(page: str) -> None:
    rig = re.sub(r"<[^>]+>", " ", _section(page, "Rig"))
    for words in ("twin-0", "firmware", "dictionary", "Python", "pytest"):
        assert words in rig
    assert re.search(r"seed\s+7", rig)


def test_a_failure_comes_with_the_command_that_repeats_it(page: str) -> None:
    failed = _section(page, "What did not pass")
    options = "--ascnode-board=twin --ascnode-plant=board --ascnode-seed=7 --ascnode-time=lockstep"
    assert f"pytest test_mine.py::test_fails {options}" in failed
    assert "AssertionError" in failed
    assert "the cable is out" in failed


def test_requirements_are_traced_to_tests_and_results(page: str) -> None:
    rows = re.findall(r"<tr><td>([A-Z]{3}-\d\d)</td>(.*?)</tr>", _section(page, "Requirements"))
    text = {name: re.sub(r"<[^>]+>", " ", row) for name, row in rows}
    assert text["PWR-01"].split()[-1] == "marginal"
    assert text["PWR-02"].split()[-1] == "fail"
    assert text["THM-01"].split()[-1] == "fail"  # one of its two tests did
    assert "test_hears" in text["THM-01"]
    assert text["ACC-01"].split()[-1] == "untested"


def test_measurements_stand_with_their_limits(page: str) -> None:
    rows = [re.sub(r"<[^>]+>", "|", row) for row in _section(page, "Measurements").split("<tr>")[2:]]
    assert [re.sub(r"\|+", "|", row).strip("|").split("|")[1:] for row in rows] == [
        ["soc_min", "61.2 %", "20 (25)", "✓ pass"],
        ["&lt;peak&gt;", "94 C", "95 (92)", "△ marginal"],
    ]


def test_faults_are_counted_by_mode_and_outcome(page: str) -> None:
    text = re.sub(r"<[^>]+>", " ", _section(page, "Faults by mode"))
    assert "sensor stuck" in text
    assert "1 detected" in text


def test_real_time_has_a_histogram_of_jitter(page: str) -> None:
    text = _section(page, "Real time")
    counts = [int(n) for n in re.findall(r"<title>[^<]*: (\d+)</title>", text)]
    assert sum(counts) == 20
    assert "deadlines missed" in text


def test_what_a_test_says_is_text_and_no_markup(page: str) -> None:
    assert "<b>COMPUTE</b>" not in page
    assert "&lt;b&gt;COMPUTE&lt;/b&gt;" in page
