"""Single shortest routes on demand, for constellations whose route tables would not fit (10^5 satellites and more).

A* (P. E. Hart, N. J. Nilsson, B. Raphael, 1968): Dijkstra's algorithm led by a bound on what is left. Every link and
ground link stays outside a ball around the Earth's centre, so the bound is the length of the shortest curve around
that ball: it obeys the triangle inequality, hence routes are exactly as short as Dijkstra's.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ascnode.mesh.network import Snapshot
from ascnode.sky.compiled import compiled
from ascnode.sky.vectors import Floats, norm

Indices = npt.NDArray[np.int32]
_ROUNDING = 1 - 1e-9  # keeps the bound a bound


@dataclass(frozen=True)
class Route:
    """The satellites from one station to the other, and the length; empty and inf where there is none.

    `settled` counts the satellites that the search looked at.
    """

    path: list[int]
    length_km: float
    settled: int


def find_route(snapshot: Snapshot, a: int, b: int, guided: bool = True) -> Route:
    """The shortest route from station a to station b of the snapshot; without guidance, by plain Dijkstra."""
    if a == b:
        return Route([], 0.0, 0)
    graph, positions_km = snapshot.graph, snapshot.positions_km
    up, up_km = snapshot.ground.seen_by(a)
    down, down_km = snapshot.ground.seen_by(b)
    target_km = snapshot.site_km[b]
    ball_km = min(snapshot.clearance_km, _least_radius_km(positions_km[down], target_km)) if guided else 0.0
    last_km = np.full(graph.satellites, np.inf)
    last_km[down] = down_km
    came, length_km, settled = _astar(
        graph.first,
        graph.neighbour,
        graph.length_km,
        up,
        up_km,
        last_km,
        positions_km,
        target_km,
        ball_km,
        _ROUNDING if guided else 0.0,
    )
    if math.isinf(length_km):
        return Route([], math.inf, settled)
    path = [int(came[-1])]
    while came[path[-1]] >= 0:
        path.append(int(came[path[-1]]))
    return Route(path[::-1], float(length_km), settled)


def _least_radius_km(satellite_km: Floats, site_km: Floats) -> float:
    """How near to the Earth's centre the ground links come."""
    ray_km = satellite_km - site_km
    along = np.clip(-(ray_km @ site_km) / np.sum(ray_km**2, axis=1), 0.0, 1.0)
    return float(np.min(norm(site_km + along[:, np.newaxis] * ray_km), initial=float(norm(site_km))))


@compiled
def _around_km(ax: float, ay: float, az: float, target_km: Floats, ball_km: float) -> float:
    """Length of the shortest curve to the target that stays outside the ball: two tangents and an arc."""
    x, y, z = target_km[0], target_km[1], target_km[2]
    straight = math.sqrt((ax - x) ** 2 + (ay - y) ** 2 + (az - z) ** 2)
    own2, other2 = ax * ax + ay * ay + az * az, x * x + y * y + z * z
    tangent = math.sqrt(max(own2 - ball_km**2, 0.0))
    other_tangent = math.sqrt(max(other2 - ball_km**2, 0.0))
    if straight <= tangent + other_tangent:  # the ball is not in the way
        return straight
    cosine = (ax * x + ay * y + az * z) / math.sqrt(own2 * other2)
    angle = math.acos(min(1.0, max(-1.0, cosine)))
    angle -= math.atan2(tangent, ball_km) + math.atan2(other_tangent, ball_km)
    return tangent + other_tangent + ball_km * max(angle, 0.0)


@compiled
def _left_km(v: int, positions_km: Floats, target_km: Floats, ball_km: float) -> float:
    return _around_km(positions_km[v, 0], positions_km[v, 1], positions_km[v, 2], target_km, ball_km)


@compiled
def _push(heap_km: Floats, heap_node: Indices, size: int, key: float, node: int) -> int:
    i = size
    while i > 0 and heap_km[(i - 1) >> 1] > key:
        parent = (i - 1) >> 1
        heap_km[i], heap_node[i] = heap_km[parent], heap_node[parent]
        i = parent
    heap_km[i], heap_node[i] = key, node
    return size + 1


@compiled
def _pop(heap_km: Floats, heap_node: Indices, size: int) -> int:
    """Drops the root of a binary heap of `size`; returns the new size."""
    size -= 1
    key, node = heap_km[size], heap_node[size]
    i = 0
    while 2 * i + 1 < size:
        child = 2 * i + 1
        if child + 1 < size and heap_km[child + 1] < heap_km[child]:
            child += 1
        if heap_km[child] >= key:
            break
        heap_km[i], heap_node[i] = heap_km[child], heap_node[child]
        i = child
    heap_km[i], heap_node[i] = key, node
    return size


@compiled
def _astar(
    first: Indices,
    neighbour: Indices,
    length_km: Floats,
    up: Indices,
    up_km: Floats,
    last_km: Floats,
    positions_km: Floats,
    target_km: Floats,
    ball_km: float,
    guidance: float,
) -> tuple[Indices, float, int]:
    """Whom each satellite was reached from (its last entry: the station's), the length, the satellites settled.

    last_km is each satellite's ground link to the target, inf without one; the target is node n.
    """
    satellites = len(first) - 1
    from_start = np.full(satellites + 1, np.inf)
    came = np.full(satellites + 1, -1, dtype=np.int32)
    done = np.zeros(satellites + 1, dtype=np.bool_)
    room = len(neighbour) + len(up) + satellites + 1
    heap_km, heap_node = np.empty(room), np.empty(room, dtype=np.int32)
    size, settled = 0, 0
    for i in range(len(up)):
        v = up[i]
        from_start[v] = up_km[i]
        key = up_km[i] + guidance * _left_km(v, positions_km, target_km, ball_km)
        size = _push(heap_km, heap_node, size, key, v)
    while size > 0:
        u = heap_node[0]
        size = _pop(heap_km, heap_node, size)
        if u == satellites:
            break
        if done[u]:
            continue
        done[u] = True
        settled += 1
        arrived = from_start[u] + last_km[u]
        if arrived < from_start[satellites]:
            from_start[satellites] = arrived
            came[satellites] = u
            size = _push(heap_km, heap_node, size, arrived, satellites)
        for i in range(first[u], first[u + 1]):
            v = neighbour[i]
            through = from_start[u] + length_km[i]
            if through < from_start[v]:
                from_start[v] = through
                came[v] = u
                key = through + guidance * _left_km(v, positions_km, target_km, ball_km)
                size = _push(heap_km, heap_node, size, key, v)
    return came, from_start[satellites], settled
