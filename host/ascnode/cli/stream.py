"""`ascnode stream`: a run's FLIGHT plane as a plain stream of CCSDS space packets, for any ground system."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Annotated, Self

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from ascnode.cli.runs import Run as RunArgument
from ascnode.errors import AscnodeError, StoppedError
from ascnode.ground.air import AirPacket, names
from ascnode.ground.stream import START_S, Pace, await_boards, await_clients, following, play, recorded
from ascnode.ground.ways import Ways, Wish
from ascnode.record.catalogue import find_record
from ascnode.view.live import clock

_WAIT_S = 60.0  # for clients
_TELL_EVERY_S = 10.0


@dataclass(frozen=True)
class Options:
    """How a record is played; `follow`: one that is being written."""

    speed: float | None
    nodes: tuple[str, ...]
    commands: bool
    wait_s: float
    follow: bool


def stream(
    run: RunArgument,
    tcp: Annotated[
        int | None,
        typer.Option(min=1024, max=65535, help="TCP port of board 0; board n has the n-th after it."),
    ] = None,
    udp: Annotated[
        str | None, typer.Option(help="HOST:PORT of board 0's datagrams, one a packet; board n as for TCP.")
    ] = None,
    to_file: Annotated[
        Path | None, typer.Option(help="File of packets; FILE-NAME.bin for each of several boards.")
    ] = None,
    speed: Annotated[str, typer.Option(help="Simulated over real time, or max.")] = "1",
    node: Annotated[list[str] | None, typer.Option(help="Only this board; may be repeated.")] = None,
    one_port: Annotated[
        bool, typer.Option("--one-port", help="All boards in one stream, board n under APID 0x2A5 + n.")
    ] = False,
    commands: Annotated[
        bool, typer.Option("--commands", help="Telecommands as well, as the boards took them.")
    ] = False,
    follow: Annotated[
        bool, typer.Option("--follow", help="The run is going on: pass on what its record gains.")
    ] = False,
    listen: Annotated[
        str, typer.Option(help="Address for TCP; whoever reaches it reads the telemetry.")
    ] = "127.0.0.1",
    wait: Annotated[
        float | None,
        typer.Option(min=0, help="Seconds to wait for a client at each TCP port; 60, or 0 with --follow."),
    ] = None,
) -> None:
    """Send what a run's boards sent by radio, as CCSDS space packets, over TCP or UDP or into a file."""
    if tcp is None and udp is None and to_file is None:
        raise AscnodeError("say where the packets go: --tcp PORT, --udp HOST:PORT or --to-file FILE")
    wish = Wish(tcp, _address(udp), to_file, listen, one_port)
    wait_s = (0.0 if follow else _WAIT_S) if wait is None else wait
    in_time = not follow and (tcp is not None or udp is not None)
    options = Options(_speed(speed) if in_time else None, tuple(node or ()), commands, wait_s, follow)
    try:
        asyncio.run(_stream(_path(run, follow), wish, options))
    except KeyboardInterrupt:
        raise StoppedError("stopped by Ctrl-C") from None


def _path(run: str, follow: bool) -> Path:
    path = Path(run)
    named = not path.suffix and len(path.parts) == 1  # a name or a number: not a file that is still to come
    return path if follow and not named else find_record(run)


def _address(text: str | None) -> tuple[str, int] | None:
    if text is None:
        return None
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise AscnodeError(f"{text!r} is no address: write --udp HOST:PORT")
    return host.strip("[]"), int(port)


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < 1e9:
        raise AscnodeError(f"--speed is {text!r}: it is a number above 0, or max")
    return speed


async def _stream(run: Path, wish: Wish, options: Options) -> None:
    console = Console(stderr=True)

    def tell(text: str) -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    reader, boards = await await_boards(run, START_S if options.follow else 0.0)
    with reader:
        nodes = names(boards, options.nodes)
        async with Ways(wish, nodes, tell) as ways:
            packets: AsyncIterator[AirPacket]
            await await_clients(ways.ports, options.wait_s, tell)
            if not options.follow:
                packets = recorded(reader, nodes)
            else:
                packets = following(reader, list(nodes), tell)
            with _Shown(console, reader.newest_us) as shown:
                count = await play(packets, ways, Pace(options.speed), options.commands, shown.update)
        tell(f"{count:,} packets of {len(nodes)} {'board' if len(nodes) == 1 else 'boards'}")


class _Shown:
    """How far the stream is: a bar in a terminal, now and then a line elsewhere."""

    def __init__(self, console: Console, end_us: int) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(40),
            TextColumn("{task.fields[packets]:,} packets"),
        )
        self._bar = Progress(*columns, console=console, transient=True)
        self._task = self._bar.add_task("0:00:00", total=end_us, packets=0)
        self._console = console
        self._told = time.monotonic()

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._bar.stop()

    def update(self, time_us: int, count: int) -> None:
        """After every packet."""
        now = time.monotonic()
        if self._console.is_terminal:
            if now - self._told > 0.1:
                self._told = now
                self._bar.update(
                    self._task, completed=time_us, description=clock(time_us / 1e6), packets=count
                )
        elif now - self._told > _TELL_EVERY_S:
            self._told = now
            self._console.print(f"t={clock(time_us / 1e6)}: {count:,} packets", highlight=False)
