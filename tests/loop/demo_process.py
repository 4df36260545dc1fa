"""Runs `ascnode demo` as a user does: a process of its own, in a folder of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

# Two boards of a full shell for a quarter of an orbit, some of it in eclipse: the whole path in a few seconds.
SMALL = """
name = "small"
orbits = 0.25
[constellation]
name = "starlink-gen1-1"
boards = [[0, 0], [18, 5]]
compute = "boards"
[users]
cities = 20
[gateways]
sites = 10
[[workload]]
kind = "inference"
queries = 60
deadline_s = 60
[node]
radiator_m2 = 0.2
"""


def write_scenario(folder: Path, text: str = SMALL) -> Path:
    path = folder / "scenario.toml"
    path.write_text(text, encoding="utf-8")
    return path


def start(folder: Path, *arguments: str | Path, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "ascnode", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "COLUMNS": "150", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(folder: Path, *arguments: str | Path, **environment: str) -> tuple[int, str, str]:
    process = start(folder, *arguments, **environment)
    out, error = process.communicate(timeout=120)
    return process.returncode, out, error


def fly(
    folder: Path, name: str, *arguments: str | Path, scenario: str = SMALL, **environment: str
) -> dict[str, Any]:
    """The figures of a small demo that has to succeed."""
    result = folder / f"{name}.json"
    command = (
        "demo",
        "--scenario",
        write_scenario(folder, scenario),
        "--record",
        f"{name}.sqlite",
        "--json",
        result,
    )
    status, out, error = run(folder, *command, *arguments, **environment)
    assert (status, error) == (0, ""), (out, error)
    figures: dict[str, Any] = json.loads(result.read_text())
    return figures


def children(pid: int) -> list[int]:
    """Process ids of all descendants."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += [int(child), *children(int(child))]
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z"
    except FileNotFoundError:
        return False
