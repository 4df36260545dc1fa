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
from ascnode.errors import AscnodeError
from ascnode.ground.openmct.archive import Files, archive, fetch, load
from ascnode.ground.openmct.server import HOST, Server
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
        if not reader.boards:
            raise AscnodeError(f"{reader.path} has no boards: simulated nodes send no telemetry")
        asyncio.run(_serve(reader, files, port, console))


async def _serve(reader: Reader, files: Files, port: int, console: Console) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    server = await Server(reader, files).start(port)
    try:
        console.print(f"Open MCT shows {reader.path} at http://{HOST}:{server.port}/", highlight=False)
        console.print("Ctrl-C ends it", highlight=False)
        await stop.wait()
    finally:
        await server.close()
