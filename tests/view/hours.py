"""Memory of page and server while a long run is followed."""

import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from ascnode.scenario.slots import bounds_us
from view.browser import Tab
from view.recorded import scenario
from view.served import Command

ROOT = Path(__file__).parents[1]
EARLY = 1 / 16  # of the run: caches are full by then


class Memory(NamedTuple):
    """Bytes: the page's JavaScript heap after a collection, resident memory of the server."""

    heap: float
    server: float


def follow(path: Path, chromium: Any, length_s: int, wall_s: float) -> tuple[Memory, Memory]:
    """Early in a run and at its end, which another process writes in about wall_s."""
    slots = len(bounds_us(scenario(length_s).epoch, length_s))
    command = [sys.executable, "-m", "view.recorded", str(path), str(length_s), str(wall_s / slots)]
    with subprocess.Popen(command, cwd=ROOT) as writer:
        try:
            return _follow(path, chromium, length_s, 3 * wall_s)
        finally:
            writer.kill()


def _follow(path: Path, chromium: Any, length_s: int, deadline_s: float) -> tuple[Memory, Memory]:
    with Command(str(path), wait_for=path) as served, Tab(chromium, served.url) as tab:
        tab.until(
            "the run's beginning", f"window.ascnode && ascnode.clock.t > {EARLY * length_s}", deadline_s
        )
        early = _memory(tab, served)
        tab.until("the run's end", f"ascnode.clock.t === {length_s}", deadline_s)
        assert tab.said == []
        return early, _memory(tab, served)


def _memory(tab: Tab, served: Command) -> Memory:
    cdp = tab.context.new_cdp_session(tab.page)
    cdp.send("HeapProfiler.collectGarbage")
    heap = cdp.send("Runtime.getHeapUsage")["usedSize"]
    cdp.detach()
    return Memory(heap, psutil.Process(served.process.pid).memory_info().rss)
