"""Small scenarios, recorded as a user's are."""

import io
from pathlib import Path

from rich.console import Console

from ascnode.boards.runtime import Runtime
from ascnode.cli.run import Flight
from scenario.flight import scenario

SMALL = """
name = "small"
duration_s = 90
[constellation]
name = "starlink-gen1-1"
boards = [[0, 0], [18, 5]]
compute = "boards"
[users]
cities = 10
[[workload]]
kind = "inference"
queries = 30
end_s = 60
"""
FAULTS = """
[[fault]]
kind = "board"
effect = "reset"
node = [0, 0]
start_s = 40
[[fault]]
kind = "board"
effect = "power_cut"
node = [18, 5]
write = 2
halves = 1
off_s = 10
[[fault]]
kind = "upset"
node = [0, 0]
target = "flight"
word = 27
bit = 3
start_s = 60
"""


def flown(folder: Path, name: str, text: str, runtime: Runtime | None) -> Path:
    """The record of a scenario, in `folder`."""
    (folder / name).mkdir()
    path = folder / f"{name}.sqlite"
    Flight(scenario(folder / name, text), path, runtime, Console(file=io.StringIO())).fly()
    return path
