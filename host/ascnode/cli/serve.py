"""`ascnode serve`: the live page of a run, for a browser on this machine."""

import asyncio
import signal
from asyncio.subprocess import Process
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ascnode.cli.live_run import relay, start_run, stop_run
from ascnode.cli.run import found
from ascnode.cli.sky_common import open_console
from ascnode.errors import AscnodeError, RecordError
from ascnode.record.catalogue import FOLDER, find_record, records
from ascnode.record.database import next_path
from ascnode.scenario.scenario import load
from ascnode.view.page.guard import Guard, token_for
from ascnode.view.page.server import Server
from ascnode.view.page.source import Source

Run = Annotated[
    str | None,
    typer.Argument(
        metavar="[RUN]", help="A record: its path, name or number; without one, the newest in runs/."
    ),
]
_BEGIN_S = 180.0  # for a run to begin its record: kernels may have to be compiled
_LOOK_S = 0.2
_LAST_WORDS_S = 2.0  # of a run that was stopped


def serve(
    run: Run = None,
    live: Annotated[
        Path | None,
        typer.Option(
            metavar="SCENARIO", help="Fly this scenario, or a ready-made one, and serve it as it flies."
        ),
    ] = None,
    record: Annotated[
        Path | None, typer.Option(help="Record of the --live run; by default a new one in runs/.")
    ] = None,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address to listen on; all but loopback ask for a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 0,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="ASCNODE_TOKEN",
            help="Token to ask for, of 16 characters or more; better in the environment, where `ps` does not show it.",
        ),
    ] = None,
) -> None:
    """Show a run in a browser: map, charts, events, queries."""
    if run is not None and live is not None:
        raise AscnodeError("serve shows one run: name a record or --live SCENARIO, not both")
    if record is not None and live is None:
        raise AscnodeError("--record names where a --live run is recorded: without --live there is none")
    asyncio.run(_serve(run, live, record, host, port, token_for(host, token)))


async def _serve(
    run: str | None, live: Path | None, record: Path | None, host: str, port: int, token: str | None
) -> None:
    stop = _stopped_by_signals()
    if live is None:
        await _show(Source(record_of(run)), host, port, token, stop)
        return
    scenario = found(live)
    path = record or next_path(FOLDER, load(scenario).name)
    if path.exists():
        raise AscnodeError(f"{path} exists: name another record, runs are not overwritten")
    process = await start_run(scenario, path)
    telling = asyncio.create_task(relay(process, typer.echo))
    try:
        source = await _begun(process, path, scenario.parent, stop)
        if source is not None:
            await _show(source, host, port, token, stop)
    finally:
        await stop_run(process)
        await asyncio.wait([telling], timeout=_LAST_WORDS_S)
        telling.cancel()


def record_of(run: str | None) -> Path:
    """What a path, a name or a number means, or the newest record; AscnodeError when there is none."""
    if run is not None:
        return find_record(run)
    there = records()
    if not there:
        raise AscnodeError(f"there is no record in {FOLDER}/: name one, or fly one with --live demo.toml")
    return there[0]


def _stopped_by_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


async def _begun(process: Process, path: Path, folder: Path, stop: asyncio.Event) -> Source | None:
    # The run's record, once it says what is flown; None when the user stops before.
    waited_s = 0.0
    while not stop.is_set():
        with suppress(RecordError):
            return Source(path, folder)
        if process.returncode is not None:
            raise AscnodeError(f"the run ended before it began its record {path}: see its words above")
        if waited_s > _BEGIN_S:
            raise AscnodeError(f"the run has not begun its record {path} within {_BEGIN_S:.0f} s")
        await asyncio.sleep(_LOOK_S)
        waited_s += _LOOK_S
    return None


async def _show(source: Source, host: str, port: int, token: str | None, stop: asyncio.Event) -> None:
    server = await Server(source, Guard(host, token)).start(host, port)
    try:
        _print_address(open_console(), host, server.port, token)
        await stop.wait()
    finally:
        await server.close()


def _print_address(console: Console, host: str, port: int, token: str | None) -> None:
    shown = f"[{host}]" if ":" in host else host
    behind = f"#token={token}" if token else ""
    console.print(f"Live page: http://{shown}:{port}/{behind}", highlight=False, markup=False, soft_wrap=True)
    console.print("Ctrl-C ends it", highlight=False)
