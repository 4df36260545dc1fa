"""One step of the mesh beside scipy's Dijkstra and the simulators that install from packages."""

import importlib.util
import math
import os
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from ascnode.mesh.large import find_route
from ascnode.mesh.network import Network, Snapshot
from ascnode.mesh.topology import alternating, laser_mesh
from ascnode.sky.cities import load_cities
from ascnode.sky.constellation import Constellation, constellation
from ascnode.sky.shells import Shell

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_STATIONS = 100
_PUBLISHED = "Hypatia's paper-era code: 19 s a step for 1,584 satellites"
_CASES = (("D:550:53.0:1584/72/39", 20.0), ("D:550:53.0:10000/100/1", 100.0))


def mesh(console: Console) -> None:
    """Prints the tables."""
    _steps(console)
    _large(console)
    _peers(console)


def _times(work: Callable[[], object], rounds: int = 7) -> tuple[float, float]:
    """Least wall and processor time, ms, after one round that compiles."""
    work()
    wall, cpu = math.inf, math.inf
    for _ in range(rounds):
        started, used = time.perf_counter(), time.process_time()
        work()
        wall = min(wall, time.perf_counter() - started)
        cpu = min(cpu, time.process_time() - used)
    return 1000 * wall, 1000 * cpu


def _steps(console: Console) -> None:
    title = f"mesh step: positions, links, all routes to {_STATIONS} cities; {os.cpu_count()} cores"
    table = Table(title=title, title_justify="left")
    for name in (
        "satellites",
        "step ms",
        "CPU ms",
        "reach ms",
        "of it",
        "scipy ms",
        "scipy / CPU",
        "B a satellite",
    ):
        table.add_column(name, justify="right")
    for code, reach_ms in _CASES:
        table.add_row(*_step(code, reach_ms))
    console.print(table)
    console.print("scipy: csgraph.dijkstra with predecessors over the same links, already built; one core")


def _step(code: str, reach_ms: float) -> tuple[str, ...]:
    satellites = constellation(code, _EPOCH)
    network = Network(satellites, laser_mesh(satellites), load_cities()[:_STATIONS], _EPOCH)
    clock = iter(range(1, 1000))
    wall, cpu = _times(lambda: network.at(float(next(clock))).routes())
    snapshot = network.at(1000.0)
    _, other = _times(lambda: _scipy(snapshot), rounds=2)
    size = f"{_bytes(snapshot) / satellites.count:,.0f}"
    figures = (f"{wall:.1f}", f"{cpu:.1f}", f"{reach_ms:.0f}", f"{wall / reach_ms:.2f}")
    return (f"{satellites.count:,}", *figures, f"{other:.0f}", f"{other / cpu:.1f}", size)


def _scipy(snapshot: Snapshot) -> object:
    n, k = len(snapshot.positions_km), snapshot.ground.stations
    graph, ground = snapshot.graph, snapshot.ground
    first = np.concatenate([graph.first, graph.first[-1] + ground.first[1:]])
    columns = np.concatenate([graph.neighbour, ground.satellite])
    lengths = np.concatenate([graph.length_km, ground.range_km])
    matrix = csr_matrix((lengths, columns, first), shape=(n + k, n + k))
    return dijkstra(matrix, indices=range(n, n + k), return_predecessors=True)


def _bytes(snapshot: Snapshot) -> int:
    """All arrays of a step: positions, links, graph and the tables of routes."""
    routes = snapshot.routes()
    graph, links = snapshot.graph, snapshot.links
    arrays = (
        snapshot.positions_km,
        links.pairs,
        links.length_km,
        graph.first,
        graph.neighbour,
        graph.length_km,
    )
    return sum(array.nbytes for array in (*arrays, routes.distance_km, routes.next_hop))


