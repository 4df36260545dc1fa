"""Which ground links rain holds down in a slot, by the mesh's tables of fades."""

from collections.abc import Sequence

import numpy as np

from ascnode.mesh.chance import uniform
from ascnode.mesh.fade import load_fade
from ascnode.mesh.gateways import Gateway
from ascnode.sky.stations import Station
from ascnode.sky.vectors import Floats

_ELEVATIONS_DEG = np.arange(5.0, 91.0, 5.0)
_RAIN = 11  # what numbers are drawn for


class Rain:
    """A fade beyond the margin lasts for a whole slot, with the chance that the table gives it at that elevation.

    Places that no table knows have no rain.
    """

    def __init__(
        self, users: Sequence[Station], gateways: Sequence[Gateway], margin_db: float, seed: int
    ) -> None:
        links = [("user", user.name) for user in users] + [("gateway", one.name) for one in gateways]
        self._seed = seed
        self._share = [_shares(link, name, margin_db) for link, name in links]
        self._drawn: list[float] = []

    def begin(self, slot: int) -> None:
        """Draws the slot's weather."""
        sites = np.arange(len(self._share))
        self._drawn = uniform(self._seed, slot, sites, _RAIN).tolist()

    def down(self, site: int, sin_elevation: float) -> bool:
        """Whether the link of a site at that elevation is faded out."""
        share = self._share[site]
        if share is None:
            return False
        elevation_deg = float(np.degrees(np.arcsin(min(1.0, max(0.0, sin_elevation)))))
        return self._drawn[site] < float(np.interp(elevation_deg, _ELEVATIONS_DEG, share))


def _shares(link: str, place: str, margin_db: float) -> Floats | None:
    # Share of the time beyond the margin by elevation; the tables end at 0.01 %, below which they say no more.
    try:
        fade = load_fade(link, place)
    except ValueError:
        return None
    return np.array([fade.outage(float(elevation), margin_db) for elevation in _ELEVATIONS_DEG])
