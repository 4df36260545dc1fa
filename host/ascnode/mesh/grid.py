"""The +grid: each satellite is linked to two in its plane and to one in each neighbouring plane.

J. Wood, "Internetworking with satellite constellations" (2001), chapter 3, calls it a Manhattan network; over
a delta shell it is a torus, over a star shell it is open at the seam where planes counter-rotate.
"""

from dataclasses import dataclass

import numpy as np

from ascnode.sky.vectors import Floats, Integers

_PHASE_NOISE_SLOTS = 0.01  # element sets repeat a designed phase to about this


@dataclass(frozen=True)
class Torus:
    """Equal planes of one shell, plane-major from satellite `first`; phase_deg (planes,) is that of slot 0.

    `closed` says that the last plane neighbours the first. Raises ValueError for an empty shell.
    """

    first: int
    per_plane: int
    phase_deg: Floats
    closed: bool

    def __post_init__(self) -> None:
        if self.planes < 1 or self.per_plane < 1:
            raise ValueError(f"a shell of {self.planes} planes of {self.per_plane} satellites is empty")

    @property
    def planes(self) -> int:
        return len(self.phase_deg)

    @property
    def satellites(self) -> int:
        return self.planes * self.per_plane


def nearest_offsets(torus: Torus) -> Integers:
    """Slots (planes,) to add for the neighbour in the next plane, the last one's across the seam.

    The neighbour is the satellite closest in argument of latitude; of two as close, the one nearer in slot.
    """
    spacing_deg = 360 / torus.per_plane
    apart = (torus.phase_deg - np.roll(torus.phase_deg, -1)) / spacing_deg
    # Phases wrap at a turn: halves are ties only once this is undone.
    apart = np.mod(apart + torus.per_plane / 2, torus.per_plane) - torus.per_plane / 2
    toward_zero = np.copysign(np.ceil(np.abs(apart) - 0.5 - _PHASE_NOISE_SLOTS), apart)
    return np.asarray(toward_zero, dtype=np.int64)


def grid_pairs(torus: Torus, offset: int | None = None) -> Integers:
    """Pairs (m, 2) of satellite indices, each once, lower index first: in planes first, then between them.

    `offset` slots are added from each plane to the next, across the seam too; None takes `nearest_offsets`.
    """
    slots = np.arange(torus.per_plane)
    planes = np.arange(torus.planes)[:, np.newaxis]
    ahead = planes * torus.per_plane + (slots + 1) % torus.per_plane
    offsets = nearest_offsets(torus) if offset is None else np.full(torus.planes, offset, dtype=np.int64)
    beside_slot = (slots + offsets[:, np.newaxis]) % torus.per_plane
    beside = (planes + 1) % torus.planes * torus.per_plane + beside_slot
    last = torus.planes if torus.closed else torus.planes - 1
    own = planes * torus.per_plane + slots
    within = _unique(own.ravel(), ahead.ravel())
    between = _unique(own[:last].ravel(), beside[:last].ravel())
    return torus.first + np.concatenate([within, between])


def _unique(a: Integers, b: Integers) -> Integers:
    """Sorted pairs without those of a satellite with itself and without repeats (shells of one or two)."""
    pairs = np.stack([np.minimum(a, b), np.maximum(a, b)], axis=-1)
    return np.unique(pairs[a != b], axis=0).reshape(-1, 2)