def _large(console: Console) -> None:
    satellites = constellation("million", _EPOCH)
    cities = [city for city in load_cities() if city.name in ("New York", "London", "Tokyo", "Sao Paulo")]
    network = Network(satellites, laser_mesh(satellites), cities, _EPOCH)
    clock = iter(range(1, 1000))
    wall, cpu = _times(lambda: network.at(float(next(clock))), rounds=3)
    snapshot = network.at(1000.0)
    title = f"single routes over {satellites.count:,} satellites; a step without them {wall:.0f} ms ({cpu:.0f} ms CPU)"
    table = Table(title=title, title_justify="left")
    for name in ("from", "to", "A* ms", "settled", "Dijkstra ms", "settled", "Dijkstra / A*"):
        table.add_column(name, justify="right")
    for a, b in ((0, 1), (0, 2), (1, 3)):
        _, led = _times(lambda a=a, b=b: find_route(snapshot, a, b), rounds=3)  # type: ignore[misc]
        _, plain = _times(lambda a=a, b=b: find_route(snapshot, a, b, guided=False), rounds=2)  # type: ignore[misc]
        counts = [find_route(snapshot, a, b, guided).settled for guided in (True, False)]
        row = (f"{led:.1f}", f"{counts[0]:,}", f"{plain:.1f}", f"{counts[1]:,}", f"{plain / led:.1f}")
        table.add_row(cities[a].name, cities[b].name, *row)
    console.print(table)


def _peers(console: Console) -> None:
    satellites = alternating(Constellation("starlink", (Shell(550, 53.0, 72, 22),)))
    network = Network(satellites, laser_mesh(satellites), load_cities()[:_STATIONS], _EPOCH)
    clock = iter(range(1, 1000))
    for package, run, what in (
        ("satgenpy", _satgenpy, "the same step"),
        ("dsns", _dsns, "positions and links alone"),
    ):
        if importlib.util.find_spec("satgen" if package == "satgenpy" else package) is None:
            console.print(f"{package} is not installed: pip install {package} to compare")
            continue
        _, own = _times(lambda: network.at(float(next(clock))).routes())
        other = run()
        console.print(f"{package}, {what}: {other:,.0f} ms, {other / own:,.0f} times ours ({own:.1f} ms CPU)")
    console.print(f"beside it: {_PUBLISHED}")


def _satgenpy() -> float:
    """Hypatia's code, one step with 100 ground stations: ms."""
    from satgen.dynamic_state.generate_dynamic_state import generate_dynamic_state_at
    from satgen.isls import generate_plus_grid_isls
    from satgen.tles import generate_tles_from_scratch_with_sgp, read_tles

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generate_tles_from_scratch_with_sgp(str(folder / "t"), "s", 72, 22, True, 53.0, 1e-7, 0.0, 15.19)
        tles = read_tles(str(folder / "t"))
        isls = generate_plus_grid_isls(str(folder / "i"), 72, 22, 0)
        stations = [
            {
                "gid": i,
                "latitude_degrees_str": str(city.latitude_deg),
                "longitude_degrees_str": str(city.longitude_deg),
                "elevation_m_float": city.height_m,
            }
            for i, city in enumerate(load_cities()[:_STATIONS])
        ]
        interfaces = [
            {"id": i, "number_of_interfaces": 1, "aggregate_max_bandwidth": 1.0}
            for i in range(1584 + len(stations))
        ]
        step = (
            str(folder),
            tles["epoch"],
            0,
            tles["satellites"],
            stations,
            isls,
            interfaces,
            1089686.0,
            5016591.0,
        )
        started = time.process_time()
        generate_dynamic_state_at(*step, "algorithm_free_one_only_over_isls", None, False)
        return 1000 * (time.process_time() - started)


def _dsns() -> float:
    """A step of dsns: ms."""
    from dsns.constellation import WalkerConstellation, WalkerISLHelper
    from dsns.helpers import IDHelper

    links = WalkerISLHelper(72, 22, True, 0)
    shell = WalkerConstellation("s", 72, 22, 53.0, 6928e3, 0.0, 360.0, 0.0, links, IDHelper())
    return _times(lambda: shell.update(1.0), rounds=3)[1]


if __name__ == "__main__":
    mesh(Console(width=120))
