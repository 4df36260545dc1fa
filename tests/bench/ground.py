"""Packet streams and reports beside a bound of the same run: unpacking each header, reading each row."""

import asyncio
import math
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table
from spacepackets.ccsds.spacepacket import SpacePacketHeader

from ascnode.ground.stream import Pace, await_boards, play, recorded
from ascnode.ground.ways import Ways, Wish
from ascnode.record.reader import open_record
from ascnode.report.facts import gather
from ascnode.report.page import page
from ground.flown import packets, record
from report.reading import stress

_ROUNDS = 5


def _cpu_s(work: Callable[[], object]) -> float:
    """Least processor time."""
    least = math.inf
    for _ in range(_ROUNDS):
        started = time.process_time()
        work()
        least = min(least, time.process_time() - started)
    return least


def _to_file() -> None:
    async def body() -> None:
        reader, boards = await await_boards(record(), 0.0)
        with tempfile.TemporaryDirectory() as folder, reader:
            async with Ways(Wish(file=Path(folder) / "tm.bin"), boards, lambda text: None) as ways:
                await play(recorded(reader, boards), ways, Pace(None), True, lambda time_us, count: None)

    asyncio.run(body())


def _unpacked() -> None:
    for packet in packets():
        SpacePacketHeader.unpack(packet.data)


def _rows(path: Path) -> None:
    with sqlite3.connect(path) as db:
        for table in ("queries", "slots", "fleet", "telemetry", "nodes"):
            db.execute(f"SELECT * FROM {table}").fetchall()


def _page(path: Path) -> None:
    with open_record(path) as reader:
        page(gather(reader))


def main() -> None:
    """Prints the table."""
    table = Table(title="ground: processor time, and that of a bound", title_justify="left")
    for name in ("what", "work", "ms", "bound", "ms", "ratio"):
        table.add_column(name)
    path, count = stress(0.2), len(packets())
    with sqlite3.connect(path) as db:
        (sent,) = db.execute("SELECT count(*) FROM queries").fetchone()
    for what, amount, work, bound, least in (
        ("stream", f"{count:,} packets", _to_file, "spacepackets unpacks their headers", _unpacked),
        ("report", f"{sent:,} queries", lambda: _page(path), "sqlite3 reads the rows", lambda: _rows(path)),
    ):
        took, floor = _cpu_s(work), _cpu_s(least)
        table.add_row(what, amount, f"{1e3 * took:.1f}", bound, f"{1e3 * floor:.1f}", f"{took / floor:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
