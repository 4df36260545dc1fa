"""Runs the suites as a user does: a pytest of its own, in a folder of its own."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SUITES = "ascnode_hil.suites"
_DEADLINE_S = 300


@dataclass(frozen=True)
class Ran:
    """How it ended: the status, the five outcomes, what it said."""

    status: int
    told: dict[str, int]
    output: str


def run_pytest(folder: Path, *arguments: str, first_on_path: Path | None = None) -> Ran:
    """A run in `folder`, with no configuration but its own; `first_on_path` holds packages that go before ours."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-c", str(folder / "pytest.ini"), "-p", "no:cacheprovider"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    if first_on_path:
        environment["PYTHONPATH"] = str(first_on_path)
    run = subprocess.run(
        [*command, "-q", "--tb=short", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_DEADLINE_S,
        check=False,
    )
    output = run.stdout + run.stderr
    lines = re.findall(r"^((?:\d+ (?:pass|fail|marginal|blocked|skipped)(?:, )?)+)$", output, re.MULTILINE)
    told = {name: int(count) for count, name in re.findall(r"(\d+) (\w+)", lines[-1] if lines else "")}
    return Ran(run.returncode, told, output)
