"""Constellations at full size: any number of shells of circular orbits, in flat plane-major arrays.

Satellites are numbered shell by shell, plane by plane, slot by slot.
"""

import math
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from ascnode.errors import ScenarioError
from ascnode.sky.catalogue import CATALOGUE
from ascnode.sky.compiled import compiled
from ascnode.sky.elements import ElementSets, load_elements
from ascnode.sky.orbit import CircularOrbit
from ascnode.sky.shells import Shell, is_code, parse_code
from ascnode.sky.vectors import Floats, Integers


class Satellites(Protocol):
    """What shells and real element sets have in common."""

    @property
    def name(self) -> str: ...
    @property
    def count(self) -> int: ...
    def label(self, index: int) -> str:
        """A name for one satellite."""

    def positions_km(self, epoch: datetime, t_s: float) -> Floats:
        """Inertial positions (count, 3) at t_s seconds after the epoch, in the frame of `ascnode.sky.sun`."""


class Place(NamedTuple):
    """Where a satellite is in a constellation."""

    shell: int
    plane: int
    slot: int


@dataclass(frozen=True)
class Planes:
    """All p orbit planes of a constellation, each column (p,); angles at the epoch, of slot 0.

    Satellites `first` .. `first + per_plane - 1` are the slots 0 .. per_plane - 1, 2 pi / per_plane apart.
    """

    shell: Integers
    first: Integers
    per_plane: Integers
    radius_km: Floats
    inclination_rad: Floats
    raan_rad: Floats
    latitude_rad: Floats
    node_rate_rad_s: Floats
    latitude_rate_rad_s: Floats

    def __len__(self) -> int:
        return len(self.first)


@dataclass(frozen=True)
class Constellation:
    """Shells of circular J2 orbits. Raises ValueError when there is none."""

    name: str
    shells: tuple[Shell, ...]

    def __post_init__(self) -> None:
        if not self.shells:
            raise ValueError(f"{self.name}: a constellation has at least one shell")

    @property
    def count(self) -> int:
        """Number of satellites."""
        return sum(shell.count for shell in self.shells)

    @cached_property
    def shell_first(self) -> tuple[int, ...]:
        """Index of the first satellite of each shell."""
        counts = [shell.count for shell in self.shells]
        return tuple(int(n) for n in np.cumsum([0, *counts[:-1]]))

    def index(self, shell: int, plane: int, slot: int) -> int:
        """The satellite's number. Raises ValueError for a place outside the constellation."""
        if not 0 <= shell < len(self.shells):
            raise ValueError(f"shell {shell} is not in a constellation of {len(self.shells)} shells")
        self.shells[shell].orbit(plane, slot)
        return self.shell_first[shell] + plane * self.shells[shell].per_plane + slot

    def place(self, index: int) -> Place:
        """The inverse of `index`. Raises ValueError for a number outside the constellation."""
        if not 0 <= index < self.count:
            raise ValueError(f"satellite {index} is not in a constellation of {self.count}")
        shell = int(np.searchsorted(self.shell_first, index, side="right")) - 1
        return Place(shell, *divmod(index - self.shell_first[shell], self.shells[shell].per_plane))

    def orbit(self, index: int) -> CircularOrbit:
        """The orbit of one satellite. Raises ValueError for a number outside the constellation."""
        shell, plane, slot = self.place(index)
        return self.shells[shell].orbit(plane, slot)

    def label(self, index: int) -> str:
        """`SHELL/PLANE/SLOT`, each from 0."""
        return "/".join(str(part) for part in self.place(index))

    @cached_property
    def planes(self) -> Planes:
        """The table of all planes."""
        blocks = [_shell_planes(number, shell) for number, shell in enumerate(self.shells)]
        columns = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
        return Planes(first=np.cumsum(columns["per_plane"]) - columns["per_plane"], **columns)

    def plane_axes(self, t_s: float) -> tuple[Floats, Floats]:
        """Unit vectors of each plane towards slot 0 and 90 deg ahead of it, both (p, 3), t_s after the epoch."""
        planes = self.planes
        node = planes.raan_rad + planes.node_rate_rad_s * t_s
        latitude = planes.latitude_rad + planes.latitude_rate_rad_s * t_s
        tilt, rise = np.cos(planes.inclination_rad), np.sin(planes.inclination_rad)
        to_node = np.stack([np.cos(node), np.sin(node), np.zeros_like(node)], axis=-1)
        ahead = np.stack([-np.sin(node) * tilt, np.cos(node) * tilt, rise], axis=-1)
        cosine, sine = np.cos(latitude)[:, np.newaxis], np.sin(latitude)[:, np.newaxis]
        return cosine * to_node + sine * ahead, cosine * ahead - sine * to_node

    def positions_km(self, epoch: datetime, t_s: float, out: Floats | None = None) -> Floats:
        """Inertial positions (count, 3) at t_s after the epoch, in `out` where it is given.

        The elements are those at the epoch, whichever it is.
        """
        result = np.empty((self.count, 3)) if out is None else out
        planes = self.planes
        to_slot0, ahead = self.plane_axes(t_s)
        radius = planes.radius_km[:, np.newaxis]
        _place(planes.first, planes.per_plane, *self.slots, radius * to_slot0, radius * ahead, result)
        return result

    @cached_property
    def slots(self) -> tuple[Integers, Floats]:
        """Where each plane's slot angles begin in a table of their cosines and sines, (p,) and (s, 2)."""
        sizes, each = np.unique(self.planes.per_plane, return_inverse=True)
        begin = np.cumsum(sizes) - sizes
        angles = np.concatenate([2 * np.pi * np.arange(size) / size for size in sizes])
        return begin[each], np.stack([np.cos(angles), np.sin(angles)], axis=-1)


