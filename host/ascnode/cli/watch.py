"""`ascnode watch`: a run's display in a terminal, for whoever is on another machine than the run."""

import time
from typing import Annotated

import typer

from ascnode.cli.serve import Run, record_of
from ascnode.cli.sky_common import open_console
from ascnode.errors import RecordError, StoppedError
from ascnode.view.attached import slot_line, statuses
from ascnode.view.live import LiveView, board_table, clock
from ascnode.view.page.source import Source

_LOOK_S = 0.5


def watch(
    run: Run = None,
    once: Annotated[bool, typer.Option("--once", help="Print how it stands, and end.")] = False,
) -> None:
    """Show a run in the terminal until it ends."""
    source = Source(record_of(run))
    try:
        state = _follow(source, once)
    except KeyboardInterrupt:
        raise StoppedError("stopped by Ctrl-C; the run goes on") from None
    finally:
        source.close()
    if state == "interrupted" and not once:
        raise RecordError(f"{source.path}: the run was interrupted: its process is gone")


def _follow(source: Source, once: bool) -> str:
    # How the run stands in the end.
    console, progress = open_console(), source.progress()
    with LiveView(console, float(source.scenario.length_s), progress["newest_s"]) as view:
        while progress["state"] == "under way" and not once:
            view.update(progress["newest_s"], statuses(source.reader), slot_line(source.reader))
            time.sleep(_LOOK_S)
            progress = source.progress()
    console.print(board_table(statuses(source.reader)))
    console.print(slot_line(source.reader), highlight=False)
    console.print(_closing(source, progress["state"], progress["newest_s"]), highlight=False)
    return str(progress["state"])


def _closing(source: Source, state: str, now_s: float) -> str:
    figures = source.reader.figures
    told = f"{source.path}: {state} at {clock(now_s)} of {clock(source.scenario.length_s)}"
    if not figures:
        return told
    return (
        f"{told}; {figures['queries_sent']:,} queries, {figures['answered']:,} answered, "
        f"{figures['late']:,} of them late, {figures['lost']:,} lost"
    )
