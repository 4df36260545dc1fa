"""One Verilated accelerator for every test here, and a process that runs it, kept for the session."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from ascnode_gateware.sim.process import Process
from ascnode_gateware.sim.simulator import Simulator
from gateware.rtl.host import Host
from gateware.simulators import built


@pytest.fixture(scope="session")
def executable(request: pytest.FixtureRequest) -> Path:
    return built(request, "build_accelerator")


@pytest.fixture(scope="session")
def simulators(executable: Path) -> Iterator[Callable[..., Simulator]]:
    """Simulators by their settings, each process started once."""
    with ExitStack() as stack:

        @cache
        def opened(**settings: float) -> Simulator:
            return stack.enter_context(Simulator(executable, **settings))  # type: ignore[arg-type]

        yield opened


@pytest.fixture(scope="session")
def simulator(simulators: Callable[..., Simulator]) -> Simulator:
    return simulators()


@pytest.fixture(scope="session")
def host(executable: Path) -> Iterator[Host]:
    with Process(executable) as process:
        yield Host(process)
