"""`ascnode demo` with an accelerator beside each board: golden model and RTL give the same answers, and prove it."""

import hashlib
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from ascnode.boards.interpreter import find_interpreter
from ascnode.scenario.scenario import load, ready_made
from loop.demo_process import SMALL, fly, run, write_scenario

pytestmark = pytest.mark.skipif(
    find_interpreter() is None, reason="no MicroPython interpreter on this machine"
)

SHORT = SMALL.replace("orbits = 0.25", "duration_s = 300").replace(
    "queries = 60", "queries = 12\nend_s = 200"
)
# what a run's wall time, its record and the engines' own cycles make differ
_OWN = {"wall_s", "record", "record_sha256", "proofs"}


def _answers(folder: Path, name: str) -> str:
    """SHA-256 over every answer of a board: node, job, output, in that order."""
    sha = hashlib.sha256()
    with sqlite3.connect(folder / f"{name}.sqlite") as record:
        for row in record.execute(
            "SELECT DISTINCT node, json_extract(fields, '$.job'), data FROM telemetry WHERE name = 'result' "
            "ORDER BY 1, 2"
        ):
            sha.update(repr(row).encode())
    return sha.hexdigest()


def _fly(folder: Path, kind: str) -> dict[str, Any]:
    return fly(folder, kind, "--accelerator", kind, scenario=SHORT)


def test_golden_rtl_and_cpu_give_the_same_answers_and_the_same_figures(tmp_path: Path) -> None:
    figures = {kind: _fly(tmp_path, kind) for kind in ("none", "golden", "rtl")}
    assert len({_answers(tmp_path, kind) for kind in figures}) == 1
    for kind, of in figures.items():
        assert {k: v for k, v in of.items() if k not in _OWN} == {
            k: v for k, v in figures["none"].items() if k not in _OWN
        }
        engine = "CPU" if kind == "none" else "accelerator"
        assert of["proofs"]["engines"] == {engine: of["answered"]}
        assert (of["proofs"]["accelerator"], of["proofs"]["wrong"]) == (kind, 0)
    assert figures["none"]["proofs"]["cycles"] is None
    assert figures["rtl"]["proofs"]["cycles"] == pytest.approx(1, abs=0.01)


def test_the_demo_has_golden_accelerators_and_other_scenarios_none() -> None:
    assert load(ready_made("demo")).accelerator == "golden"
    assert load(ready_made("stress")).accelerator == "none"


def test_the_summary_says_what_computed_and_that_it_was_proven(tmp_path: Path) -> None:
    file = write_scenario(tmp_path, SHORT)
    status, out, error = run(tmp_path, "demo", "--scenario", file, "--accelerator", "golden")
    assert (status, error) == (0, "")
    assert "with an accelerator each (golden)" in out
    assert "by the accelerator (golden); every proof holds" in out


def test_an_accelerator_that_there_is_not_is_refused(tmp_path: Path) -> None:
    status, _, error = run(tmp_path, "demo", "--accelerator", "quantum")
    assert status == 2
    assert "quantum" in error
