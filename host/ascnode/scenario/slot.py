"""The network during one slot: places, lasers, who serves whom, and routes between satellites."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ascnode.mesh.assignment import NONE
from ascnode.mesh.ground import GroundLinks
from ascnode.mesh.routing import UNREACHABLE, Graph, Indices, find_routes
from ascnode.sky.compiled import compiled
from ascnode.sky.constants import SPEED_OF_LIGHT_KM_S
from ascnode.sky.vectors import Floats, Integers


@dataclass(frozen=True)
class Slot:
    """From start_us to end_us; satellites (n, 3) and sites (k, 3) in km, inertial, at both ends.

    Sites are the users, then the gateways. serving (users,) is the satellite that serves each user, gateway (n,)
    the gateway that each satellite hands down to, both NONE without one. The tables have a column for each satellite
    in `lanes`: a route runs from any satellite to one of them, or back. lasers (m, 2) are the pairs that carry data.
    """

    number: int
    start_us: int
    end_us: int
    satellite_km: tuple[Floats, Floats]
    site_km: tuple[Floats, Floats]
    serving: Integers
    gateway: Integers
    lanes: dict[int, int]
    route_km: Floats
    next_hop: Indices
    lasers: Integers

    @property
    def links(self) -> int:
        """How many lasers carry data."""
        return len(self.lasers)

    @property
    def users(self) -> int:
        """How many sites are users."""
        return len(self.serving)

    def lane_km(self, lane: int) -> Floats:
        """Lengths (n,) of the routes between a satellite of `lanes` and all others; inf without one."""
        column: Floats = self.route_km[:, self.lanes[lane]]
        return column

    def path(self, start: int, end: int) -> list[int]:
        """The satellites from start to end, both of them included; empty without a route. One is in `lanes`."""
        if start == end:
            return [start]
        if end in self.lanes:
            return self._to_lane(start, end)
        return self._to_lane(end, start)[::-1]

    def _to_lane(self, start: int, lane: int) -> list[int]:
        hop = self.next_hop[:, self.lanes[lane]]
        path = [start]
        while path[-1] != lane:
            following = int(hop[path[-1]])
            if following == UNREACHABLE:
                return []
            path.append(following)
        return path

    def exit_of(self, satellite: int, to_gateway: bool) -> int:
        """The nearest satellite that serves a user, or that hands down to a gateway; NONE without a route."""
        served = np.unique(self.serving[self.serving != NONE])
        exits = served[self.gateway[served] != NONE] if to_gateway else served
        if len(exits) == 0:
            return NONE
        length_km = self.route_km[satellite, [self.lanes[int(lane)] for lane in exits]]
        best = int(np.argmin(length_km))
        return int(exits[best]) if math.isfinite(length_km[best]) else NONE

    def hop_us(self, a: int, b: int, time_us: int) -> int:
        """Light time between two satellites, us."""
        return int(_light_us(*self.satellite_km, a, *self.satellite_km, b, self._share(time_us)))

    def ground_us(self, site: int, satellite: int, time_us: int) -> int:
        """Light time between a site and a satellite, us."""
        return int(_light_us(*self.site_km, site, *self.satellite_km, satellite, self._share(time_us)))

    def sin_elevation(self, site: int, satellite: int) -> float:
        """Over a horizon of the sphere, at the slot's start."""
        place = self.site_km[0][site]
        sight = self.satellite_km[0][satellite] - place
        return float(sight @ place / np.sqrt((sight @ sight) * (place @ place)))

    def _share(self, time_us: int) -> float:
        # Between the slot's ends a straight line is within 0.3 km of an orbit: 2 us of light between two of them.
        return (time_us - self.start_us) / (self.end_us - self.start_us)


def tables(graph: Graph, lanes: Sequence[int]) -> tuple[Floats, Indices]:
    """Lengths and next hops from all satellites to each of `lanes`, both (n, lanes)."""
    places = np.array(lanes, dtype=np.int32)
    first = np.arange(len(lanes) + 1, dtype=np.int32)
    zero = np.zeros(len(lanes))
    routes = find_routes(graph, GroundLinks(first, places, zero, zero))
    return routes.distance_km, routes.next_hop


@compiled
def _light_us(a0: Floats, a1: Floats, a: int, b0: Floats, b1: Floats, b: int, share: float) -> float:
    square = 0.0
    for axis in range(3):
        from_km = a0[a, axis] + share * (a1[a, axis] - a0[a, axis])
        to_km = b0[b, axis] + share * (b1[b, axis] - b0[b, axis])
        square += (to_km - from_km) ** 2
    return round(math.sqrt(square) / SPEED_OF_LIGHT_KM_S * 1e6)
