"""Measures the live page: opening, frames, memory over hours. `PYTHONPATH=tests python -m tests.bench.page`."""

import statistics
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from view.browser import Tab, chromium_path, launched
from view.hours import follow
from view.recorded import write_record
from view.served import Command

HOUR_S = 3600
DAY_S = 24 * HOUR_S
OPEN_S = 2.0  # the limits
LOAD_S = 3.0
FRAME_MS = 1000 / 60
PLAY_S = 5.0
MB = 1e6


def main() -> None:
    """Prints all figures beside their bounds."""
    if chromium_path() is None:
        print("no Chromium here: apt install chromium, or name one in ASCNODE_CHROMIUM")
        return
    table = Table("what", "measured", "bound", "of it", box=None)
    with tempfile.TemporaryDirectory() as name, launched() as chromium:
        for measure in (_opening, _frames, _hours):
            for row in measure(Path(name), chromium):
                table.add_row(*row)
    Console(width=120).print(table)


def _row(what: str, measured: float, bound: float, unit: str) -> tuple[str, str, str, str]:
    return what, f"{measured:,.2f} {unit}", f"{bound:,.2f} {unit}", f"{measured / bound:.0%}"


def _opening(folder: Path, chromium: Any) -> list[tuple[str, str, str, str]]:
    record = write_record(folder / "day.sqlite", DAY_S, 8, busy=True)
    with Command(str(record)) as served, Tab(chromium, served.url) as tab:
        started = time.monotonic()
        tab.page.reload()
        tab.ready()
        shown_s = time.monotonic() - started
        load_s = tab.js("performance.getEntriesByType('navigation')[0].loadEventEnd") / 1000
        size = record.stat().st_size / MB
    return [
        _row(f"24 h x 8 boards ({size:.0f} MB): map, charts and events shown", shown_s, OPEN_S, "s"),
        _row("load event of the page", load_s, LOAD_S, "s"),
    ]


def _frames(folder: Path, chromium: Any) -> list[tuple[str, str, str, str]]:
    with Command(str(folder / "day.sqlite")) as served, Tab(chromium, served.url) as tab:
        tab.ready().seek(600)
        tab.js(
            "ascnode.clock.speed = 60; ascnode.frames = { count: 0, ms: 0 }; window.times = []; ascnode.play()"
        )
        tab.js("(function frame(t) { times.push(t); requestAnimationFrame(frame); })(performance.now())")
        tab.page.wait_for_timeout(PLAY_S * 1000)
        times = tab.js("times.slice(5)")
        drawn = tab.js("ascnode.frames.ms / ascnode.frames.count")
    apart = sorted(b - a for a, b in pairwise(times))
    return [
        _row(
            "1,584 satellites, 3,168 lasers: between two frames, median",
            statistics.median(apart),
            FRAME_MS,
            "ms",
        ),
        _row("the same, 95th percentile", apart[int(0.95 * len(apart))], FRAME_MS, "ms"),
        _row("script of a frame, mean", drawn, FRAME_MS, "ms"),
    ]


def _hours(folder: Path, chromium: Any) -> list[tuple[str, str, str, str]]:
    start, end = follow(folder / "hours.sqlite", chromium, 8 * HOUR_S, 60)
    return [
        _row(
            "8 h of a run followed: JS heap, over that after half an hour",
            end.heap / MB,
            start.heap / MB,
            "MB",
        ),
        _row("the same: resident memory of the server", end.server / MB, start.server / MB, "MB"),
    ]


if __name__ == "__main__":
    main()
