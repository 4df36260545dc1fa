"""Scenarios that stand for measured networks: users, where their traffic lands, and an access link.

Measured on Starlink, to compare with (p5, p50, p95, p99 of the round trip, and loss): bent pipe 24.7, 42.8, 86.6 and
118 ms, 2.5 %; over lasers 70, 109, 208 and 256 ms, 0.5 %.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from ascnode.mesh.assignment import NONE, Downlink
from ascnode.mesh.chance import uniform
from ascnode.mesh.fade import load_fade
from ascnode.mesh.fibre import great_circle_km
from ascnode.mesh.gateways import Gateway, exchange_km, load_gateways
from ascnode.mesh.latency import AccessModel, Paths, Pings, pings
from ascnode.mesh.links import Flags
from ascnode.mesh.network import Network, Snapshot
from ascnode.mesh.slots import SLOT_S, slot_number
from ascnode.mesh.topology import laser_mesh
from ascnode.sky.cities import load_cities
from ascnode.sky.constellation import constellation
from ascnode.sky.places import Site
from ascnode.sky.stations import Station
from ascnode.sky.vectors import Floats, Integers, norm

_EPOCH = datetime(2024, 5, 1, tzinfo=UTC)
FADE_MARGIN_DB = 4.0  # what a user's link can lose before it drops [A]
_MOMENT = 100  # what the instants of packets are drawn for


@dataclass(frozen=True)
class AccessScenario:
    """Users who ping their exchange point, `packets` in each of `slots` slots spread over `duration_s`.

    landings: the exchange points where traffic comes down; without lasers, a user whose satellite has no gateway
    sends nothing in that slot.
    """

    users: Sequence[Station]
    gateways: Sequence[Gateway]
    lasers: bool
    model: AccessModel
    constellation: str = "starlink-gen1-1"
    epoch: datetime = _EPOCH
    duration_s: float = 86_400.0
    slots: int = 24
    packets: int = 20
    seed: int = 0


def bent_pipe() -> AccessScenario:
    """Homes in and around the large cities, each below a gateway's satellites."""
    users = load_cities()
    model = AccessModel(blocked=0.012, rain=_rain(users), overflow=0.008)
    return AccessScenario(users, load_gateways(), False, model)


def _rain(users: Sequence[Station]) -> float:
    """Share of the time that fades beyond the margin take, over all users, at a common elevation."""
    return float(np.mean([load_fade("user", user.name).outage(40.0, FADE_MARGIN_DB) for user in users]))


# Exchange points where traffic from lasers lands [A]: a few large ones, for users with no gateway near by.
LANDINGS = frozenset(
    {
        *("Seattle", "Dallas", "New York", "Sao Paulo", "Santiago", "London", "Frankfurt", "Madrid"),
        *("Johannesburg", "Singapore", "Tokyo", "Sydney"),
    }
)


def lasers() -> AccessScenario:
    """Ships and remote places, 2,000 km and more from every gateway."""
    gateways = load_gateways()
    landing = [gateway for gateway in gateways if gateway.exchange.name in LANDINGS]
    model = AccessModel(rain=0.002, laser_detour=1.25)
    return AccessScenario(remote_places(gateways, 2000, 400), landing, True, model)


def remote_places(gateways: Sequence[Gateway], least_km: float, points: int) -> list[Site]:
    """Of `points` places spread evenly over the Earth up to 55 deg, those least_km from every gateway."""
    index = np.arange(points) + 0.5
    latitude = np.degrees(np.arcsin((2 * index / points - 1) * math.sin(math.radians(55))))
    longitude = np.mod(index * 180 * (3 - math.sqrt(5)), 360) - 180  # the golden angle
    sites = [Site(f"{a:.1f},{b:.1f}", float(a), float(b)) for a, b in zip(latitude, longitude, strict=True)]
    apart = great_circle_km([*sites, *gateways])[:points, points:]
    return [site for site, near in zip(sites, apart.min(axis=1), strict=True) if near >= least_km]


def simulate(scenario: AccessScenario) -> Pings:
    """All packets of the scenario, in the order of slots and users."""
    satellites = constellation(scenario.constellation, scenario.epoch)
    downlink = Downlink(satellites, scenario.users, scenario.gateways, scenario.epoch)
    network = Network(satellites, laser_mesh(satellites), scenario.gateways, scenario.epoch)
    fibre_km = exchange_km(scenario.gateways)
    first = slot_number(scenario.epoch, 0.0) + 1
    every = int(scenario.duration_s / SLOT_S / scenario.slots)
    parts = [_slot(scenario, downlink, network, fibre_km, first + i * every) for i in range(scenario.slots)]
    columns = {name: np.concatenate([part.parts[name] for part in parts]) for name in parts[0].parts}
    return Pings(columns, np.concatenate([part.outcome for part in parts]))


def _slot(
    scenario: AccessScenario, downlink: Downlink, network: Network, fibre_km: Floats, number: int
) -> Pings:
    chosen = downlink.assign(number)
    snapshot = network.at(chosen.start_s)
    users = np.flatnonzero(chosen.satellite_of != NONE)
    satellite = chosen.satellite_of[users]
    up_km = downlink.range_km(chosen.start_s, snapshot.positions_km, users, satellite)
    if scenario.lasers:
        reached, paths = _over_lasers(snapshot, satellite, up_km, fibre_km)
    else:
        reached, paths = _bent(snapshot, satellite, up_km, chosen.gateway[satellite], fibre_km)
    users = np.repeat(users[reached], scenario.packets)
    packet = np.tile(np.arange(scenario.packets), int(np.count_nonzero(reached)))
    key = (number * len(scenario.users) + users) * scenario.packets + packet
    into_slot_s = SLOT_S * uniform(scenario.seed, key, _MOMENT)
    return pings(scenario.model, paths.repeated(scenario.packets), into_slot_s, key)


def _bent(
    snapshot: Snapshot, satellite: Integers, up_km: Floats, gateway: Integers, fibre_km: Floats
) -> tuple[Flags, Paths]:
    reached = gateway != NONE
    gateway, satellite = gateway[reached], satellite[reached]
    down_km = norm(snapshot.positions_km[satellite] - snapshot.site_km[gateway])
    none = np.zeros(len(gateway))
    return reached, Paths(up_km[reached], down_km, none, none.astype(np.int64), fibre_km[gateway])


def _over_lasers(
    snapshot: Snapshot, satellite: Integers, up_km: Floats, fibre_km: Floats
) -> tuple[Flags, Paths]:
    """To the gateway that is nearest by way of the mesh."""
    routes = snapshot.routes()
    gateway = np.argmin(routes.distance_km[satellite], axis=1)
    mesh_km = routes.distance_km[satellite, gateway]
    reached = np.isfinite(mesh_km)
    gateway, satellite = gateway[reached], satellite[reached]
    tails = [routes.onwards(s, g) for s, g in zip(satellite.tolist(), gateway.tolist(), strict=True)]
    hops = np.array([len(tail) - 1 for tail in tails], dtype=np.int64)
    last = np.array([tail[-1] for tail in tails], dtype=np.int64)
    down_km = norm(snapshot.positions_km[last] - snapshot.site_km[gateway])
    return reached, Paths(up_km[reached], down_km, mesh_km[reached] - down_km, hops, fibre_km[gateway])
