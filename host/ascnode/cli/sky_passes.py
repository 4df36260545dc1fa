"""`ascnode sky passes`: when satellites rise, culminate and set over a place."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

from ascnode.cli.sky_common import (
    DEFAULT_EPOCH,
    EpochText,
    Json,
    MinElevation,
    PlaceText,
    Plot,
    as_sky_chart,
    chart,
    check_duration,
    iso,
    one_sentence,
    open_console,
    parse_epoch,
    print_json,
)
from ascnode.errors import AscnodeError
from ascnode.sky.constellation import Constellation, constellation
from ascnode.sky.elements import ElementSets
from ascnode.sky.orbit import CircularOrbit, Orbit
from ascnode.sky.passes import Pass, look_angles
from ascnode.sky.passes import passes as passes_of
from ascnode.sky.places import place
from ascnode.sky.stations import Station

_MOST_SATELLITES = 20_000  # some minutes of work
_TRACK_POINTS = 100
_LABEL = re.compile(r"\d+/\d+/\d+")  # shell, plane, slot

Named = tuple[int, str, Orbit]


def passes(
    origin: PlaceText,
    group: Annotated[
        str | None,
        typer.Option(
            "--constellation",
            metavar="NAME|CODE|FILE",
            help="A name, code or file as in `sky visible`; or an orbit, below.",
        ),
    ] = None,
    satellite: Annotated[
        str | None,
        typer.Option(
            metavar="N|NAME",
            help="One satellite of it, by number or name (SHELL/PLANE/SLOT); all without it.",
        ),
    ] = None,
    altitude_km: Annotated[float | None, typer.Option(help="A circular orbit of its own.")] = None,
    inclination_deg: Annotated[float | None, typer.Option()] = None,
    raan_deg: Annotated[
        float, typer.Option(help="Right ascension of the ascending node at the epoch.")
    ] = 0.0,
    anomaly_deg: Annotated[float, typer.Option(help="Argument of latitude at the epoch.")] = 0.0,
    min_elevation_deg: MinElevation = 25.0,
    epoch: EpochText = None,
    duration: Annotated[
        float, typer.Option(metavar="S", help="Seconds after the epoch to look at.")
    ] = 86400.0,
    as_json: Json = False,
    plot: Plot = None,
) -> None:
    """Passes over a place: rise, culmination and set, elevation, azimuths and range."""
    with one_sentence():
        station = place(origin)
        check_duration(duration)
        if group is not None and altitude_km is None:
            start, satellites = _of_group(group, satellite, epoch)
        elif group is None and altitude_km is not None and inclination_deg is not None:
            start = parse_epoch(epoch)
            satellites = [(0, "orbit", CircularOrbit(altitude_km, inclination_deg, raan_deg, anomaly_deg))]
        else:
            raise AscnodeError("give --constellation, or both --altitude-km and --inclination-deg")
        found = list(_found(satellites, station, start, duration, min_elevation_deg))
        found.sort(key=lambda one: (one[1].rise_s, one[0][0]))
        report = _report(found, station, start, duration, min_elevation_deg)
        if plot:
            _draw(plot, found, station, start, min_elevation_deg)
    print_json(report) if as_json else _print(report)


def newest_epoch(satellites: Constellation | ElementSets) -> datetime:
    """Where a run without --epoch starts: the newest element set's epoch, to a second."""
    if isinstance(satellites, Constellation):
        return DEFAULT_EPOCH
    days = max(one.jdsatepoch - 2451545.0 + one.jdsatepochF for one in satellites.records)
    return (datetime(2000, 1, 1, 12, tzinfo=UTC) + timedelta(days=days)).replace(microsecond=0)


def _of_group(group: str, satellite: str | None, epoch: str | None) -> tuple[datetime, list[Named]]:
    satellites = constellation(group, parse_epoch(epoch))
    start = parse_epoch(epoch, newest_epoch(satellites))
    chosen = range(satellites.count) if satellite is None else [_number(satellites, satellite)]
    if len(chosen) > _MOST_SATELLITES:
        raise AscnodeError(f"{group} has {satellites.count:,} satellites: name one with --satellite")
    return start, [(i, satellites.label(i), _orbit(satellites, i, start)) for i in chosen]


