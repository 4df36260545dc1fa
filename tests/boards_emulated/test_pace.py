"""The chip's time beside the host's."""

from pathlib import Path
from typing import Any

from ascnode.boards.emulated_image import PicoImage
from ascnode.boards.emulator import Pace
from boards_emulated.desk import at_repl, desk


class Clocks:
    """A chip's time and the host's, both set by hand."""

    def __init__(self) -> None:
        self.time_s = 0.0
        self.host_s = 100.0

    def now_s(self) -> float:
        return self.host_s


def paced() -> tuple[Clocks, Pace]:
    clocks = Clocks()
    chip: Any = clocks
    return clocks, Pace(chip, clocks.now_s)


def test_a_chip_that_is_ahead_waits_for_the_host() -> None:
    clocks, pace = paced()
    clocks.time_s = 0.25
    assert pace.ahead_s() == 0.25
    clocks.host_s += 0.125
    assert pace.ahead_s() == 0.125
    clocks.host_s += 0.125
    assert pace.ahead_s() == 0.0


def test_what_a_busy_chip_falls_behind_is_forgiven() -> None:
    clocks, pace = paced()
    clocks.host_s += 50
    clocks.time_s = 1.0
    assert pace.ahead_s() == 0.0
    clocks.time_s = 1.5  # it sleeps: without forgiveness, 49 s of it would pass at once
    assert pace.ahead_s() == 0.5


def test_a_chip_that_runs_free_sleeps_ahead_of_the_host(tmp_path: Path, image: PicoImage) -> None:
    with desk(tmp_path, image, free=True) as (_, port):
        at_repl(port)
        assert port.run("import time; time.sleep(90)") == b""  # the port's own deadline is 60 s
