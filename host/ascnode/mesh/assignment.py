"""Who serves whom in a slot: candidates, their scores, beams of satellites, antennas of gateways."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from ascnode.mesh.chance import uniform
from ascnode.mesh.gateways import Gateway
from ascnode.mesh.geostationary import Arc, clear_of_arc
from ascnode.mesh.ground import GroundLinks, GroundRules, Indices, Sites, ground_links
from ascnode.mesh.slots import slot_start_s
from ascnode.sky.compiled import compiled
from ascnode.sky.constellation import Satellites
from ascnode.sky.eclipse import illumination
from ascnode.sky.stations import Station, to_earth_fixed
from ascnode.sky.sun import sun_direction
from ascnode.sky.time import gmst_rad
from ascnode.sky.vectors import Floats, Integers, dot, norm

NONE = -1


@dataclass(frozen=True)
class Weights:
    """What a candidate's score is made of; each term lies between 0 and 1.

    That high, northern, sunlit and recently launched satellites are preferred is measured [S: H. B. Tanveer et al.,
    "Making sense of constellations", CoNEXT companion 2023]; by how much is [A].
    """

    elevation: float = 1.0
    north: float = 0.4
    sunlit: float = 0.15
    young: float = 0.15
    bent_pipe: float = 0.5  # for a satellite that a gateway may use [A]
    same: float = 0.0  # for the satellite of the slot before [A]
    chance: float = 0.1


@dataclass(frozen=True)
class DownlinkRules:
    """Limits of a slot. Three antennas of eight beams on a satellite, eight channels [A: public analyses of the
    first generation]; 25 deg and 22 deg from the licence [S: SAT-MOD-20181108-00083]."""

    min_elevation_deg: float = 25.0
    arc_angle_deg: float = 22.0
    beams_per_satellite: int = 24
    channels: int = 8
    weights: Weights = field(default_factory=Weights)
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.arc_angle_deg <= 90:
            raise ValueError(f"arc_angle_deg is {self.arc_angle_deg}: it lies between 0 and 90")
        for name in ("beams_per_satellite", "channels"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}: it is 1 or more")


@dataclass(frozen=True)
class Assignment:
    """A slot's choice for c cells of `beams` each, and for n satellites.

    Each beam is (cell, satellite, channel), columns (b,), ordered by cell; no two beams of a cell have one channel.
    gateway (n,) is whom a satellite hands down to, NONE for one that uses lasers or serves nobody.
    satellite_of (c,) is a cell's first beam's, NONE where it has none; handover (c,): not that of the slot before.
    """

    number: int
    start_s: float
    cell: Integers
    satellite: Integers
    channel: Integers
    gateway: Integers
    satellite_of: Integers
    handover: Integers


class Downlink:
    """Assigns satellites to cells and gateways, slot after slot. age (n,) is 0 for new satellites, 1 for old ones."""

    def __init__(
        self,
        satellites: Satellites,
        cells: Sequence[Station],
        gateways: Sequence[Gateway],
        epoch: datetime,
        rules: DownlinkRules | None = None,
        beams: Sequence[int] | None = None,
        age: Floats | None = None,
    ) -> None:
        self.rules = rules or DownlinkRules()
        self._satellites, self._epoch = satellites, epoch
        self.cells, self.cell_arcs = _sites(cells, epoch)
        self.gateways, self.gateway_arcs = _sites(gateways, epoch)
        self._beams = np.array(beams if beams is not None else [1] * len(cells), dtype=np.int64)
        if len(self._beams) != len(cells) or np.any((self._beams < 0) | (self._beams > self.rules.channels)):
            raise ValueError(f"a cell has 0 to {self.rules.channels} beams, one a channel: {beams}")
        self._antennas = np.array([gateway.antennas for gateway in gateways], dtype=np.int64)
        self._age = np.zeros(satellites.count) if age is None else age

    def assign(self, number: int, before: Assignment | None = None) -> Assignment:
        """The slot with this number; `before` is the one that it hands over from."""
        start_s = slot_start_s(self._epoch, number)
        positions_km = self._satellites.positions_km(self._epoch, start_s)
        below = self.candidates(start_s, positions_km, self.gateways, self.gateway_arcs)
        cell, satellite = self._serve(number, start_s, positions_km, below[0].satellite, before)
        first = np.full(len(self._beams), NONE)
        first[cell[::-1]] = satellite[::-1]
        changed = np.zeros(len(first), dtype=np.bool_) if before is None else first != before.satellite_of
        return Assignment(
            number,
            start_s,
            cell,
            satellite,
            _channels(cell, satellite, self.rules.channels),
            self._gateway_of(*below, np.unique(satellite)),
            first,
            changed.astype(np.int64),
        )

    def _serve(
        self, number: int, start_s: float, positions_km: Floats, piped: Indices, before: Assignment | None
    ) -> tuple[Integers, Integers]:
        """Cell and satellite of each beam, by cell, its best first; `piped` satellites have a gateway in view."""
        seen, station = self.candidates(start_s, positions_km, self.cells, self.cell_arcs)
        satellite = seen.satellite.astype(np.int64)
        score = self._score(number, start_s, positions_km, seen, station, before)
        score += self.rules.weights.bent_pipe * np.isin(satellite, piped)
        order = np.lexsort((satellite, station, -score))
        room = np.full(self._satellites.count, self.rules.beams_per_satellite)
        granted = order[_grant(station[order], satellite[order], self._beams.copy(), room)]
        granted = granted[np.argsort(station[granted], kind="stable")]
        return station[granted], satellite[granted]

    def candidates(
        self, t_s: float, positions_km: Floats, sites: Sites, arcs: Sequence[Arc]
    ) -> tuple[GroundLinks, Integers]:
        """What the sites may use: high enough, clear of the geostationary arc; and whose each link is."""
        rules = GroundRules(self.rules.min_elevation_deg)
        seen = ground_links(self._satellites, sites, t_s, positions_km, rules)
        station = np.repeat(np.arange(seen.stations), np.diff(seen.first))
        turn = gmst_rad(self._epoch, t_s)
        sight_km = to_earth_fixed(positions_km[seen.satellite], turn) - sites.ground.position_km[station]
        clear = np.ones(len(station), dtype=np.bool_)
        for k, arc in enumerate(arcs):
            rows = slice(int(seen.first[k]), int(seen.first[k + 1]))
            clear[rows] = clear_of_arc(arc, sight_km[rows], self.rules.arc_angle_deg)
        return seen.only(clear), station[clear]

    def range_km(self, t_s: float, positions_km: Floats, cell: Integers, satellite: Integers) -> Floats:
        """Ranges of cells (m,) to satellites (m,) at t_s."""
        site_km, _ = self.cells.inertial(t_s)
        return norm(positions_km[satellite] - site_km[cell])

    def _score(
        self,
        number: int,
        start_s: float,
        positions_km: Floats,
        seen: GroundLinks,
        station: Integers,
        before: Assignment | None,
    ) -> Floats:
        weights, satellite = self.rules.weights, seen.satellite
        site_km, up = self.cells.inertial(start_s)
        north = np.array([0.0, 0.0, 1.0]) - up[:, 2:] * up
        north /= np.linalg.norm(north, axis=1, keepdims=True) + 1e-12  # at a pole nothing lies north
        level = dot(positions_km[satellite] - site_km[station], north[station]) / seen.range_km
        lit = illumination(positions_km[satellite], sun_direction(self._epoch, start_s))
        score = weights.elevation * np.arcsin(seen.sin_elevation) / (math.pi / 2)
        score += (
            weights.north * (level > 0) + weights.sunlit * lit + weights.young * (1 - self._age[satellite])
        )
        if before is not None:
            score += weights.same * (before.satellite_of[station] == satellite)
        drawn: Floats = score + weights.chance * uniform(self.rules.seed, number, station, satellite)
        return drawn

    def _gateway_of(self, seen: GroundLinks, gateway: Integers, used: Integers) -> Integers:
        """The nearest gateway with a free antenna for each satellite in use: shortest links first."""
        wanted = np.isin(seen.satellite, used)
        satellite, range_km = seen.satellite[wanted].astype(np.int64), seen.range_km[wanted]
        gateway = gateway[wanted]
        order = np.lexsort((satellite, gateway, range_km))
        alone = np.ones(self._satellites.count, dtype=np.int64)
        granted = order[_grant(gateway[order], satellite[order], self._antennas.copy(), alone)]
        chosen = np.full(self._satellites.count, NONE)
        chosen[satellite[granted]] = gateway[granted]
        return chosen


def _sites(stations: Sequence[Station], epoch: datetime) -> tuple[Sites, list[Arc]]:
    sites = Sites.of(stations, epoch)
    return sites, [
        Arc.seen_from(*place) for place in zip(sites.ground.position_km, sites.ground.up, strict=True)
    ]


def _channels(cell: Integers, satellite: Integers, channels: int) -> Integers:
    """The lowest channel for each beam that its cell does not have yet, of those that its satellite uses least."""
    channel = np.full(len(cell), NONE)
    _colour(cell, satellite, channels, channel)
    return channel


@compiled
def _grant(left: Integers, right: Integers, left_room: Integers, right_room: Integers) -> Integers:
    """Which pairs (left, right), in order, find room on both sides; the rooms are used up."""
    granted = np.empty(len(left), dtype=np.int64)
    count = 0
    for i in range(len(left)):
        if left_room[left[i]] > 0 and right_room[right[i]] > 0:
            left_room[left[i]] -= 1
            right_room[right[i]] -= 1
            granted[count] = i
            count += 1
    return granted[:count]


@compiled
def _colour(cell: Integers, satellite: Integers, channels: int, channel: Integers) -> None:
    if len(cell) == 0:
        return
    used = np.zeros((np.max(satellite) + 1, channels), dtype=np.int64)
    for i in range(len(cell)):
        best = -1
        for c in range(channels):
            free = True
            for j in range(i - 1, -1, -1):
                if cell[j] != cell[i]:
                    break
                if channel[j] == c:
                    free = False
            if free and (best < 0 or used[satellite[i], c] < used[satellite[i], best]):
                best = c
        channel[i] = best
        used[satellite[i], best] += 1
