"""`ascnode replay`: drives a board with what was recorded, and compares what comes back."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, TaskID

from ascnode.boards.interpreter import require_interpreter
from ascnode.boards.runtime import KINDS, find_runtime
from ascnode.cli.board_options import Uf2File
from ascnode.cli.runs import Folder, Run, opened
from ascnode.cli.sky_common import open_console
from ascnode.errors import ReplayError, StoppedError
from ascnode.record.catalogue import FOLDER
from ascnode.record.reader import Reader
from ascnode.record.replay import Replay, Replayed, boards_of
from ascnode.record.rigs import ProcessRig, Rig, SerialRig, TwinRig
from ascnode.record.rows import Board

_SERIAL = "serial:"


def replay(
    run: Run,
    board: Annotated[
        str, typer.Option("--board", metavar="twin|virtual|emulated|serial:PORT", help="What is driven.")
    ] = "virtual",
    node: Annotated[
        str | None, typer.Option("--node", metavar="NAME", help="Replay this board of the run alone.")
    ] = None,
    uf2: Uf2File = None,
    folder: Folder = FOLDER,
) -> None:
    """Drive a board with the recorded frames of a run, and compare what comes back byte for byte.

    Status 1 when it differs.
    """
    console = open_console()
    with opened(run, folder) as reader:
        chosen = list(boards_of(reader, node))
        if board.startswith(_SERIAL) and len(chosen) > 1:
            names = ", ".join(one.name for one in chosen)
            raise ReplayError(f"one real board is one node: name it with --node ({names})")
        try:
            results = asyncio.run(_all(console, reader, chosen, board, uf2))
        except KeyboardInterrupt:
            raise StoppedError("stopped by Ctrl-C") from None
    if any(result.difference for result in results):
        raise typer.Exit(1)


def rig_of(board: str, reader: Reader, recorded: Board, uf2: Path | None = None) -> Rig:
    """ReplayError lists the kinds of board when it is none of them."""
    unique_id, flown = bytes.fromhex(recorded.unique_id), reader.scenario
    if board == "twin":
        return TwinRig(unique_id)
    if board in KINDS:
        runtime = find_runtime(board, uf2) or require_interpreter()
        profile, accelerator = flown.get("profile", "rp2040"), flown.get("accelerator", "none")
        return ProcessRig(unique_id, runtime, profile, accelerator)
    if board.startswith(_SERIAL) and board != _SERIAL:
        return SerialRig(board.removeprefix(_SERIAL))
    raise ReplayError(f"--board {board!r}: there are twin, {', '.join(KINDS)} and serial:PORT")


async def _all(
    console: Console, reader: Reader, chosen: list[Board], board: str, uf2: Path | None
) -> list[Replayed]:
    results = []
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        for one in chosen:
            task = progress.add_task(f"{one.name} on {board}", total=reader.newest_us or None)

            def told(at_us: int, task: TaskID = task) -> None:
                progress.update(task, completed=at_us)

            async with rig_of(board, reader, one, uf2) as rig:
                results.append(await Replay(reader, one, rig).fly(told))
            console.print(escape(_said(results[-1])), highlight=False, soft_wrap=True)
    return results


def _said(result: Replayed) -> str:
    ran = (
        f"{result.steps:,} steps to {result.until_us / 1e6:.3f} s, {result.frames:,} answers in {result.requests:,} "
        "requests"
    )
    if result.difference:
        return f"{result.name} differs {result.difference}"
    same = f"{result.name}: the same, byte for byte ({ran})"
    if result.skipped:
        same += f"; not replayed: {'; '.join(result.skipped)}"
    return f"{same}; stopped there: {result.stopped}" if result.stopped else same
