"""Shortest routes: from every satellite to every ground station, by one Dijkstra a station.

E. W. Dijkstra, "A note on two problems in connexion with graphs" (1959), with a 4-ary heap (D. B. Johnson,
1975) whose outdated entries are skipped. Lengths are of vacuum paths: the shortest is the fastest.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ascnode.mesh.compiled import compiled, in_threads
from ascnode.mesh.ground import GroundLinks
from ascnode.mesh.links import Links
from ascnode.sky.vectors import Floats, Integers

Indices = npt.NDArray[np.int32]

TO_GROUND = -1  # next hop of a satellite that hands down to the station itself
UNREACHABLE = -2


@dataclass(frozen=True)
class Graph:
    """The links as compressed rows: neighbours of v are neighbour[first[v] : first[v + 1]], lower link first."""

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
    _fill_rows(links.pairs, links.length_km, hop_km, first, neighbour, length_km)
    return Graph(first, neighbour, length_km)


@dataclass(frozen=True)
class Routes:
    """Tables of k stations and n satellites.

    distance_km (k, n): from satellite to station along the route, its ground link included, inf without one.
    next_hop (k, n): the satellite to pass on to, TO_GROUND, or UNREACHABLE.
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
        through = range_km + self.distance_km[b, satellites]
        best = int(np.argmin(through))
        if np.isinf(through[best]):
            return np.inf, UNREACHABLE
        return float(through[best]), int(satellites[best])

    def path(self, a: int, b: int) -> list[int]:
        """The satellites of the shortest route from station a to station b; empty without one."""
        _, satellite = self.pair_km(a, b)
        path: list[int] = []
        while satellite >= 0:
            path.append(satellite)
            satellite = int(self.next_hop[b, satellite])
        return path

    def all_pairs_km(self) -> Floats:
        """Lengths (k, k) of the routes between all stations; inf without one, 0 on the diagonal."""
        table = np.full((self.ground.stations, self.ground.stations), np.inf)
        _pairs(self.ground.first, self.ground.satellite, self.ground.range_km, self.distance_km, table)
        return table


def find_routes(graph: Graph, ground: GroundLinks) -> Routes:
    """The routes of all satellites to all stations, over both cores; the tables do not depend on how many."""
    shape = (ground.stations, graph.satellites)
    distance_km, next_hop = np.empty(shape), np.empty(shape, dtype=np.int32)
    rows = (graph.first, graph.neighbour, graph.length_km, ground.first, ground.satellite, ground.range_km)
    in_threads(lambda a, b: _dijkstra(*rows, a, b, distance_km, next_hop), ground.stations)
    return Routes(ground, distance_km, next_hop)


@compiled
def _fill_rows(
    pairs: Integers, link_km: Floats, hop_km: float, first: Indices, neighbour: Indices, length_km: Floats
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
            length_km[place[v]] = link_km[i] + hop_km
            place[v] += 1


@compiled
def _push(heap_km: Floats, heap_node: Indices, size: int, distance: float, node: int) -> int:
    i = size
    while i > 0:
        parent = (i - 1) >> 2
        if heap_km[parent] <= distance:
            break
        heap_km[i], heap_node[i] = heap_km[parent], heap_node[parent]
        i = parent
    heap_km[i], heap_node[i] = distance, node
    return size + 1


@compiled
def _pop(heap_km: Floats, heap_node: Indices, size: int) -> int:
    """Drops the root of a heap of `size`; returns the new size."""
    size -= 1
    last_km, last_node = heap_km[size], heap_node[size]
    i = 0
    while 4 * i + 1 < size:
        child = 4 * i + 1
        least = child
        for other in range(child + 1, min(child + 4, size)):
            if heap_km[other] < heap_km[least]:
                least = other
        if heap_km[least] >= last_km:
            break
        heap_km[i], heap_node[i] = heap_km[least], heap_node[least]
        i = least
    heap_km[i], heap_node[i] = last_km, last_node
    return size


@compiled
def _dijkstra(
    first: Indices,
    neighbour: Indices,
    length_km: Floats,
    ground_first: Indices,
    ground_satellite: Indices,
    ground_km: Floats,
    start: int,
    end: int,
    distance_km: Floats,
    next_hop: Indices,
) -> None:
    """Rows start..end of the tables."""
    room = len(neighbour) + len(ground_satellite) + 1
    heap_km, heap_node = np.empty(room), np.empty(room, dtype=np.int32)
    for station in range(start, end):
        distance, hop = distance_km[station], next_hop[station]
        distance[:] = np.inf
        hop[:] = UNREACHABLE
        size = 0
        for i in range(ground_first[station], ground_first[station + 1]):
            v = ground_satellite[i]
            distance[v] = ground_km[i]
            hop[v] = TO_GROUND
            size = _push(heap_km, heap_node, size, ground_km[i], v)
        while size > 0:
            near, u = heap_km[0], heap_node[0]
            size = _pop(heap_km, heap_node, size)
            if near > distance[u]:
                continue
            for i in range(first[u], first[u + 1]):
                v = neighbour[i]
                through = near + length_km[i]
                if through < distance[v]:
                    distance[v] = through
                    hop[v] = u
                    size = _push(heap_km, heap_node, size, through, v)


@compiled
def _pairs(first: Indices, satellite: Indices, range_km: Floats, distance_km: Floats, table: Floats) -> None:
    stations = len(first) - 1
    for a in range(stations):
        for i in range(first[a], first[a + 1]):
            v, up_km = satellite[i], range_km[i]
            for b in range(stations):
                through = up_km + distance_km[b, v]
                if through < table[a, b]:
                    table[a, b] = through
        table[a, a] = 0.0
