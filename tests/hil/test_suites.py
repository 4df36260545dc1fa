"""The suites as a user runs them: all green without hardware, on every kind of board that needs none."""

from pathlib import Path

import pytest

from ascnode.boards.interpreter import find_interpreter
from hil.running import SUITES, run_pytest

_NO_INTERPRETER = find_interpreter() is None
_ACCELERATED = 8  # tests that need an accelerator


@pytest.mark.parametrize("plant", ["board", "host"])
@pytest.mark.parametrize("board", ["twin", "virtual"])
def test_every_suite_is_green(tmp_path: Path, board: str, plant: str) -> None:
    if board == "virtual" and _NO_INTERPRETER:
        pytest.skip("no MicroPython interpreter on this machine")
    ran = run_pytest(tmp_path, "--pyargs", SUITES, "--ascnode-board", board, "--ascnode-plant", plant)
    assert ran.status == 0, ran.output
    assert not ran.told.keys() & {"fail", "blocked"}, ran.output
    assert ran.told["pass"] + ran.told.get("marginal", 0) >= 80
    # A twin alone has neither board nor cable to differ from.
    assert ran.told.get("skipped", 0) == _ACCELERATED + (7 if board == "twin" else 0)


@pytest.mark.skipif(_NO_INTERPRETER, reason="no MicroPython interpreter on this machine")
def test_two_workers_test_beside_each_other_and_write_one_report(tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    suite = f"{SUITES}.test_commands"
    ran = run_pytest(tmp_path, "-n", "2", "--pyargs", suite, f"--ascnode-report={report}")
    assert ran.status == 0, ran.output
    assert ran.told == {"pass": 19}
    page = report.read_text()
    assert page.count("<summary>") == 19
    assert "virtual-0" in page
