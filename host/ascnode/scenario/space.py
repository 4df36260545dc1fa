"""The satellites of a scenario: which are boards, which compute, and on what planes the sky sees them."""

import math
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from ascnode.errors import ScenarioError
from ascnode.scenario.tables.space import Board, ConstellationTable
from ascnode.sky.constants import EARTH_MU_KM3_S2
from ascnode.sky.constellation import Constellation, Planes, constellation
from ascnode.sky.elements import ElementSets, load_elements
from ascnode.sky.orbit import CircularOrbit
from ascnode.sky.orbit import Orbit as AnyOrbit
from ascnode.sky.vectors import Integers

Satellites = Constellation | ElementSets


@dataclass(frozen=True)
class Space:
    """satellites; boards: the numbers of those that are boards; compute (n,): numbers of those with a node."""

    satellites: Satellites
    boards: tuple[int, ...]
    compute: Integers
    epoch: datetime

    @classmethod
    def of(cls, table: ConstellationTable, epoch: datetime, folder: Path) -> "Space":
        """ScenarioError, naming the key, for satellites that are not there."""
        satellites = _satellites(table, epoch, folder)
        boards = tuple(_number(satellites, board) for board in table.boards)
        if len(set(boards)) != len(boards):
            raise ScenarioError("constellation.boards names a satellite twice")
        return cls(satellites, boards, _compute(table, satellites.count, boards), epoch)

    @property
    def count(self) -> int:
        """Number of satellites."""
        return self.satellites.count

    def orbit(self, satellite: int) -> AnyOrbit:
        """The orbit of one satellite."""
        if isinstance(self.satellites, ElementSets):
            return self.satellites.orbit(satellite, self.epoch)
        return self.satellites.orbit(satellite)

    def name(self, satellite: int) -> str:
        """sat-PLANE-SLOT in a single shell, else sat- and what the constellation calls it."""
        label = self.satellites.label(satellite)
        if isinstance(self.satellites, Constellation):
            label = label.removeprefix("0/") if len(self.satellites.shells) == 1 else label
        return "sat-" + "-".join(label.replace("/", " ").split())

    def planes(self) -> Planes:
        """The planes that the fleet flies on. Real element sets get a circular plane each, for their light alone."""
        if isinstance(self.satellites, Constellation):
            return self.satellites.planes
        return _own_planes(self.satellites, self.epoch)


def _satellites(table: ConstellationTable, epoch: datetime, folder: Path) -> Satellites:
    try:
        if table.shells:
            return Constellation("shells", tuple(shell.shell() for shell in table.shells))
        if table.file is not None:
            return load_elements(folder / table.file)
        return constellation(table.name or table.code or "", epoch)
    except ScenarioError as e:
        key = "file" if table.file else "name" if table.name else "code"
        raise ScenarioError(f"constellation.{key}: {e}") from None


def _number(satellites: Satellites, board: Board) -> int:
    where = (board,) if isinstance(board, int) else board
    try:
        if len(where) == 1:
            if where[0] >= satellites.count:
                raise ValueError(f"there are {satellites.count} satellites")
            return where[0]
        if isinstance(satellites, ElementSets):
            raise ValueError("element sets have no planes: give its number in the file, from 0")
        return satellites.index(*((0, *where) if len(where) == 2 else where))
    except ValueError as e:
        raise ScenarioError(f"constellation.boards: board {_said(board)} is not there: {e}") from None


def _said(board: Board) -> str:
    return str(board) if isinstance(board, int) else str(list(board))


def _compute(table: ConstellationTable, count: int, boards: tuple[int, ...]) -> Integers:
    if table.compute == "all":
        return np.arange(count)
    if table.compute == "boards":
        return np.array(sorted(boards), dtype=np.int64)
    wanted = min(table.compute, count)
    # Evenly over the constellation's numbers, boards first.
    spread = [i for i in range(count) if (i + 1) * wanted // count > i * wanted // count]
    others = [i for i in spread if i not in boards][: max(0, wanted - len(boards))]
    return np.array(sorted({*boards, *others}), dtype=np.int64)


def _own_planes(sets: ElementSets, epoch: datetime) -> Planes:
    minute_s = 60.0
    period_s = np.array([sets.orbit(i, epoch).period_s for i in range(sets.count)])
    radius_km = (EARTH_MU_KM3_S2 * (period_s / (2 * math.pi)) ** 2) ** (1 / 3)
    position_km = sets.positions_km(epoch, 0.0)
    later_km = sets.positions_km(epoch, minute_s)
    # One that has decayed is nowhere: it gets a place for its slot in the tables, and no link ever finds it.
    for i in np.flatnonzero(np.isnan(position_km[:, 0]) | np.isnan(later_km[:, 0])):
        position_km[i], later_km[i] = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)
    normal = np.cross(position_km, later_km)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    node = np.stack([-normal[:, 1], normal[:, 0], np.zeros(sets.count)], axis=-1)
    along = np.sum(position_km * node, axis=1)
    ahead = np.sum(position_km * np.cross(normal, node), axis=1)
    inclination = np.arccos(np.clip(normal[:, 2], -1, 1))
    altitude_km = np.maximum(radius_km - CircularOrbit(1.0, 0, 0, 0).radius_km + 1.0, 1.0)
    orbits = [
        CircularOrbit(float(a), math.degrees(i), 0, 0) for a, i in zip(altitude_km, inclination, strict=True)
    ]
    return Planes(
        shell=np.zeros(sets.count, np.int64),
        first=np.arange(sets.count),
        per_plane=np.ones(sets.count, np.int64),
        radius_km=radius_km,
        inclination_rad=inclination,
        raan_rad=np.arctan2(node[:, 1], node[:, 0]),
        latitude_rad=np.arctan2(ahead, along),
        node_rate_rad_s=np.array([orbit.node_rate_rad_s for orbit in orbits]),
        latitude_rate_rad_s=np.array([orbit.latitude_rate_rad_s for orbit in orbits]),
    )
