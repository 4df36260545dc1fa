"""The satellites of a scenario: which are boards, which compute, and on what planes the sky sees them."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from ascnode.errors import ScenarioError
from ascnode.scenario.tables.space import Board, ConstellationTable
from ascnode.sky.constellation import Constellation, Planes, constellation
from ascnode.sky.elements import ElementSets, load_elements
from ascnode.sky.orbit import Orbit
from ascnode.sky.vectors import Integers
from ascnode.twin.fleet.elements import planes_of

Satellites = Constellation | ElementSets
MOST = 100_000  # satellites: route tables of some 100 MB


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
        if satellites.count > MOST:
            raise ScenarioError(
                f"constellation: a run routes between all satellites, and takes up to {MOST:,}; these are "
                f"{satellites.count:,} (ascnode mesh route finds single routes among them)"
            )
        boards = tuple(_number(satellites, board, "constellation.boards") for board in table.boards)
        if len(set(boards)) != len(boards):
            raise ScenarioError("constellation.boards names a satellite twice")
        return cls(satellites, boards, _compute(table, satellites.count, boards), epoch)

    @property
    def count(self) -> int:
        """Number of satellites."""
        return self.satellites.count

    def number(self, board: Board, key: str) -> int:
        """The number of a satellite that the key of a scenario names; ScenarioError when it is not there."""
        return _number(self.satellites, board, key)

    def orbit(self, satellite: int) -> Orbit:
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
        """The planes that the fleet flies on; real element sets get a circle each, for their light alone."""
        if isinstance(self.satellites, Constellation):
            return self.satellites.planes
        return planes_of(self.satellites, self.epoch)[0]


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


def _number(satellites: Satellites, board: Board, key: str) -> int:
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
        raise ScenarioError(f"{key}: board {_said(board)} is not there: {e}") from None


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
