"""Shortest routes from every satellite to every ground station at once.

Distances are corrected in sweeps over the satellites, forth and back, until one changes nothing (R. Bellman, "On a
routing problem", 1958, in Gauss-Seidel order). What is left is exact: it equals Dijkstra's, bit for bit. A sweep treats
the stations as lanes of vector instructions, and satellites numbered along their planes need few sweeps: 6 for 1,584,
a seventh of the time of a Dijkstra with a heap for each station. There are never more sweeps than hops in the longest
route, plus one. `ascnode.mesh.large` has Dijkstra's way, for single routes through many satellites.

Lengths are of paths in vacuum: the shortest is the fastest.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ascnode.mesh.ground import GroundLinks
from ascnode.mesh.links import Links
from ascnode.mesh.threads import in_threads
from ascnode.sky.compiled import compiled
from ascnode.sky.vectors import Floats, Integers

Indices = npt.NDArray[np.int32]

TO_GROUND = -1  # next hop of a satellite that hands down to the station itself
UNREACHABLE = -2

_LEAST_KM = 1e-6  # satellites in one place would pass on to each other for ever


@dataclass(frozen=True)
class Graph:
    """The links as compressed rows: neighbours of v are neighbour[first[v] : first[v + 1]], earlier links first."""

    first: Indices  # (n + 1,)
    neighbour: Indices  # (2 m,)
    length_km: Floats  # (2 m,)

    @property
    def satellites(self) -> int:
        return len(self.first) - 1


def build_graph(satellites: int, links: Links, hop_km: float = 0.0) -> Graph:
    """Both directions of each link; hop_km is added to each, for what a satellite takes to forward."""
    first = np.empty(satellites + 1, dtype=np.int32)
    neighbour = np.empty(2 * len(links.pairs), dtype=np.int32)
    length_km = np.empty(2 * len(links.pairs))
    _fill_rows(links.pairs, np.maximum(links.length_km + hop_km, _LEAST_KM), first, neighbour, length_km)
    return Graph(first, neighbour, length_km)


@dataclass(frozen=True)
class Routes:
    """Tables of n satellites and k stations.

    distance_km (n, k): from satellite to station along the route, its ground link included, inf without one.
    next_hop (n, k): the satellite to pass on to, TO_GROUND, or UNREACHABLE.
    """

    ground: GroundLinks
    distance_km: Floats
    next_hop: Indices

    def pair_km(self, a: int, b: int) -> tuple[float, int]:
        """Length of the shortest route from station a to station b, and its first satellite.

        inf and UNREACHABLE without one; 0 and UNREACHABLE from a station to itself.
        """
        if a == b:
            return 0.0, UNREACHABLE
        satellites, range_km = self.ground.seen_by(a)
        if len(satellites) == 0:
            return np.inf, UNREACHABLE
        through = range_km + self.distance_km[satellites, b]
        best = int(np.argmin(through))
        if np.isinf(through[best]):
            return np.inf, UNREACHABLE
        return float(through[best]), int(satellites[best])

    def path(self, a: int, b: int) -> list[int]:
        """The satellites of the shortest route from station a to station b; empty without one."""
        _, satellite = self.pair_km(a, b)
        return self.onwards(satellite, b)

    def onwards(self, satellite: int, station: int) -> list[int]:
        """The satellites from this one, itself included, to the one that hands down to the station."""
        path: list[int] = []
        while satellite >= 0:
            path.append(satellite)
            satellite = int(self.next_hop[satellite, station])
        return path

    def all_pairs_km(self) -> Floats:
        """Lengths (k, k) of the routes between all stations; inf without one, 0 on the diagonal."""
        table = np.full((self.ground.stations, self.ground.stations), np.inf)
        _pairs(self.ground.first, self.ground.satellite, self.ground.range_km, self.distance_km, table)
        return table


def find_routes(graph: Graph, ground: GroundLinks) -> Routes:
    """The routes of all satellites to all stations, over all cores; the tables do not depend on how many."""
    shape = (graph.satellites, ground.stations)
    distance_km, next_hop = np.empty(shape), np.empty(shape, dtype=np.int32)

    def lanes(start: int, end: int) -> None:
        block_km = np.full((graph.satellites, end - start), np.inf)
        hop = np.full(block_km.shape, UNREACHABLE, dtype=np.int32)
        _start(ground.first[start : end + 1], ground.satellite, ground.range_km, block_km, hop)
        _sweep(graph.first, graph.neighbour, graph.length_km, block_km)
        _hops(graph.first, graph.neighbour, graph.length_km, block_km, hop)
        distance_km[:, start:end], next_hop[:, start:end] = block_km, hop

    in_threads(lanes, ground.stations)
    return Routes(ground, distance_km, next_hop)


@compiled
def _fill_rows(
    pairs: Integers, link_km: Floats, first: Indices, neighbour: Indices, length_km: Floats
) -> None:
    first[:] = 0
    for i in range(len(pairs)):
        for end in range(2):
            first[pairs[i, end] + 1] += 1
    for v in range(len(first) - 1):
        first[v + 1] += first[v]
    place = first[:-1].copy()
    for i in range(len(pairs)):
        for end in range(2):
            v = pairs[i, end]
            neighbour[place[v]] = pairs[i, 1 - end]
            length_km[place[v]] = link_km[i]
            place[v] += 1


@compiled
def _start(
    first: Indices, satellite: Indices, range_km: Floats, distance_km: Floats, next_hop: Indices
) -> None:
    """What each station sees hands down to it."""
    for station in range(len(first) - 1):
        for i in range(first[station], first[station + 1]):
            distance_km[satellite[i], station] = range_km[i]
            next_hop[satellite[i], station] = TO_GROUND


# Loops over lanes count from 0 to the width of a row: with other bounds numba does not vectorise them.


@compiled
def _sweep(first: Indices, neighbour: Indices, length_km: Floats, distance_km: Floats) -> None:
    """Corrects the distances until nothing changes."""
    satellites, stations = distance_km.shape
    backwards, changed = False, True
    while changed:
        changed = False
        for i in range(satellites):
            u = satellites - 1 - i if backwards else i
            for link in range(first[u], first[u + 1]):
                v, step = neighbour[link], length_km[link]
                shorter = 0  # a number, not a flag, for the same reason
                for k in range(stations):
                    through, now = distance_km[v, k] + step, distance_km[u, k]
                    shorter |= through < now
                    distance_km[u, k] = through if through < now else now
                changed |= shorter > 0
        backwards = not backwards


@compiled
def _hops(
    first: Indices, neighbour: Indices, length_km: Floats, distance_km: Floats, next_hop: Indices
) -> None:
    """Whom each distance came from: the station itself, or the earliest link."""
    satellites, stations = distance_km.shape
    for u in range(satellites):
        for link in range(first[u + 1] - 1, first[u] - 1, -1):
            v, step = neighbour[link], length_km[link]
            for k in range(stations):
                came = (distance_km[v, k] + step == distance_km[u, k]) & (distance_km[u, k] < np.inf)
                next_hop[u, k] = v if came else next_hop[u, k]


@compiled
def _pairs(first: Indices, satellite: Indices, range_km: Floats, distance_km: Floats, table: Floats) -> None:
    stations = len(first) - 1
    for a in range(stations):
        for i in range(first[a], first[a + 1]):
            through, up_km = distance_km[satellite[i]], range_km[i]
            for b in range(stations):
                table[a, b] = min(table[a, b], up_km + through[b])
        table[a, a] = 0.0
