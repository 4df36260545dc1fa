"""`ascnode sky eclipse`: how long a circular orbit is dark, and when."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.table import Table

from ascnode.cli.sky_common import (
    EpochText,
    Json,
    Plot,
    chart,
    check_duration,
    iso,
    one_sentence,
    open_console,
    parse_epoch,
    print_json,
)
from ascnode.errors import AscnodeError
from ascnode.sky.constants import EARTH_RADIUS_KM
from ascnode.sky.eclipse import (
    Eclipse,
    critical_beta_deg,
    eclipse_at_beta,
    eclipse_fraction,
    illumination,
    keplerian_period_s,
    whole_eclipses,
)
from ascnode.sky.orbit import CircularOrbit
from ascnode.sky.sun import beta_deg as beta_of
from ascnode.sky.sun import sun_direction, sun_distance_km

_CHART_POINTS = 4000


def eclipse(
    altitude_km: Annotated[float, typer.Option(help="Above the equatorial radius of 6,378.137 km.")],
    beta_deg: Annotated[
        float | None,
        typer.Option(help="Angle of the Sun above the orbit plane; instants count from orbit noon."),
    ] = None,
    inclination_deg: Annotated[
        float | None, typer.Option(help="With --raan-deg, instead of --beta-deg.")
    ] = None,
    raan_deg: Annotated[
        float | None, typer.Option(help="Right ascension of the ascending node at the epoch.")
    ] = None,
    anomaly_deg: Annotated[float, typer.Option(help="Argument of latitude at the epoch.")] = 0.0,
    epoch: EpochText = None,
    duration: Annotated[
        float | None,
        typer.Option(metavar="S", help="Seconds after the epoch to look at; one orbit without it."),
    ] = None,
    as_json: Json = False,
    plot: Plot = None,
) -> None:
    """Eclipse of a circular orbit: fraction, minutes, and the instants of penumbra and umbra.

    The fraction is the closed form of a cylindrical shadow; instants are those of the cones of umbra and penumbra, of
    every eclipse that touches the time looked at, and whole.
    """
    with one_sentence():
        if beta_deg is not None:
            if not (inclination_deg is None and raan_deg is None and epoch is None and duration is None):
                raise AscnodeError("--beta-deg stands alone: leave out orbit, --epoch and --duration")
            report = _at_beta(altitude_km, beta_deg)
        else:
            if inclination_deg is None or raan_deg is None:
                raise AscnodeError("give --beta-deg, or both --inclination-deg and --raan-deg")
            orbit = CircularOrbit(altitude_km, inclination_deg, raan_deg, anomaly_deg)
            report = _of_orbit(orbit, parse_epoch(epoch), duration)
        if plot:
            _draw(plot, report)
    print_json(report) if as_json else _print(report)


def _at_beta(altitude_km: float, beta_deg: float) -> dict[str, Any]:
    found = eclipse_at_beta(altitude_km, beta_deg)
    period_s = keplerian_period_s(altitude_km)
    shape = {"altitude_km": altitude_km, "zero": "orbit noon"}
    return {**shape, **_figures(altitude_km, beta_deg, period_s, [found] if found else [], None)}


def _of_orbit(orbit: CircularOrbit, epoch: datetime, duration_s: float | None) -> dict[str, Any]:
    if duration_s is not None:
        check_duration(duration_s)
    found = whole_eclipses(orbit, epoch, 0.0, orbit.period_s if duration_s is None else duration_s)
    beta = float(beta_of(orbit.plane_normal(0.0), sun_direction(epoch)))
    shape = {
        "altitude_km": orbit.altitude_km,
        "inclination_deg": orbit.inclination_deg,
        "raan_deg": orbit.raan_deg,
        "anomaly_deg": orbit.argument_of_latitude_deg,
        "epoch": iso(epoch, 0.0),
        "zero": "epoch",
    }
    return {**shape, **_figures(orbit.altitude_km, beta, orbit.period_s, found, epoch)}


def _figures(
    altitude_km: float, beta_deg: float, period_s: float, found: list[Eclipse], epoch: datetime | None
) -> dict[str, Any]:
    fraction = eclipse_fraction(altitude_km, beta_deg)
    whole_s = [one.penumbra_end_s - one.penumbra_start_s for one in found]
    umbra_s = [_umbra_s(one) for one in found]
    return {
        "beta_deg": round(beta_deg, 6),
        "critical_beta_deg": round(critical_beta_deg(altitude_km), 6),
        "period_s": round(period_s, 6),
        "fraction": round(fraction, 9),
        "minutes": round(fraction * period_s / 60, 6),
        "umbra_minutes": _mean_minutes(umbra_s, len(found)),
        "penumbra_minutes": _mean_minutes([sum(whole_s) - sum(umbra_s)], len(found)),
        "instants": [_instants(one, epoch) for one in found],
    }


def _mean_minutes(seconds: list[float], eclipses: int) -> float:
    return round(sum(seconds) / eclipses / 60, 6) if eclipses else 0.0


def _instants(one: Eclipse, epoch: datetime | None) -> dict[str, Any]:
    seconds = {name: None if t is None else round(t, 6) for name, t in asdict(one).items()}
    if epoch is None:
        return seconds
    return {**seconds, **{name[:-2]: None if t is None else iso(epoch, t) for name, t in seconds.items()}}


def _umbra_s(one: Eclipse) -> float:
    """Length of the umbra, 0 without one."""
    return (
        0.0 if one.umbra_start_s is None or one.umbra_end_s is None else one.umbra_end_s - one.umbra_start_s
    )


def _print(report: dict[str, Any]) -> None:
    console = open_console()
    console.print(
        f"beta {report['beta_deg']:.2f} deg (dark below {report['critical_beta_deg']:.2f}), "
        f"period {report['period_s'] / 60:.2f} min\n"
        f"eclipse {report['fraction']:.5f} of the orbit, {report['minutes']:.3f} min (cylinder); an eclipse has "
        f"{report['umbra_minutes']:.3f} min of umbra and {report['penumbra_minutes']:.3f} min of penumbra",
        highlight=False,
    )
    if not report["instants"]:
        console.print("no eclipse in this time", highlight=False)
        return
    table = Table(title=f"seconds from {report['zero']}", title_justify="left")
    dated = "epoch" in report
    for name in ("penumbra from", "umbra from", "umbra to", "penumbra to"):
        table.add_column(name, justify="right")
    if dated:
        table.add_column("begins")
    for one in report["instants"]:
        seconds = [
            one[f"{part}_s"] for part in ("penumbra_start", "umbra_start", "umbra_end", "penumbra_end")
        ]
        cells = ["-" if t is None else f"{t:.3f}" for t in seconds]
        table.add_row(*cells, *([one["penumbra_start"]] if dated else []))
    console.print(table)


def _draw(path: Path, report: dict[str, Any]) -> None:
    """Illumination over the time from before the first eclipse until after the last."""
    edges = [one[f"penumbra_{end}_s"] for one in report["instants"] for end in ("start", "end")]
    t = np.linspace(min([0.0, *edges]), max([report["period_s"], *edges]), _CHART_POINTS)
    with chart(path) as axes:
        axes.plot(t / 60, _lit(report, t))
        axes.set(
            xlabel=f"minutes from {report['zero']}",
            ylabel="visible part of the Sun's disc",
            ylim=(-0.05, 1.05),
        )
        axes.set_title(f"{report['altitude_km']:g} km, beta {report['beta_deg']:.2f} deg")


def _lit(report: dict[str, Any], t_s: np.ndarray[Any, np.dtype[np.float64]]) -> Any:
    if "epoch" in report:
        epoch = datetime.fromisoformat(report["epoch"])
        orbit = CircularOrbit(
            *(report[key] for key in ("altitude_km", "inclination_deg", "raan_deg", "anomaly_deg"))
        )
        return illumination(orbit.position_km(t_s), sun_direction(epoch, t_s), sun_distance_km(epoch, t_s))
    turn, beta = 2 * np.pi * t_s / report["period_s"], np.radians(report["beta_deg"])
    circle = np.stack([np.cos(turn), np.sin(turn), 0 * turn], axis=-1)
    return illumination(
        (EARTH_RADIUS_KM + report["altitude_km"]) * circle, np.array([np.cos(beta), 0.0, np.sin(beta)])
    )