def _shell_planes(number: int, shell: Shell) -> dict[str, Any]:
    """The columns of Planes for one shell, but `first`."""
    plane, orbit = np.arange(shell.planes), shell.orbit(0, 0)
    raan_deg = (shell.raan0_deg + shell.plane_spacing_deg * plane) % 360
    latitude_deg = (shell.anomaly0_deg + 360 * shell.phasing * plane / shell.count) % 360
    return {
        "shell": np.full(shell.planes, number),
        "per_plane": np.full(shell.planes, shell.per_plane),
        "radius_km": np.full(shell.planes, orbit.radius_km),
        "inclination_rad": np.full(shell.planes, math.radians(orbit.inclination_deg)),
        "raan_rad": np.radians(raan_deg),
        "latitude_rad": np.radians(latitude_deg),
        "node_rate_rad_s": np.full(shell.planes, orbit.node_rate_rad_s),
        "latitude_rate_rad_s": np.full(shell.planes, orbit.latitude_rate_rad_s),
    }


@compiled
def _place(
    first: Integers, per_plane: Integers, begin: Integers, turns: Floats, a: Floats, b: Floats, out: Floats
) -> None:
    """out[first + k] = a cos + b sin of slot k's angle, for each plane."""
    for p in range(len(first)):
        ax, ay, az = a[p, 0], a[p, 1], a[p, 2]
        bx, by, bz = b[p, 0], b[p, 1], b[p, 2]
        angle = turns[begin[p] : begin[p] + per_plane[p]]
        rows = out[first[p] : first[p] + per_plane[p]]
        for k in range(per_plane[p]):
            c, s = angle[k, 0], angle[k, 1]
            rows[k, 0] = ax * c + bx * s
            rows[k, 1] = ay * c + by * s
            rows[k, 2] = az * c + bz * s


def constellation(text: str, epoch: datetime) -> Constellation | ElementSets:
    """What a user names on a command line or in a scenario: NAME | CODE | FILE.

    A ready-made name of `catalogue`, a compact code of `shells`, or a file of real element sets (TLE or OMM). The
    epoch matters where a shell is laid out by the Sun (dawn-dusk). Raises ScenarioError with what is allowed.
    """
    name = text.strip()
    if name.lower() in CATALOGUE:
        return Constellation(name.lower(), CATALOGUE[name.lower()].shells(epoch))
    if is_code(name):
        return Constellation(name, parse_code(name))
    if Path(name).is_file():
        return load_elements(Path(name))
    raise ScenarioError(
        f"{text!r} is no constellation: name a file of element sets (TLE or OMM), a code such as "
        f"D:550:53.0:1584/72/39, or one of {', '.join(sorted(CATALOGUE))}"
    )
