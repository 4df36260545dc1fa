"""Rig or firmware: boards that really die, cables that are really cut, and the test after them."""

from pathlib import Path

import pytest

from ascnode.boards.interpreter import find_interpreter
from hil.running import run_pytest

pytestmark = pytest.mark.skipif(
    find_interpreter() is None, reason="no MicroPython interpreter on this machine"
)

_AFTER = """
def test_after_it(ascnode_node):
    ascnode_node.contact()
    assert ascnode_node.command("ping") == "ok"
"""


def test_a_virtual_board_that_dies_fails_its_test_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(
        "import os, signal\n"
        "def test_of_death(ascnode_node):\n"
        "    ascnode_node.advance(5)\n"
        "    os.kill(ascnode_node.device.process_id, signal.SIGKILL)\n"
        "    ascnode_node.advance(5)\n" + _AFTER
    )
    ran = run_pytest(tmp_path)
    assert ran.told == {"fail": 1, "pass": 1}, ran.output
    assert "its process was killed by signal 9" in ran.output


def test_a_cable_that_is_cut_blocks_its_test_and_no_other_and_the_run_has_failed(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(
        "from ascnode.session.request import Patience\n"
        "def test_of_a_cable(ascnode_node, ascnode_faults):\n"
        "    ascnode_node.device.flyer.session.patience = Patience(0.05, 0.1, 4)\n"
        "    ascnode_faults({'kind': 'wire', 'effect': 'cut', 'start_s': 5})\n"
        "    ascnode_node.advance(60)\n" + _AFTER
    )
    ran = run_pytest(tmp_path)
    assert ran.told == {"blocked": 1, "pass": 1}, ran.output
    assert "the rig broke in 1 tests, the first test_mine.py::test_of_a_cable" in ran.output
    assert ran.status == 1


def test_without_an_interpreter_everything_is_blocked_and_nothing_is_green(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASCNODE_MICROPYTHON", "none")
    (tmp_path / "test_mine.py").write_text(_AFTER)
    ran = run_pytest(tmp_path)
    assert ran.told == {"blocked": 1}, ran.output
    assert "no MicroPython interpreter" in ran.output
    assert ran.status == 1
