"""Sky at full size: positions beside sgp4's array, visibility beside looking at every satellite with NumPy."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
from rich.console import Console
from rich.table import Table
from sgp4.api import WGS72, Satrec, SatrecArray

from ascnode.sky.cities import load_cities
from ascnode.sky.constellation import Constellation
from ascnode.sky.shells import Shell, parse_code
from ascnode.sky.time import julian_date
from ascnode.sky.visibility import Ground, arcs, visible

EPOCH = datetime(2026, 3, 20, 12, tzinfo=UTC)
SIZES = {"D:550:53.0:1584/72/39": 20, "D:550:53.0:10000/100/17": 20, "D:550:53.0:1000000/1000/17": 5}
REACH_MS = 5.0  # one million satellites, 100 stations
BLOCK = 1000  # satellites
SGP4_AT_MOST = 10_000  # of a million it flies a part, and the time is scaled


def best_ms(function: Callable[[float], object], repeats: int) -> float:
    """The shortest of several calls at different instants, after one that compiles."""
    function(0.0)
    times = []
    for i in range(repeats):
        start = time.perf_counter()
        function(10.0 * i)
        times.append(time.perf_counter() - start)
    return 1000 * min(times)


def sgp4_array(shell: Shell, count: int) -> SatrecArray:
    """The first satellites of a shell as element sets without drag."""
    records = []
    for index in range(count):
        orbit = shell.orbit(*divmod(index, shell.per_plane))
        angles = np.radians([orbit.inclination_deg, orbit.argument_of_latitude_deg, orbit.raan_deg])
        record, days = Satrec(), float(julian_date(EPOCH)) - 2433281.5
        rate = 60 * orbit.latitude_rate_rad_s
        record.sgp4init(WGS72, "i", index, days, 0, 0, 0, 0, 0, angles[0], angles[1], rate, angles[2])
        records.append(record)
    return SatrecArray(records)


def positions(console: Console) -> None:
    table = Table(title="positions of all satellites at one instant", title_justify="left")
    for name in ("satellites", "ascnode ms", "sgp4 SatrecArray ms", "sgp4 / ascnode", "bytes a satellite"):
        table.add_column(name, justify="right")
    for code, repeats in SIZES.items():
        flown = Constellation(code, parse_code(code))
        out = np.empty((flown.count, 3))
        ours = best_ms(lambda t_s, flown=flown, out=out: flown.positions_km(EPOCH, t_s, out), repeats)
        part = min(flown.count, SGP4_AT_MOST)
        peer, day = sgp4_array(flown.shells[0], part), np.array([float(julian_date(EPOCH))])
        theirs = best_ms(lambda t_s, peer=peer, day=day: peer.sgp4(day, np.array([t_s / 86400])), repeats)
        theirs *= flown.count / part
        tables = sum(column.nbytes for column in vars(flown.planes).values()) + sum(
            x.nbytes for x in flown.slots
        )
        table.add_row(
            f"{flown.count:,}",
            f"{ours:.3f}",
            f"{theirs:.2f}{' (scaled)' if part < flown.count else ''}",
            f"{theirs / ours:,.0f}",
            f"{out.nbytes / flown.count:.0f} + {tables / flown.count:.2f}",
        )
    console.print(table)
    console.print(
        "beside it: SGP4 is the fuller model; bytes are those of the positions and of the planes' tables"
    )


def look_at_all(flown: Constellation, ground: Ground, t_s: float, sine: float) -> int:
    """Visibility without planes: every satellite of every station, in NumPy, in blocks that fit the cache."""
    site, up = ground.inertial(EPOCH, t_s)
    height, square = np.sum(site * up, axis=-1), np.sum(site * site, axis=-1)
    seen = 0
    for place in np.array_split(flown.positions_km(EPOCH, t_s), -(-flown.count // BLOCK)):
        distance2 = np.sum(place * place, axis=-1)[:, np.newaxis] + square - 2 * place @ site.T
        seen += np.count_nonzero(place @ up.T - height >= sine * np.sqrt(distance2))
    return seen


def visibility(console: Console) -> None:
    table = Table(title="satellites above 25 deg, 100 cities", title_justify="left")
    names = (
        "satellites",
        "planes",
        "arcs ms",
        "reach ms",
        "of it",
        "NumPy ms",
        "NumPy / arcs",
        "with sights ms",
        "seen",
    )
    for name in names:
        table.add_column(name, justify="right")
    ground, sine = Ground.of(load_cities()), float(np.sin(np.radians(25)))
    for code, repeats in SIZES.items():
        flown = Constellation(code, parse_code(code))
        ours = best_ms(lambda t_s, flown=flown: arcs(flown, ground, EPOCH, t_s), 20)
        sights = best_ms(lambda t_s, flown=flown: visible(flown, ground, EPOCH, t_s), repeats)
        theirs = best_ms(lambda t_s, flown=flown: look_at_all(flown, ground, t_s, sine), 1)
        million = flown.count == 1_000_000
        table.add_row(
            f"{flown.count:,}",
            f"{len(flown.planes):,}",
            f"{ours:.3f}",
            f"{REACH_MS:g}" if million else "",
            f"{REACH_MS / ours:.2f}" if million else "",
            f"{theirs:.0f}",
            f"{theirs / ours:,.0f}",
            f"{sights:.2f}",
            f"{len(visible(flown, ground, EPOCH, 0.0).satellite):,}",
        )
    console.print(table)


def sky(console: Console) -> None:
    """Both tables."""
    positions(console)
    visibility(console)


if __name__ == "__main__":
    sky(Console(width=120))