def _orbit(satellites: Constellation | ElementSets, index: int, epoch: datetime) -> Orbit:
    return (
        satellites.orbit(index) if isinstance(satellites, Constellation) else satellites.orbit(index, epoch)
    )


def _number(satellites: Constellation | ElementSets, text: str) -> int:
    """A satellite by its number, or else by its name."""
    if isinstance(satellites, ElementSets) and text in satellites.names:
        return satellites.names.index(text)
    if isinstance(satellites, Constellation) and _LABEL.fullmatch(text):
        return satellites.index(*(int(part) for part in text.split("/")))
    if text.isdecimal() and int(text) < satellites.count:
        return int(text)
    raise AscnodeError(f"--satellite {text}: {satellites.name} has the numbers 0 to {satellites.count - 1}")


def _found(
    satellites: list[Named], station: Station, epoch: datetime, duration_s: float, min_elevation_deg: float
) -> Iterator[tuple[Named, Pass]]:
    console = Console(stderr=True)
    for named in track(
        satellites, "satellites", console=console, transient=True, disable=len(satellites) < 10
    ):
        for one in passes_of(named[2], [station], epoch, 0.0, duration_s, min_elevation_deg):
            yield named, one


def _report(
    found: list[tuple[Named, Pass]],
    station: Station,
    epoch: datetime,
    duration_s: float,
    min_elevation_deg: float,
) -> dict[str, Any]:
    return {
        "station": station.name,
        "latitude_deg": station.latitude_deg,
        "longitude_deg": station.longitude_deg,
        "height_m": station.height_m,
        "epoch": iso(epoch, 0.0),
        "duration_s": duration_s,
        "min_elevation_deg": min_elevation_deg,
        "passes": [_row(named, one, epoch) for named, one in found],
    }


def _row(named: Named, one: Pass, epoch: datetime) -> dict[str, Any]:
    index, name, orbit = named
    instants = {"rise": one.rise_s, "culmination": one.culmination_s, "set": one.set_s}
    azimuth, _, range_km = look_angles(orbit, one.station, epoch, list(instants.values()))
    return {
        "satellite": index,
        "name": name,
        "max_elevation_deg": round(one.max_elevation_deg, 6),
        "range_km": round(float(range_km[1]), 6),
        **{f"{what}_s": round(t, 6) for what, t in instants.items()},
        **{what: iso(epoch, t) for what, t in instants.items()},
        **{f"{what}_azimuth_deg": round(float(a), 6) for what, a in zip(instants, azimuth, strict=True)},
    }


def _print(report: dict[str, Any]) -> None:
    console = open_console()
    title = f"{report['station']}, from {report['epoch']} for {report['duration_s']:g} s"
    table = Table(title=title, title_justify="left")
    for name in (
        "satellite",
        "rise",
        "azimuth",
        "culmination",
        "elevation deg",
        "range km",
        "set",
        "azimuth",
        "min",
    ):
        table.add_column(name, justify="left" if name == "satellite" else "right")
    for one in report["passes"]:
        table.add_row(
            Text(one["name"]),
            one["rise"][:19],
            f"{one['rise_azimuth_deg']:.0f}",
            one["culmination"][11:19],
            f"{one['max_elevation_deg']:.1f}",
            f"{one['range_km']:,.0f}",
            one["set"][11:19],
            f"{one['set_azimuth_deg']:.0f}",
            f"{(one['set_s'] - one['rise_s']) / 60:.1f}",
        )
    console.print(table)
    console.print(
        f"{len(report['passes'])} passes above {report['min_elevation_deg']:g} deg", highlight=False
    )


def _draw(
    path: Path, found: list[tuple[Named, Pass]], station: Station, epoch: datetime, min_elevation_deg: float
) -> None:
    with chart(path, projection="polar") as axes:
        as_sky_chart(axes, f"passes over {station.name}, {iso(epoch, 0.0)[:16]}Z", min_elevation_deg)
        for named, one in found:
            t = np.linspace(one.rise_s, one.set_s, _TRACK_POINTS)
            azimuth, elevation, _ = look_angles(named[2], station, epoch, t)
            axes.plot(np.radians(azimuth), elevation, lw=1)
