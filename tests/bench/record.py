"""What recording costs: its share of a run, the file that comes of it, and how fast one of a day opens."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from ascnode.record.database import Record
from ascnode.record.packed import FleetState, pack_fleet, pack_json
from ascnode.record.reader import open_record
from ascnode.scenario import recording
from ascnode.scenario import run as run_module
from ascnode.scenario.kernels import compile_kernels
from ascnode.scenario.payload import load_payload
from ascnode.scenario.scenario import load, ready_made

SATELLITES, BOARDS, DAY_S, SLOT_S = 1584, 8, 86_400, 15


class Spent:
    """CPU seconds in what it wraps; calls within one another count once."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._within = False

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **named: Any) -> Any:
            if self._within:
                return function(*arguments, **named)
            self._within = True
            start = time.process_time()
            try:
                return function(*arguments, **named)
            finally:
                self.seconds += time.process_time() - start
                self._within = False

        return timed


@contextmanager
def recording_timed() -> Iterator[Spent]:
    """Times all that writes to a record."""
    spent = Spent()
    places = [(run_module, "record_slot"), (run_module, "record_nodes"), (recording.Queries, "look")]
    places += [(Record, "add"), (Record, "commit")]
    saved = [getattr(owner, name) for owner, name in places]
    for (owner, name), function in zip(places, saved, strict=True):
        setattr(owner, name, spent(function))
    try:
        yield spent
    finally:
        for (owner, name), function in zip(places, saved, strict=True):
            setattr(owner, name, function)


def records(console: Console, folder: Path) -> None:
    """The share of two ready-made scenarios, all nodes simulated; a day of eight boards."""
    compile_kernels()
    table = Table(title="recording: share of the CPU time of a run", title_justify="left")
    for name in ("scenario", "cpu s", "of it recording s", "share", "record MB", "kB a slot"):
        table.add_column(name, justify="right")
    for name in ("demo", "stress"):
        table.add_row(name, *_share(name, folder / f"share-{name}.sqlite"))
    console.print(table)
    _day(console, folder / "day.sqlite")


def _share(name: str, path: Path) -> tuple[str, ...]:
    scenario = load(ready_made(name)).without_boards()
    payload = load_payload(scenario.payload, scenario.folder)
    with Record(path) as record, recording_timed() as spent:
        run = run_module.Run(scenario, [], payload, "twin", record)
        start = time.process_time()
        asyncio.run(run.fly(lambda sim_s, boards: None))
        whole_s = time.process_time() - start
    size = path.stat().st_size
    return (
        *(f"{whole_s:.1f}", f"{spent.seconds:.2f}", f"{spent.seconds / whole_s:.1%}"),
        *(f"{size / 1e6:.1f}", f"{size / 1e3 / run.slots:.1f}"),
    )


def _day(console: Console, path: Path) -> None:
    write_day(path)
    start = time.perf_counter()
    with open_record(path) as reader:
        first = reader.slots()[-1].number, reader.newest_us, len(reader.boards), reader.whole
        reader.fleet_state(first[0])
        opened_s = time.perf_counter() - start
    start = time.perf_counter()
    with sqlite3.connect(path) as db:
        for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            db.execute(f"SELECT * FROM {table}").fetchall()
    scanned_s = time.perf_counter() - start
    size = path.stat().st_size / 1e6
    console.print(
        f"a day of {BOARDS} boards among {SATELLITES:,} satellites: {size:.0f} MB; opened, with its slots and the last "
        f"one's fleet, in {opened_s * 1e3:.0f} ms: {scanned_s / opened_s:.0f} times faster than reading all of it"
    )


def write_day(path: Path) -> None:
    """A record of a day's size with made-up rows: slots, fleet, housekeeping each minute, 40,000 queries."""
    rng = np.random.default_rng(1)
    flags = {
        name: rng.random(SATELLITES) < 0.5
        for name in ("sunlit", "out", "throttled", "shed", "tripped", "board")
    }
    heat, numbers = rng.uniform(280, 300, (2, SATELLITES)), np.ones((3, SATELLITES))
    fleet = pack_fleet(FleetState(rng.uniform(0.5, 1, SATELLITES), *heat, *numbers.astype(int), **flags))
    served = pack_json({"serving": rng.integers(0, SATELLITES, 100).tolist()})
    with Record(path) as record:
        for node in range(BOARDS):
            record.add("boards", node, node, f"sat-{node}-0", "virtual", "00", "0.1.0", "00", 0)
            for minute in range(DAY_S // 60):
                at_us = minute * 60_000_000
                for way in ("up", "down"):
                    record.numbered("frames", node, at_us, way, bytes(300))
                record.numbered("telemetry", node, at_us, at_us, "housekeeping", "{}" * 100, b"", bytes(60))
        for slot in range(DAY_S // SLOT_S):
            at_us = slot * SLOT_S * 1_000_000
            record.add("fleet", slot, at_us, fleet)
            record.add("service", slot, served)
            record.add("slots", slot, at_us, at_us + 15_000_000, *range(11))
        for job in range(40_000):
            head = (job, "inference", 1, "Lima", 0, 0, 0, job * 2_000_000, 60)
            record.add("queries", *head, *[0] * 6, None, None, None, 1, "", job + 1)
