"""What a satellite is told in advance: when it will be dark, and when the ground is in view."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from ascnode.sky.eclipse import eclipses
from ascnode.sky.orbit import Orbit
from ascnode.sky.passes import passes
from ascnode.sky.stations import Station

Window = tuple[float, float]  # (start_s, end_s), seconds after the epoch


def eclipse_plan(orbit: Orbit, epoch: datetime, start_s: float, end_s: float) -> list[Window]:
    """Windows within start_s..end_s in which any of the Sun's disc is hidden, penumbra included, in order."""
    return [
        (eclipse.penumbra_start_s, eclipse.penumbra_end_s)
        for eclipse in eclipses(orbit, epoch, start_s, end_s)
    ]


def contact_plan(
    orbit: Orbit,
    stations: Sequence[Station],
    epoch: datetime,
    start_s: float,
    end_s: float,
    min_elevation_deg: float = 25.0,
) -> list[Window]:
    """Windows within start_s..end_s in which at least one station sees the satellite, in order and apart."""
    seen = passes(orbit, stations, epoch, start_s, end_s, min_elevation_deg)
    return merged((one.rise_s, one.set_s) for one in seen)


def merged(windows: Iterable[Window]) -> list[Window]:
    """The union of windows, in order; those that overlap or touch become one."""
    union: list[Window] = []
    for start_s, end_s in sorted(windows):
        if union and start_s <= union[-1][1]:
            union[-1] = (union[-1][0], max(end_s, union[-1][1]))
        else:
            union.append((start_s, end_s))
    return union
