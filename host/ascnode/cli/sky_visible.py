"""`ascnode sky visible`: which satellites of a constellation are up over a place."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.table import Table
from rich.text import Text

from ascnode.cli.sky_common import (
    ConstellationText,
    EpochText,
    Json,
    MinElevation,
    PlaceText,
    Plot,
    as_sky_chart,
    chart,
    iso,
    one_sentence,
    open_console,
    parse_epoch,
    print_json,
)
from ascnode.cli.sky_passes import newest_epoch
from ascnode.sky.constellation import Constellation, constellation
from ascnode.sky.elements import ElementSets
from ascnode.sky.places import place
from ascnode.sky.stations import Station
from ascnode.sky.visibility import Ground
from ascnode.sky.visibility import visible as visible_from


def visible(
    group: ConstellationText,
    origin: PlaceText,
    min_elevation_deg: MinElevation = 25.0,
    epoch: EpochText = None,
    top: Annotated[int, typer.Option(min=0, help="Rows of the table, the highest first; 0 for all.")] = 20,
    as_json: Json = False,
    plot: Plot = None,
) -> None:
    """Satellites above an elevation at one instant, with azimuth, elevation and range."""
    with one_sentence():
        station = place(origin)
        satellites = constellation(group, parse_epoch(epoch))
        at = parse_epoch(epoch, newest_epoch(satellites))
        report = _report(satellites, station, at, min_elevation_deg)
        if plot:
            _draw(plot, report)
    print_json(report) if as_json else _print(report, top)


def _report(
    satellites: Constellation | ElementSets, station: Station, at: datetime, min_elevation_deg: float
) -> dict[str, Any]:
    found = visible_from(satellites, Ground.of([station]), at, 0.0, min_elevation_deg)
    azimuth, elevation, distance = found.azimuth_deg, found.elevation_deg, found.range_km
    return {
        "constellation": satellites.name,
        "of": satellites.count,
        "station": station.name,
        "latitude_deg": station.latitude_deg,
        "longitude_deg": station.longitude_deg,
        "height_m": station.height_m,
        "epoch": iso(at, 0.0),
        "min_elevation_deg": min_elevation_deg,
        "count": len(found.satellite),
        "satellites": [
            {
                "satellite": int(found.satellite[i]),
                "name": satellites.label(int(found.satellite[i])),
                "azimuth_deg": round(float(azimuth[i]), 6),
                "elevation_deg": round(float(elevation[i]), 6),
                "range_km": round(float(distance[i]), 6),
            }
            for i in np.argsort(-elevation, kind="stable")
        ],
    }


def _print(report: dict[str, Any], top: int) -> None:
    console = open_console()
    table = Table(title=f"over {report['station']} at {report['epoch']}", title_justify="left")
    for name in ("number", "satellite", "azimuth deg", "elevation deg", "range km"):
        table.add_column(name, justify="left" if name == "satellite" else "right")
    shown = report["satellites"][: top or None]
    for one in shown:
        table.add_row(
            str(one["satellite"]),
            Text(one["name"]),
            f"{one['azimuth_deg']:.1f}",
            f"{one['elevation_deg']:.1f}",
            f"{one['range_km']:,.0f}",
        )
    console.print(table)
    hidden = report["count"] - len(shown)
    console.print(
        f"{report['count']:,} of {report['of']:,} satellites above {report['min_elevation_deg']:g} deg"
        + (f"; {hidden:,} are not shown (--top 0 shows all)" if hidden else ""),
        highlight=False,
    )


def _draw(path: Path, report: dict[str, Any]) -> None:
    azimuth = np.radians([one["azimuth_deg"] for one in report["satellites"]])
    with chart(path, projection="polar") as axes:
        as_sky_chart(axes, f"{report['constellation']} over {report['station']}", report["min_elevation_deg"])
        axes.scatter(azimuth, [one["elevation_deg"] for one in report["satellites"]], s=12)
