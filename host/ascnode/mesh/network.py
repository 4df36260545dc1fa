"""A constellation, its laser links and the stations on the ground, step by step."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ascnode.mesh.ground import GroundLinks, GroundRules, Sites, ground_links
from ascnode.mesh.lasers import LaserMesh
from ascnode.mesh.links import Links
from ascnode.mesh.routing import Graph, Routes, build_graph, find_routes
from ascnode.sky.constellation import Satellites
from ascnode.sky.stations import Station
from ascnode.sky.vectors import Floats


@dataclass(frozen=True)
class Snapshot:
    """The network at t_s: satellites (n, 3) and sites (k, 3), inertial, links, graph, and what the sites see.

    clearance_km is how far from the Earth's centre every laser stays.
    """

    t_s: float
    positions_km: Floats
    site_km: Floats
    clearance_km: float
    links: Links
    graph: Graph
    ground: GroundLinks

    def routes(self) -> Routes:
        """The routes of all satellites to all stations."""
        return find_routes(self.graph, self.ground)


class Network:
    """Snapshots at instants that do not go back; hop_km is added for each satellite that forwards."""

    def __init__(
        self,
        satellites: Satellites,
        mesh: LaserMesh,
        stations: Sequence[Station],
        epoch: datetime,
        ground_rules: GroundRules | None = None,
        hop_km: float = 0.0,
    ) -> None:
        self.satellites = satellites
        self.stations = stations
        self.epoch = epoch
        self._mesh = mesh
        self._sites = Sites.of(stations, epoch)
        self._rules = ground_rules or GroundRules()
        self._hop_km = hop_km

    def at(self, t_s: float) -> Snapshot:
        """Positions, links and visibility at t_s after the epoch. Raises ValueError when time runs back."""
        positions_km = self.satellites.positions_km(self.epoch, t_s)
        links = self._mesh.step(t_s, positions_km)
        graph = build_graph(self.satellites.count, links, self._hop_km)
        ground = ground_links(self.satellites, self._sites, t_s, positions_km, self._rules)
        site_km, _ = self._sites.inertial(t_s)
        return Snapshot(t_s, positions_km, site_km, self._mesh.rules.clearance_km, links, graph, ground)
