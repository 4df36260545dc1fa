"""A simulator ends with the process that started it, even in the middle of a long run."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import ascnode_gateware

HOUR_LONG = """
import sys
from pathlib import Path
from ascnode_gateware.sim.device import Device
from ascnode_gateware.sim.process import Process
process = Process(Path(sys.argv[1]))
print(process.pid, flush=True)
Device(process).idle(2**32 - 1)
"""
END_DEADLINE_S = 10


def runs(pid: int) -> bool:
    """Not a zombie: whoever adopts the process may collect it late."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc here")
@pytest.mark.parametrize("which", ["executable", "spi_executable"])
def test_a_simulator_ends_when_python_is_killed(request: pytest.FixtureRequest, which: str) -> None:
    path = str(Path(ascnode_gateware.__file__).parents[1])
    parent = subprocess.Popen(
        [sys.executable, "-c", HOUR_LONG, str(request.getfixturevalue(which))],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert parent.stdout
    simulator = int(parent.stdout.readline())
    time.sleep(0.3)
    assert runs(simulator)
    parent.kill()
    parent.wait(END_DEADLINE_S)
    end = time.monotonic() + END_DEADLINE_S
    while runs(simulator) and time.monotonic() < end:
        time.sleep(0.05)
    parent.stdout.close()
    assert not runs(simulator)
