"""Small runs, recorded as a user's are: by twins alone, and by virtual boards under faults."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from ascnode.boards.interpreter import Interpreter, find_interpreter
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
Fly = Callable[[str, str], Path]


def flown(folder: Path, name: str, text: str, interpreter: Interpreter | None) -> Path:
    """The record of a scenario, in `folder`."""
    (folder / name).mkdir()
    path = folder / f"{name}.sqlite"
    Flight(scenario(folder / name, text), path, interpreter, Console(file=io.StringIO())).fly()
    return path


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with runs of twins: small-0001 and small-0002 alike, small-0003 of another seed, other-0001 longer."""
    folder = tmp_path_factory.mktemp("flown")
    for name, text in (
        ("small-0001", SMALL),
        ("small-0002", SMALL),
        ("small-0003", SMALL.replace("duration_s", "seed = 9\nduration_s")),
        ("other-0001", SMALL.replace("queries = 30", "queries = 31").replace('"small"', '"other"')),
    ):
        flown(folder, name, text, None)
    return folder


@pytest.fixture(scope="session")
def boards_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two virtual boards: one is reset and has an upset, the other loses power in a write to its flash."""
    interpreter = find_interpreter()
    if interpreter is None:
        pytest.skip("no MicroPython interpreter on this machine")
    return flown(tmp_path_factory.mktemp("boards"), "hard-0001", SMALL + FAULTS, interpreter)
