"""`ascnode openmct`: a run in NASA's Open MCT, with its history, its limits, and what comes while it flies."""

import asyncio
import signal
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ascnode.cli.runs import Run as RunArgument
from ascnode.cli.runs import opened
from ascnode.cli.sky_common import open_console
from ascnode.ground.openmct.archive import Files, archive, fetch, load
from ascnode.ground.openmct.server import HOST, Server
from ascnode.ground.stream import START_S, await_boards
from ascnode.record.catalogue import UNDER_WAY, state_of
from ascnode.record.reader import Reader


def openmct(
    run: RunArgument,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 0,
    fetched: Annotated[
        bool, typer.Option("--fetch", help="Have npm put Open MCT into the cache first, once.")
    ] = False,
    folder: Annotated[
        Path | None,
        typer.Option("--from", help="Folder with Open MCT as npm packs it; by default the cache."),
    ] = None,
) -> None:
    """Show a run's telemetry in NASA's Open MCT, on this machine."""
    console = open_console()
    with console.status("Reading Open MCT"):
        files = load(fetch(folder) if fetched else archive(folder))
    with opened(run) as reader:
        path, begun = reader.path, state_of(reader) != UNDER_WAY
    asyncio.run(_serve(path, 0.0 if begun else START_S, files, port, console))


async def _serve(path: Path, wait_s: float, files: Files, port: int, console: Console) -> None:
    reader, _ = await await_boards(path, wait_s)
    with reader:
        await _show(reader, files, port, console)


async def _show(reader: Reader, files: Files, port: int, console: Console) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    server = await Server(reader, files).start(port)
    try:
        where = f"http://{HOST}:{server.port}/"
        console.print(
            f"Open MCT shows {reader.path} at {where}; Ctrl-C ends it", highlight=False, markup=False
        )
        await stop.wait()
    finally:
        await server.close()
