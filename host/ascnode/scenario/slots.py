"""Makes the slots of a run, one after the other, from sky and mesh."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

import numpy as np

from ascnode.errors import ScenarioError
from ascnode.mesh.assignment import NONE, Assignment, Downlink, DownlinkRules
from ascnode.mesh.gateways import Gateway, load_gateways
from ascnode.mesh.ground import Sites
from ascnode.mesh.lasers import LaserMesh
from ascnode.mesh.links import LinkRules
from ascnode.mesh.outages import Outage, Outages
from ascnode.mesh.routing import build_graph
from ascnode.mesh.slots import slot_edges_s, slot_number
from ascnode.mesh.topology import Layout, laser_mesh
from ascnode.scenario.outages import Out, Schedule
from ascnode.scenario.scenario import Scenario
from ascnode.scenario.slot import Slot, tables
from ascnode.scenario.tables.ground import Sites as SitesKey
from ascnode.sky.cities import City, load_cities
from ascnode.sky.constants import SPEED_OF_LIGHT_KM_S
from ascnode.sky.constellation import Satellites
from ascnode.sky.places import Site, place
from ascnode.sky.vectors import Floats, Integers

SECOND_US = 1_000_000
User = City | Site


def users_of(scenario: Scenario) -> tuple[User, ...]:
    """The places of the scenario's users."""
    chosen = scenario.users.cities
    if isinstance(chosen, tuple):
        return tuple(_place("users.cities", text) for text in chosen)
    return load_cities()[: None if chosen == "all" else chosen]


def gateways_of(scenario: Scenario) -> tuple[Gateway, ...]:
    """The scenario's gateways, each with its antennas."""
    chosen: SitesKey | str = scenario.gateways.sites
    if chosen == "none":
        return ()
    if isinstance(chosen, tuple):
        antennas = scenario.gateways.antennas
        places = [_place("gateways.sites", text) for text in chosen]
        return tuple(
            Gateway(p.name, "", p.latitude_deg, p.longitude_deg, p.height_m, antennas, _site(p))
            for p in places
        )
    table = load_gateways()[: None if chosen == "all" else int(chosen)]
    return tuple(replace(gateway, antennas=scenario.gateways.antennas) for gateway in table)


def _site(one: User) -> Site:
    return Site(one.name, one.latitude_deg, one.longitude_deg, one.height_m)


def _place(key: str, text: str) -> User:
    try:
        return place(text)
    except ScenarioError as e:
        raise ScenarioError(f"{key}: {e}") from None


def bounds_us(epoch: datetime, length_s: int) -> list[tuple[int, int]]:
    """(start, end) of every slot of a run, us after the epoch; the first and the last may be cut short."""
    edges = slot_edges_s(epoch, 0.0, float(length_s))
    inner = {round(float(edge) * SECOND_US) for edge in edges}
    return list(pairwise(sorted({0, *inner, length_s * SECOND_US})))


@dataclass
class Present:
    """The satellites that are not out, as the mesh sees them: the places of those that are out are nan."""

    satellites: Satellites
    out: frozenset[int] = frozenset()

    @property
    def name(self) -> str:
        return self.satellites.name

    @property
    def count(self) -> int:
        return self.satellites.count

    def label(self, index: int) -> str:
        """A name for one satellite."""
        return self.satellites.label(index)

    def positions_km(self, epoch: datetime, t_s: float) -> Floats:
        """As those of the satellites, nan where they are out."""
        positions = self.satellites.positions_km(epoch, t_s)
        positions[list(self.out)] = np.nan
        return positions


class SlotMaker:
    """Slots in order of time; one that begins before the last one is refused by the mesh."""

    def __init__(
        self, scenario: Scenario, users: Sequence[User], gateways: Sequence[Gateway], schedule: Schedule
    ) -> None:
        self._epoch = scenario.epoch
        self._scenario = scenario
        self._users, self._gateways, self._schedule = users, gateways, schedule
        self._present = Present(scenario.space.satellites)
        self._sites = Sites.of([*users, *gateways], scenario.epoch)
        self._mesh = _mesh(scenario, schedule)
        self._hop_km = scenario.lasers.hop_us * SPEED_OF_LIGHT_KM_S / SECOND_US
        self._out = Out()
        self._downlink = self._new_downlink(Out())
        self._before: Assignment | None = None

    @property
    def planned(self) -> Integers:
        """The lasers (m, 2) that are tried at all times, such as a +grid's."""
        return self._mesh.planned

    def make(self, start_us: int, end_us: int, out: Out, also: Iterable[int] = ()) -> Slot:
        """The slot from start_us on, with `also` among its lanes."""
        start_s, end_s = start_us / SECOND_US, end_us / SECOND_US
        if (out.gateways, not out.satellites) != (self._out.gateways, not self._out.satellites):
            self._downlink = self._new_downlink(out)
        self._out, self._present.out = out, out.satellites
        places = self._present.positions_km(self._epoch, start_s)
        links = self._mesh.step(start_s, places)
        graph = build_graph(self._present.count, links, self._hop_km)
        number = slot_number(self._epoch, start_s)
        assignment = self._before = self._downlink.assign(number, self._before)
        lanes = sorted({int(s) for s in assignment.satellite_of if s != NONE} | set(also))
        route_km, next_hop = tables(graph, lanes)
        return Slot(
            number,
            start_us,
            end_us,
            (places, self._present.positions_km(self._epoch, end_s)),
            (self._sites.inertial(start_s)[0], self._sites.inertial(end_s)[0]),
            assignment.satellite_of,
            assignment.gateway,
            {satellite: lane for lane, satellite in enumerate(lanes)},
            route_km,
            next_hop,
            links.pairs,
        )

    def _new_downlink(self, out: Out) -> Downlink:
        # All satellites in their planes are found faster than some of them.
        present = self._present if out.satellites else self._scenario.space.satellites
        rules = DownlinkRules(
            min_elevation_deg=self._scenario.users.min_elevation_deg,
            arc_angle_deg=self._scenario.downlink.gso_deg,
            beams_per_satellite=self._scenario.downlink.beams,
            seed=self._scenario.seed,
        )
        gateways = [
            replace(g, antennas=0 if i in out.gateways else g.antennas) for i, g in enumerate(self._gateways)
        ]
        return Downlink(present, self._users, gateways, self._epoch, rules)


def _mesh(scenario: Scenario, schedule: Schedule) -> LaserMesh:
    lasers = scenario.lasers
    rules = LinkRules(max_range_km=lasers.max_range_km, acquisition_s=lasers.acquisition_s)
    planned = tuple(Outage(spell.start_s, spell.end_s, *spell.what) for spell in schedule.links())
    outages = Outages(planned, lasers.outage_share, seed=scenario.seed)
    try:
        return laser_mesh(scenario.space.satellites, rules, Layout(lasers.layout), outages=outages)
    except ScenarioError as e:
        raise ScenarioError(f"lasers.layout: {e}") from None
