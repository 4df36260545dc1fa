"""The controller's side: takes in what every test left, from all workers, ends the run's status, writes the report."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

# From the most to the least telling: a test has the first of what its phases had.
_WEIGHT = ("fail", "blocked", "skipped", "marginal", "pass")


class Collector:
    """Registered as a plugin where reports arrive: in the only process, or in that which controls the workers."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.records: dict[str, dict[str, Any]] = {}
        self._unwritten = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        evidence: dict[str, Any] | None = getattr(report, "ascnode", None)
        if evidence is None:
            return
        name = evidence["name"]
        before = self.records.get(name, {})
        outcome = min((evidence["outcome"], before.get("outcome", "pass")), key=_WEIGHT.index)
        words = report.longreprtext if report.failed else before.get("words", "")
        seconds = report.duration + before.get("seconds", 0.0)
        self.records[name] = {**evidence, "outcome": outcome, "words": words, "seconds": seconds}

    @property
    def outcomes(self) -> Counter[str]:
        """How many tests have each of the five."""
        return Counter(record["outcome"] for record in self.records.values())

    @property
    def verdict(self) -> str:
        """Why a run without a failed test has failed all the same; empty when it has not."""
        named = self.config.getoption("--ascnode-board") or ""
        hardware = named.startswith(("serial:", "bench:", "emulated"))
        told = self.outcomes
        tested = told["pass"] + told["marginal"] + told["fail"]
        if not tested and (told["blocked"] or (hardware and self.records)):
            return f"nothing was tested on {named or 'virtual'}: every test was skipped or blocked"
        broke = [name for name, record in self.records.items() if record["rig_broke"]]
        if broke:
            return f"the rig broke in {len(broke)} tests, the first {broke[0]}: {self.records[broke[0]]['blocked']}"
        return ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        file = self.config.getoption("--ascnode-report")
        if file and not self.config.option.collectonly:
            self._write(Path(file))
        if (self.verdict or self._unwritten) and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _write(self, path: Path) -> None:
        from ascnode_hil.report.page import page

        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(page(self.config, self.records, self.verdict), encoding="utf-8")
        except OSError as error:
            self._unwritten = f"the report {path} cannot be written: {error.strerror}"

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.records:
            return
        told = self.outcomes
        terminalreporter.section("ascnode")
        for name, record in self.records.items():
            if record["outcome"] == "blocked":
                terminalreporter.line(f"BLOCKED {name}: {record['blocked']}")
            for measured in record["measurements"]:
                if measured["outcome"] == "marginal":
                    value = f"{measured['value']:.6g} {measured['unit']}"
                    terminalreporter.line(f"MARGINAL {name}: {measured['name']} = {value}")
        terminalreporter.line(
            ", ".join(f"{told[outcome]} {outcome}" for outcome in reversed(_WEIGHT) if told[outcome])
        )
        if self.config.getoption("--ascnode-report") and not self._unwritten:
            terminalreporter.line(f"report: {self.config.getoption('--ascnode-report')}")
        for trouble in filter(None, (self.verdict, self._unwritten)):
            terminalreporter.line(f"FAILED: {trouble}", red=True)
