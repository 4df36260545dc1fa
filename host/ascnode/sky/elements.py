"""Real element sets: a file of TLE or OMM records, flown by SGP4.

SGP4 gives positions in TEME: true equator, mean equinox. That is the frame of `ascnode.sky.sun` but for nutation,
which tilts the equator by up to 0.003 deg (0.3 km in low orbit), and Greenwich mean sidereal time turns both into
the Earth-fixed frame, so that passes are not touched by the equation of the equinoxes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

import numpy as np
from sgp4.api import Satrec, SatrecArray

from ascnode.errors import ScenarioError
from ascnode.sky.constants import J2000_JULIAN_DATE
from ascnode.sky.time import days_since_j2000
from ascnode.sky.tle import parse_tle
from ascnode.sky.vectors import Floats


@dataclass(frozen=True)
class ElementSets:
    """Satellites with real element sets, in the file's order."""

    name: str
    names: Sequence[str]
    records: Sequence[Satrec]

    @property
    def count(self) -> int:
        """Number of satellites."""
        return len(self.records)

    def label(self, index: int) -> str:
        """The satellite's name, or its catalogue number where the file has none."""
        return self.names[index]

    def positions_km(self, epoch: datetime, t_s: float) -> Floats:
        """Inertial positions (count, 3) at t_s after the epoch; nan where SGP4 says that a satellite has decayed."""
        days = float(days_since_j2000(epoch, t_s))
        whole = np.floor(days)
        errors, positions, _ = self._array.sgp4(
            np.array([J2000_JULIAN_DATE + whole]), np.array([days - whole])
        )
        return np.where(errors == 0, np.moveaxis(positions, -1, 0), np.nan)[..., 0].T.copy()

    @cached_property
    def _array(self) -> SatrecArray:
        return SatrecArray(self.records)


def load_elements(path: Path) -> ElementSets:
    """The element sets of a file. Raises ScenarioError that names the file and the line."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as e:
        raise ScenarioError(f"{path}: {e.strerror}") from None
    except UnicodeDecodeError:
        raise ScenarioError(f"{path}: not a text file") from None
    try:
        names, records = parse_tle(text)
    except ScenarioError as e:
        raise ScenarioError(f"{path}: {e}") from None
    return ElementSets(path.stem, names, records)
