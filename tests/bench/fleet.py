"""`make bench`, the fleet: a million nodes, beside a copy of as many bytes and what a peer publishes."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import numba
import numpy as np
from rich.console import Console
from rich.table import Table

from ascnode.sky.constellation import Constellation
from ascnode.sky.shells import Shell
from ascnode.twin.fleet.classes import NodeClass
from ascnode.twin.fleet.fleet import Fleet

EPOCH = datetime(2026, 3, 20, 12, tzinfo=UTC)
MILLION = Constellation("a million", (Shell(550.0, 53.0, 1000, 1000, 17),))
SHELL = Constellation("a shell", (Shell(550.0, 53.0, 72, 22, 39),))
REACH_STEP_MS, REACH_ORBIT_S = 4.0, 3.0
PEER_STEPS_PER_S = 0.02e6  # a model-only constellation simulator with power and heat, as published
# What one closed-loop step reads and writes of each node: 12 reals and 3 bytes, 8 reals and 3 bytes.
_READ_BYTES, _WRITTEN_BYTES = 12 * 4 + 3, 8 * 4 + 3


def busy_fleet(constellation: Constellation) -> Fleet:
    """Nodes with work for every operating point, some way into their day."""
    fleet = Fleet.of(constellation, EPOCH, [NodeClass()])
    rng = np.random.default_rng(1)
    fleet.state.demand_kc_s[:] = rng.choice([0, 20_000, 60_000, 200_000], len(fleet))
    for _ in range(30):
        fleet.step(10.0)
    return fleet


def best_ms(step: Callable[[], None], times: int) -> tuple[float, float]:
    """The best wall-clock time and the processor time beside it."""
    best = (np.inf, np.inf)
    for _ in range(times):
        wall, cpu = time.perf_counter(), time.process_time()
        step()
        best = min(best, ((time.perf_counter() - wall) * 1e3, (time.process_time() - cpu) * 1e3))
    return best


def copy_ms(nodes: int) -> float:
    """A plain copy, in one thread, that moves as many bytes as a step: the bound of its memory."""
    source = np.ones(nodes * (_READ_BYTES + _WRITTEN_BYTES) // 8, np.float32)
    target = np.zeros_like(source)
    return best_ms(lambda: np.copyto(target, source), 30)[0]


def main(console: Console | None = None) -> None:
    """Prints the table."""
    console = console or Console(width=120)
    fleet = busy_fleet(MILLION)
    threads = numba.get_num_threads()
    table = Table(title=f"fleet of {len(fleet):,} nodes, closed loop, steps of 10 s", title_justify="left")
    for name in (
        "",
        "wall ms",
        "cpu ms",
        "reach ms",
        "of it",
        "x a copy of its bytes",
        "M node-steps/s",
        "x peer",
    ):
        table.add_column(name, justify="right")
    bound_ms = copy_ms(len(fleet))
    for count in sorted({1, threads}):
        numba.set_num_threads(count)
        wall, cpu = best_ms(lambda: fleet.step(10.0), 60)
        rate = len(fleet) / wall / 1e3
        row = (
            wall,
            cpu,
            REACH_STEP_MS,
            wall / REACH_STEP_MS,
            wall / bound_ms,
            rate,
            rate * 1e6 / PEER_STEPS_PER_S,
        )
        table.add_row(f"step, {count} thread{'s' * (count > 1)}", *(f"{value:,.2f}" for value in row))
    start = time.perf_counter()
    for _ in range(round(MILLION.orbit(0).period_s / 10)):
        fleet.step(10.0)
    orbit_s = time.perf_counter() - start
    table.add_row(
        "one orbit",
        f"{orbit_s * 1e3:,.0f}",
        "",
        f"{REACH_ORBIT_S * 1e3:,.0f}",
        f"{orbit_s / REACH_ORBIT_S:.2f}",
    )
    shell = busy_fleet(SHELL)
    wall, cpu = best_ms(lambda: shell.step(10.0), 60)
    table.add_row(f"step of {len(shell):,}", f"{wall:.3f}", f"{cpu:.3f}")
    console.print(table)
    console.print(
        f"{fleet.bytes_per_satellite:.0f} bytes of state a satellite; peer: 0.02 M node-steps/s as published",
        highlight=False,
    )


if __name__ == "__main__":
    main()
