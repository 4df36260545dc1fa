"""`PYTHONPATH=tests python -m tests.bench.faults`: what a bad cable, a plant in the host and a lost board cost.

As ratios against the same flight without them. Nothing here is asserted."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ascnode.faults.noise import Noise
from ascnode.faults.wire import FaultyLine
from ascnode.session.realtime import fly_in_real_time
from ascnode.twin.hosted import HostedPlant
from ascnode.twin.pair import Pair
from faults.flights import Orders, S, advance, paired
from faults.test_boards import recovery_cycles

SECONDS = 3000
CYCLES = 100
REACH_S = 2.0

Flight = Callable[[Pair], Awaitable[None]]


async def _flown(folder: Path, flight: Flight) -> float:
    async with paired(folder) as (pair, _):
        start = time.perf_counter()
        await flight(pair)
        return time.perf_counter() - start


async def _whole(pair: Pair) -> None:
    await pair.begin(0)
    await advance(pair, SECONDS * S, Orders().busy(SECONDS))


async def _hosted(pair: Pair) -> None:
    hosted = HostedPlant(pair, pair.twin.file("plant.bin") or b"")
    await hosted.begin(0)
    await advance(hosted, SECONDS * S, Orders().busy(SECONDS))


def _lossy(rate: float) -> Flight:
    async def flight(pair: Pair) -> None:
        line = FaultyLine(pair.session.port, 1)
        pair.session.port = line
        line.set([Noise(effect="drop", rate=rate)], [Noise(effect="drop", rate=rate)])
        await _whole(pair)

    return flight


async def _real_time(pair: Pair) -> None:
    await pair.begin(0)
    _, jitter = await fly_in_real_time(pair, 0, 300 * S, S, speed=100.0)
    late = f"mean {jitter.mean_us:.0f} us, latest {jitter.latest_us} us"
    Console().print(f"300 periods at 100x real time: {late}, {len(jitter.missed)} deadlines of 10 ms missed")


def main() -> None:
    table = Table(title=f"one board with its twin, {SECONDS} s of work and orders", title_justify="left")
    for name in ("", "s", "steps/s", "of a whole cable"):
        table.add_column(name, justify="right")
    flights = {
        "whole cable": _whole,
        "1 % of frames lost each way": _lossy(0.01),
        "10 % of frames lost each way": _lossy(0.1),
        "plant in the host": _hosted,
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole_s = 0.0
        for what, flight in flights.items():
            took_s = asyncio.run(_flown(folder, flight))
            whole_s = whole_s or took_s
            table.add_row(what, f"{took_s:.2f}", f"{SECONDS / took_s:,.0f}", f"{whole_s / took_s:.2f}")
            (folder / "run.sqlite").unlink()
        Console().print(table)
        asyncio.run(_flown(folder, _real_time))
        (folder / "run.sqlite").unlink()
        median_s = statistics.median(recovery_cycles(folder, CYCLES))
    of_it = f"{median_s / REACH_S:.2f} of the reach of {REACH_S} s"
    Console().print(f"{CYCLES} boards lost and recovered: median {median_s:.3f} s, {of_it}")


if __name__ == "__main__":
    main()
