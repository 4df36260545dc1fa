"""Real element sets: a file of TLE or OMM records, flown by SGP4.

SGP4 gives positions in TEME: true equator, mean equinox. That is the frame of `ascnode.sky.sun` but for nutation,
which tilts the equator by up to 0.003 deg (0.3 km in low orbit). Greenwich mean sidereal time turns both into the
Earth-fixed frame, so the equation of the equinoxes does not come into passes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sgp4.api import SGP4_ERRORS, Satrec, SatrecArray

from ascnode.errors import ScenarioError
from ascnode.sky.constants import J2000_JULIAN_DATE
from ascnode.sky.omm import is_omm, parse_omm
from ascnode.sky.time import days_since_j2000
from ascnode.sky.tle import parse_tle
from ascnode.sky.vectors import Floats

_MINUTE_S = 60.0


@dataclass(frozen=True)
class ElementOrbit:
    """One satellite with real elements, as an `Orbit`; positions count from the epoch."""

    name: str
    record: Satrec
    epoch: datetime

    @property
    def period_s(self) -> float:
        """Anomalistic period, from the mean motion of the element set."""
        return 2 * math.pi / float(self.record.no_kozai) * _MINUTE_S

    @property
    def turn_s(self) -> float:
        """A revolution at the angular rate of perigee, n (1 + e)^2 / (1 - e^2)^1.5."""
        e = float(self.record.ecco)
        return self.period_s * float((1 - e**2) ** 1.5 / (1 + e) ** 2)

    def position_km(self, t_s: npt.ArrayLike) -> Floats:
        """Inertial positions (TEME), (..., 3) for t_s (...) seconds after the epoch.

        Raises ScenarioError with SGP4's reason where it has none, as for a satellite that has decayed.
        """
        t = np.asarray(t_s, dtype=np.float64)
        errors, positions, _ = self.record.sgp4_array(*_julian(self.epoch, t.ravel()))
        if errors.any():
            raise ScenarioError(f"{self.name}: {SGP4_ERRORS[int(errors[errors != 0][0])]}")
        return np.asarray(positions).reshape(*t.shape, 3)


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

    def orbit(self, index: int, epoch: datetime) -> ElementOrbit:
        """One satellite's orbit, t_s counted from the epoch. Raises ValueError for a number outside the file."""
        if not 0 <= index < self.count:
            raise ValueError(f"satellite {index} is not among the {self.count} of {self.name}")
        return ElementOrbit(self.names[index], self.records[index], epoch)

    def positions_km(self, epoch: datetime, t_s: float, out: Floats | None = None) -> Floats:
        """Inertial positions (count, 3) at t_s after the epoch, in `out` where it is given.

        nan where SGP4 has none, as for a satellite that has decayed.
        """
        errors, positions, _ = self._array.sgp4(*_julian(epoch, np.array([t_s])))
        result = np.empty((self.count, 3)) if out is None else out
        result[:] = np.where(errors == 0, positions[:, 0], np.nan)
        return result

    @cached_property
    def _array(self) -> SatrecArray:
        return SatrecArray(self.records)


def _julian(epoch: datetime, t_s: Floats) -> tuple[Floats, Floats]:
    """Julian dates in two parts, as SGP4 takes them."""
    days = days_since_j2000(epoch, t_s)
    whole = np.floor(days)
    return J2000_JULIAN_DATE + whole, days - whole


def load_elements(path: Path) -> ElementSets:
    """The element sets of a TLE or OMM file. Raises ScenarioError that names the file and the line."""
    try:
        text = path.read_text(encoding="utf-8")
        names, records = parse_omm(text) if is_omm(text) else parse_tle(text)
    except OSError as e:
        raise ScenarioError(f"{path}: {e.strerror}") from None
    except UnicodeDecodeError:
        raise ScenarioError(f"{path}: not a text file") from None
    except ScenarioError as e:
        raise ScenarioError(f"{path}: {e}") from None
    return ElementSets(path.stem, names, records)
