"""The live display of a run in a terminal, and its plain sibling for logs."""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from ascnode.scenario.status import Status

_EVERY_S = 0.1
_PLAIN_EVERY_S = 2.0


class LiveView:
    """Redraws at most ten times a second, however fast simulated time runs; lines of text where no one looks on."""

    def __init__(self, console: Console, duration_s: float, from_s: float = 0.0) -> None:
        self._console = console
        self._duration_s = duration_s
        self._from_s = from_s  # simulated time at which it begins to look on
        self._bar = Progress(
            TextColumn("simulated {task.fields[clock]}"),
            BarColumn(40),
            TextColumn("{task.percentage:>3.0f} %  {task.fields[speed]}"),
            console=console,
        )
        self._task = self._bar.add_task("", total=duration_s, clock="0:00:00", speed="")
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._drawn = 0.0
        self._start = time.monotonic()

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live.is_started:
            self._live.stop()

    def update(self, sim_s: float, boards: Sequence[Status], note: str = "") -> None:
        """Draws when it is time to, and always at the end; `note` is a line below the boards."""
        now = time.monotonic()
        every = _EVERY_S if self._console.is_terminal else _PLAIN_EVERY_S
        if now - self._drawn < every and 0 < sim_s < self._duration_s:
            return
        self._drawn = now
        if self._console.is_terminal:
            speed = (sim_s - self._from_s) * len(boards) / max(1e-9, now - self._start)
            self._bar.update(self._task, completed=sim_s, clock=clock(sim_s), speed=f"{speed:,.0f} board-s/s")
            self._live.update(Group(self._bar, board_table(boards), Text(note, style="dim")), refresh=True)
        else:
            line = plain_line(sim_s, self._duration_s, boards)
            self._console.print(f"{line}  {note}".rstrip(), highlight=False, soft_wrap=True)


def clock(seconds: float) -> str:
    """h:mm:ss"""
    minutes, s = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{s:02d}"


def plain_line(sim_s: float, duration_s: float, boards: Sequence[Status]) -> str:
    """One line for a log."""
    states = "  ".join(
        f"{b.name} {b.mode} {b.charge:.0%} {b.accelerator_c:.0f}C op{b.operating_point}" for b in boards
    )
    return f"t={clock(sim_s)} of {clock(duration_s)}  {states}"


def board_table(boards: Sequence[Status]) -> Table:
    """A row a board; states by word as well as by colour."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in ("board", "mode", "light"):
        table.add_column(title)
    for title in ("charge", "accelerator", "radiator", "point", "jobs", "packets", "answered"):
        table.add_column(title, justify="right")
    table.add_column("link")
    for b in boards:
        table.add_row(
            b.name,
            Text(b.mode, style={"SAFE": "bold red", "CHARGE": "yellow"}.get(b.mode, "")),
            "sun" if b.sunlit else Text("eclipse", style="dim"),
            f"{b.charge:.1%}",
            f"{b.accelerator_c:.1f} °C",
            f"{b.radiator_c:.1f} °C",
            str(b.operating_point),
            str(b.jobs),
            str(b.packets),
            str(b.jobs_done),
            Text("contact", style="green") if b.contact else Text("-", style="dim"),
        )
    return table
