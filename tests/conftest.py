"""Prints the minutes that each area of the tests took: the first folder below tests/."""

from collections import defaultdict

import pytest

_SHARES_MIN = {"firmware": 4, "sky": 4, "hil": 8, "loop": 4, "view": 4, "gateware": 9, "emulated": 10}
_AREAS = {
    "boards": "hil",
    "bench_boards": "hil",
    "boards_emulated": "emulated",  # nearly nothing where ASCNODE_UF2 names no image
    "session": "hil",
    "faults": "hil",
    "mesh": "sky",
    "twin": "sky",
    "scenario": "loop",
    "models": "firmware",
    "push": "firmware",
    "record": "view",
    "ground": "view",
    "report": "view",
    "docs": "view",
    "cli": "loop",
    "conformance": "firmware",
}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    seconds: dict[str, float] = defaultdict(float)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                folder = report.nodeid.split("/")[1] if "/" in report.nodeid else "other"
                seconds[_AREAS.get(folder, folder)] += report.duration
    if seconds:
        terminalreporter.section("minutes an area (of one core)")
        for area, spent in sorted(seconds.items()):
            share = f" of {_SHARES_MIN[area]}" if area in _SHARES_MIN else ""
            terminalreporter.line(f"{area}: {spent / 60:.1f}{share}")
