"""Which laser links a constellation may have: from its shells, or from planes found in element sets."""

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from itertools import pairwise

import numpy as np

from ascnode.errors import ScenarioError
from ascnode.mesh.grid import Torus, grid_pairs
from ascnode.mesh.lasers import LaserMesh
from ascnode.mesh.links import Flags, LinkRules
from ascnode.mesh.outages import Outages
from ascnode.sky.constellation import Constellation, Planes
from ascnode.sky.elements import ElementSets
from ascnode.sky.orbit import CircularOrbit
from ascnode.sky.shells import Shell
from ascnode.sky.vectors import Floats, Integers

_SAME_PLANE_DEG = 0.05  # designed element sets repeat a node to 1e-4 deg
_EVEN_DEG = 0.1  # how even their spacing is
_TURN = 360.0


class Layout(StrEnum):
    """grid: +grid in each shell; nearest: nearest neighbours; both: +grid, spare terminals to nearest; none."""

    GRID = "grid"
    NEAREST = "nearest"
    BOTH = "both"
    NONE = "none"


@dataclass(frozen=True)
class AlternatingShell(Shell):
    """Walker's nodes, but every second plane is half a slot ahead, as some simulators lay shells out."""

    def orbit(self, plane: int, slot: int) -> CircularOrbit:
        """The orbit of one satellite. Raises ValueError for a plane or a slot outside the shell."""
        placed = replace(_walker(self), phasing=0).orbit(plane, slot)
        ahead_deg = _TURN / self.per_plane / 2 * (plane % 2)
        return replace(placed, argument_of_latitude_deg=(placed.argument_of_latitude_deg + ahead_deg) % _TURN)


@dataclass(frozen=True)
class _Alternating(Constellation):
    """A constellation of alternating shells."""

    @cached_property
    def planes(self) -> Planes:
        """The table of all planes, their slots 0 where the shells say."""
        orbits = [shell.orbit(plane, 0) for shell in self.shells for plane in range(shell.planes)]
        latitude_rad = np.radians([orbit.argument_of_latitude_deg for orbit in orbits])
        return replace(Constellation(self.name, self.shells).planes, latitude_rad=latitude_rad)


def alternating(constellation: Constellation) -> Constellation:
    """The same shells with every second plane half a slot ahead in place of Walker's phasing."""
    shells = tuple(AlternatingShell(**vars(shell)) for shell in constellation.shells)
    return _Alternating(constellation.name, shells)


def _walker(shell: Shell) -> Shell:
    return Shell(**vars(shell))


def laser_mesh(
    satellites: Constellation | ElementSets,
    rules: LinkRules | None = None,
    layout: Layout | None = None,
    offset: int | None = None,
    outages: Outages | None = None,
) -> LaserMesh:
    """The mesh of a constellation. Without a layout: the +grid, or nearest where element sets show no planes.

    Raises ScenarioError when a +grid is asked for and there are no planes.
    """
    tori = shells_of(satellites)
    chosen = layout or (Layout.GRID if tori else Layout.NEAREST)
    if not tori and chosen in (Layout.GRID, Layout.BOTH):
        raise ScenarioError(
            f"{satellites.name}: no equal, evenly spaced planes are in these element sets, so it has no +grid: "
            "take nearest"
        )
    gridded = chosen in (Layout.GRID, Layout.BOTH)
    fixed = [grid_pairs(torus, offset) for torus in tori] if gridded else []
    return LaserMesh(
        satellites.count,
        rules or LinkRules(),
        _in_priority(fixed),
        fill=chosen in (Layout.NEAREST, Layout.BOTH),
        outages=outages or Outages(),
    )


def _in_priority(fixed: list[Integers]) -> Integers:
    return np.concatenate(fixed) if fixed else np.empty((0, 2), dtype=np.int64)


def shells_of(satellites: Constellation | ElementSets) -> list[Torus]:
    """The shells as grids; empty when element sets are not in equal planes, in order, of one epoch."""
    if isinstance(satellites, ElementSets):
        return _found(satellites)
    tori = []
    first_plane = 0
    for shell, first in zip(satellites.shells, satellites.shell_first, strict=True):
        rows = slice(first_plane, first_plane + shell.planes)
        phase_deg = np.degrees(satellites.planes.latitude_rad[rows])
        tori.append(Torus(first, shell.per_plane, phase_deg, closed=not shell.star))
        first_plane += shell.planes
    return tori


def _found(satellites: ElementSets) -> list[Torus]:
    records = satellites.records
    epochs = np.array([record.jdsatepoch + record.jdsatepochF for record in records])
    if np.ptp(epochs) > 1 / 86400:
        return []
    raan_deg = np.degrees([record.nodeo for record in records])
    phase_deg = np.degrees([record.argpo + record.mo for record in records])
    incline = np.array([(record.inclo, record.no_kozai) for record in records])
    tori = []
    for start, end in _runs(np.any(np.abs(np.diff(incline, axis=0)) > 1e-4, axis=1), len(records)):
        torus = _shell(start, raan_deg[start:end], phase_deg[start:end])
        if torus is None:
            return []
        tori.append(torus)
    return tori


def _runs(breaks: Flags, count: int) -> list[tuple[int, int]]:
    edges = [0, *(np.flatnonzero(breaks) + 1).tolist(), count]
    return list(pairwise(edges))


def _shell(first: int, raan_deg: Floats, phase_deg: Floats) -> Torus | None:
    """One inclination and altitude as a grid, or None when it is not one."""
    runs = _runs(np.abs(_turned(np.diff(raan_deg))) > _SAME_PLANE_DEG, len(raan_deg))
    sizes = {end - start for start, end in runs}
    if len(sizes) != 1:
        return None
    (per_plane,) = sizes
    phases = phase_deg.reshape(-1, per_plane)
    nodes = raan_deg.reshape(-1, per_plane)[:, 0]
    if not _even(phases, _TURN / per_plane):
        return None
    gaps = _turned(np.diff(np.append(nodes, nodes[0]))) % _TURN
    if len(nodes) > 2 and np.ptp(gaps[:-1]) > _EVEN_DEG:
        return None
    closed = len(nodes) < 2 or bool(abs(gaps[-1] - gaps[0]) < _EVEN_DEG)
    return Torus(first, per_plane, phases[:, 0], closed)


def _even(phases_deg: Floats, spacing_deg: float) -> bool:
    steps = _turned(np.diff(phases_deg, axis=1) - spacing_deg)
    return steps.size == 0 or bool(np.max(np.abs(steps)) < _EVEN_DEG)


def _turned(angle_deg: Floats) -> Floats:
    """The same angles in -180..180."""
    turned: Floats = np.mod(angle_deg + _TURN / 2, _TURN) - _TURN / 2
    return turned
