"""How much rain, clouds and air weaken a ground link, and for which share of the time: from a table made offline.

`make_fade` made the table `fade.csv` of this package from ITU models; it holds the cities and gateways of ours.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from ascnode.sky.vectors import Floats


@dataclass(frozen=True)
class Fade:
    """Attenuations (elevations, shares) in dB that are exceeded for shares of an average year, both ascending."""

    elevation_deg: Floats
    share: Floats
    exceeded_db: Floats

    def db(self, elevation_deg: float, share: float) -> float:
        """Exceeded for this share of the time; between the rows by the length of the path through the air.

        Elevations and shares beyond the table's ends are taken as these.
        """
        column = [
            np.interp(np.log(max(share, self.share[0])), np.log(self.share), row) for row in self.exceeded_db
        ]
        return float(np.interp(-_air(elevation_deg), -_air(self.elevation_deg), np.array(column)))

    def outage(self, elevation_deg: float, margin_db: float) -> float:
        """Share of the time for which the fade exceeds the margin; at least the table's least, if beyond its end."""
        row = np.array([self.db(elevation_deg, share) for share in self.share])
        return float(np.exp(np.interp(-margin_db, -row, np.log(self.share))))


def _air(elevation_deg: Floats | float) -> Floats:
    """Relative length of the path through the air."""
    cosecant: Floats = 1 / np.sin(np.radians(np.clip(elevation_deg, 5, 90)))
    return cosecant


def load_fade(link: str, place: str) -> Fade:
    """The table of a `user` in a city, or of a `gateway`. Raises ValueError for one that is not in it."""
    rows = _tables().get((link, place))
    if rows is None:
        raise ValueError(f"no fade table has a {link} at {place}")
    return Fade(np.array([row[0] for row in rows]), _shares(), np.array([row[1:] for row in rows]))


def _lines() -> list[str]:
    text = files("ascnode.mesh").joinpath("fade.csv").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if not line.startswith("#")]


def _shares() -> Floats:
    return np.array([float(name.rstrip("%")) / 100 for name in _lines()[0].split(",")[3:]])


@cache
def _tables() -> dict[tuple[str, str], list[list[float]]]:
    tables: dict[tuple[str, str], list[list[float]]] = {}
    for line in _lines()[1:]:
        link, place, *figures = line.split(",")
        tables.setdefault((link, place), []).append([float(figure) for figure in figures])
    return tables
