"""Element sets made of shells, through a TLE text as a user would have it: 2000-01-01, no drag."""

import math

from sgp4.api import WGS72, Satrec
from sgp4.exporter import export_tle

from ascnode.sky.constellation import Constellation
from ascnode.sky.elements import ElementSets
from ascnode.sky.tle import parse_tle

_EPOCH_DAYS = 18262.0  # 2000-01-01, since 1949-12-31
_WGS72_MU = 398600.8


def tle_text(constellation: Constellation, revolutions_per_day: float | None = None) -> str:
    return "".join(
        f"TEST {index}\n" + "\n".join(_lines(constellation, index, revolutions_per_day)) + "\n"
        for index in range(constellation.count)
    )


def element_sets(constellation: Constellation, revolutions_per_day: float | None = None) -> ElementSets:
    names, records = parse_tle(tle_text(constellation, revolutions_per_day))
    return ElementSets("tle", names, records)


def _lines(constellation: Constellation, index: int, revolutions_per_day: float | None) -> tuple[str, str]:
    orbit = constellation.orbit(index)
    rate = math.sqrt(_WGS72_MU / orbit.radius_km**3) * 60
    if revolutions_per_day is not None:
        rate = revolutions_per_day * 2 * math.pi / 1440
    record = Satrec()
    angles = [
        math.radians(angle)
        for angle in (orbit.inclination_deg, orbit.argument_of_latitude_deg, orbit.raan_deg)
    ]
    record.sgp4init(
        WGS72, "i", index + 1, _EPOCH_DAYS, 0.0, 0.0, 0.0, 1e-7, 0.0, angles[0], angles[1], rate, angles[2]
    )
    record.classification, record.intldesg = "U", "00000A"
    record.epochyr, record.epochdays = 0, 1.0
    return export_tle(record)
