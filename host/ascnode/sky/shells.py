"""Shells of circular orbits in Walker's patterns, and their compact code.

The code is that of the Internet-Draft draft-piraux-space-constellation-code, after T. van der Lee's "Constellation
Code": `PATTERN:ALTITUDE:INCLINATION:T/P/F[:ANOMALY]`, shells joined by `+`. PATTERN is D (delta, nodes over 360 deg)
or S (star, over 180 deg). T/P/F is Walker's: T satellites in P planes, and neighbouring planes shifted by F * 360 / T
deg. So `D:550:53.0:1584/22/17` has 22 planes of 72 satellites, and the 72 planes of 22 of Starlink's first shell are
`D:550:53.0:1584/72/39`.
"""

import math
import re
from dataclasses import dataclass

from ascnode.errors import ScenarioError
from ascnode.sky.constants import SECONDS_PER_DAY
from ascnode.sky.orbit import CircularOrbit
from ascnode.sky.sun import MEAN_SUN_DEG_DAY

MOST_SATELLITES = 10_000_000  # 0.5 GB of positions and sightings
_NUMBER = r"(\d+(?:\.\d+)?)"
_SHELL = re.compile(
    rf"([DS])(?:/{_NUMBER})?:{_NUMBER}:{_NUMBER}:(\d+)/(\d+)/(\d+)(?::{_NUMBER})?", re.IGNORECASE
)


@dataclass(frozen=True)
class Shell:
    """planes * per_plane satellites at one altitude and inclination (J. G. Walker, JBIS 37, 1984).

    A delta pattern spreads the nodes over 360 deg, a star over 180. raan0_deg and anomaly0_deg are the node and
    the argument of latitude of plane 0, slot 0 at the epoch.
    Raises ValueError for a shell without satellites, a phasing outside 0..planes-1 or what no orbit can be.
    """

    altitude_km: float
    inclination_deg: float
    planes: int
    per_plane: int
    phasing: int = 0
    star: bool = False
    raan0_deg: float = 0.0
    anomaly0_deg: float = 0.0

    def __post_init__(self) -> None:
        if self.planes < 1 or self.per_plane < 1:
            raise ValueError(
                f"a shell of {self.planes} planes with {self.per_plane} satellites each is empty"
            )
        if not 0 <= self.phasing < self.planes:
            raise ValueError(f"phasing is {self.phasing}: it lies between 0 and {self.planes - 1}")
        self.orbit(0, 0)  # refuses what no orbit can be

    @property
    def count(self) -> int:
        """Number of satellites."""
        return self.planes * self.per_plane

    @property
    def plane_spacing_deg(self) -> float:
        """From the node of a plane to that of the next."""
        return (180 if self.star else 360) / self.planes

    def orbit(self, plane: int, slot: int) -> CircularOrbit:
        """The orbit of one satellite. Raises ValueError for a plane or a slot outside the shell."""
        if not 0 <= plane < self.planes:
            raise ValueError(f"plane {plane} is not in a shell of {self.planes} planes")
        if not 0 <= slot < self.per_plane:
            raise ValueError(f"slot {slot} is not in a plane of {self.per_plane} satellites")
        raan_deg = self.raan0_deg + self.plane_spacing_deg * plane
        latitude_deg = (
            self.anomaly0_deg + 360 * slot / self.per_plane + 360 * self.phasing * plane / self.count
        )
        return CircularOrbit(self.altitude_km, self.inclination_deg, raan_deg % 360, latitude_deg % 360)


def is_code(text: str) -> bool:
    """Whether text means to be a compact code: it begins as one does."""
    return re.match(r"[DS](/[^:]*)?:", text, re.IGNORECASE) is not None


def parse_code(text: str) -> tuple[Shell, ...]:
    """The shells of a compact code. Raises ScenarioError that names the part and what is allowed."""
    shells = tuple(_shell(part.strip()) for part in text.split("+"))
    count = sum(shell.count for shell in shells)
    if count > MOST_SATELLITES:
        raise ScenarioError(
            f"{text}: {count:,} satellites are more than the {MOST_SATELLITES:,} that are allowed"
        )
    return shells


def _shell(part: str) -> Shell:
    match = _SHELL.fullmatch(part)
    if match is None:
        raise ScenarioError(
            f"{part!r} is not a shell: write D:ALTITUDE_KM:INCLINATION_DEG:SATELLITES/PLANES/PHASING "
            "(S for a star), as in D:550:53.0:1584/72/39"
        )
    pattern, raan0, altitude, inclination, total, planes, phasing, anomaly0 = match.groups()
    satellites, count = int(total), int(planes)
    if not count or satellites % count:
        raise ScenarioError(
            f"{part}: {satellites} satellites do not divide into {count} planes (the code is SATELLITES/PLANES/PHASING)"
        )
    try:
        return Shell(
            float(altitude),
            float(inclination),
            count,
            satellites // count,
            int(phasing),
            star=pattern.upper() == "S",
            raan0_deg=float(raan0 or 0),
            anomaly0_deg=float(anomaly0 or 0),
        )
    except ValueError as e:
        raise ScenarioError(f"{part}: {e}") from None


def sun_synchronous_inclination_deg(altitude_km: float) -> float:
    """Inclination at which J2 turns a circular orbit's node with the mean Sun, 360 deg in a tropical year.

    Raises ValueError where none does: below the surface, and from 5,975 km up.
    """
    equatorial = CircularOrbit(altitude_km, 0.0, 0.0, 0.0)
    cosine = math.radians(MEAN_SUN_DEG_DAY) / SECONDS_PER_DAY / equatorial.node_rate_rad_s
    if cosine < -1:
        raise ValueError(f"altitude_km is {altitude_km}: no orbit so high is sun-synchronous")
    return math.degrees(math.acos(cosine))
