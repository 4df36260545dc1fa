"""Small runs: by twins alone, and by virtual boards under faults."""

from pathlib import Path

import pytest

from ascnode.boards.interpreter import find_interpreter
from record.flown import FAULTS, SMALL, flown


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
