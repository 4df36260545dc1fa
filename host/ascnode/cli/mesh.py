"""`ascnode mesh`: routes between places over a constellation, and figures of a whole mesh."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any

import numpy as np
import typer
from rich.table import Table

from ascnode.cli import mesh_options as options
from ascnode.cli.mesh_plots import plot_rtt, plot_survey
from ascnode.cli.sky_common import (
    ConstellationText,
    Json,
    Plot,
    iso,
    one_sentence,
    open_console,
    print_json,
)
from ascnode.errors import ScenarioError
from ascnode.mesh.fibre import fibre_rtt_ms, rtt_ms
from ascnode.mesh.large import Route, find_route
from ascnode.mesh.network import Network
from ascnode.mesh.outages import Outages
from ascnode.mesh.survey import Survey, quantiles, survey
from ascnode.mesh.topology import laser_mesh
from ascnode.sky.cities import load_cities
from ascnode.sky.places import place
from ascnode.sky.stations import Station

app = typer.Typer(help="Laser links and routes of a constellation.", no_args_is_help=True)
_SCHEMA = 1
_MOST_SHOWN = 24
_SHARES = (0.05, 0.5, 0.95, 0.99)


@app.command()
def route(
    constellation: ConstellationText,
    source: Annotated[str, typer.Option("--from", help="CITY or LAT,LON.", metavar="PLACE")],
    target: Annotated[str, typer.Option("--to", help="CITY or LAT,LON.", metavar="PLACE")],
    epoch: options.EpochText = None,
    duration: options.Duration = 0.0,
    step: options.Step = 1.0,
    max_gsl_km: options.MaxGslKm = None,
    min_elevation_deg: options.MinElevationDeg = None,
    links: options.LinkLayout = None,
    isl_offset: options.IslOffset = None,
    max_isl_km: options.MaxIslKm = None,
    grazing_altitude_km: options.GrazingAltitudeKm = 80.0,
    terminals: options.Terminals = 4,
    acquisition_s: options.AcquisitionS = 12.0,
    phasing: options.PhasingChoice = options.Phasing.WALKER,
    outage_share: options.OutageShare = 0.0,
    seed: options.Seed = 0,
    as_json: Json = False,
    plot: Plot = None,
) -> None:
    """Print the shortest path between two places, and its round-trip time, over time."""
    with one_sentence():
        chosen = options.choose(constellation, epoch, phasing)
        rules = options.link_rules(max_isl_km, grazing_altitude_km, terminals, acquisition_s)
        outages = Outages(random_share=outage_share, seed=seed)
        mesh = laser_mesh(chosen.satellites, rules, links, isl_offset, outages)
        ground = options.ground_rules(max_gsl_km, min_elevation_deg)
        ends = (place(source), place(target))
        if (ends[0].latitude_deg, ends[0].longitude_deg) == (ends[1].latitude_deg, ends[1].longitude_deg):
            raise ScenarioError(f"--from and --to are both {source}: a route has two ends")
        network = Network(chosen.satellites, mesh, ends, chosen.epoch, ground)
        times_s = options.times(duration, step)
        routes = [find_route(network.at(t_s), 0, 1) for t_s in options.progress(times_s, "routing")]
        report = _route_report(chosen, ends, times_s, routes)
        if plot is not None:
            plot_rtt(plot, report)
        if as_json:
            print_json(report)
        else:
            _print_route(report)


def _route_report(
    chosen: options.Chosen, ends: tuple[Station, Station], times_s: list[float], routes: list[Route]
) -> dict[str, Any]:
    paths = [one.path for one in routes]
    steps = [
        {
            "t_s": t_s,
            "rtt_ms": float(rtt_ms(one.length_km)) if one.path else None,
            "length_km": one.length_km if one.path else None,
            "path": one.path,
        }
        for t_s, one in zip(times_s, routes, strict=True)
    ]
    return {
        "schema": _SCHEMA,
        "constellation": chosen.satellites.name,
        "satellites": chosen.satellites.count,
        "epoch": iso(chosen.epoch, 0.0),
        "from": _end(ends[0]),
        "to": _end(ends[1]),
        "fibre_rtt_ms": float(fibre_rtt_ms(ends)[0, 1]),
        "path_changes": sum(a != b for a, b in pairwise(paths)),
        "steps_without_route": sum(not path for path in paths),
        "steps": steps,
    }


def _end(station: Station) -> dict[str, Any]:
    return {
        "name": station.name,
        "latitude_deg": station.latitude_deg,
        "longitude_deg": station.longitude_deg,
        "height_m": station.height_m,
    }


def _print_route(report: dict[str, Any]) -> None:
    title = f"{report['from']['name']} to {report['to']['name']} over {report['constellation']}, {report['epoch']}"
    table = Table(title=title, title_justify="left")
    for name in ("t s", "RTT ms", "length km", "satellites"):
        table.add_column(name, justify="right")
    table.add_column("path")
    for step in report["steps"]:
        path = _listed(step["path"])
        figures = [f"{step['rtt_ms']:.3f}", f"{step['length_km']:,.1f}"] if step["path"] else ["none", ""]
        table.add_row(f"{step['t_s']:g}", *figures, str(len(step["path"])), path)
    console = open_console()
    console.print(table)
    console.print(
        f"{report['path_changes']} changes of path, {report['steps_without_route']} of {len(report['steps'])} steps "
        f"without a route; fibre along the great circle: {report['fibre_rtt_ms']:.1f} ms"
    )


def _listed(path: list[int]) -> str:
    """A long path by its ends; JSON has all of it."""
    names = [str(satellite) for satellite in path]
    return " ".join(names if len(names) <= _MOST_SHOWN else [*names[:4], "...", *names[-4:]])


@app.command()
def stats(
    constellation: ConstellationText,
    epoch: options.EpochText = None,
    duration: options.Duration = 0.0,
    step: options.Step = 10.0,
    max_gsl_km: options.MaxGslKm = None,
    min_elevation_deg: options.MinElevationDeg = None,
    links: options.LinkLayout = None,
    isl_offset: options.IslOffset = None,
    max_isl_km: options.MaxIslKm = None,
    grazing_altitude_km: options.GrazingAltitudeKm = 80.0,
    terminals: options.Terminals = 4,
    acquisition_s: options.AcquisitionS = 12.0,
    phasing: options.PhasingChoice = options.Phasing.WALKER,
    outage_share: options.OutageShare = 0.0,
    seed: options.Seed = 0,
    cities: Annotated[int, typer.Option(min=2, help="How many cities, largest first.")] = 100,
    as_json: Json = False,
    plot: Plot = None,
) -> None:
    """Print figures of the mesh: links, and delays and paths between the large cities."""
    with one_sentence():
        chosen = options.choose(constellation, epoch, phasing)
        options.check_tables(chosen.satellites.count)
        rules = options.link_rules(max_isl_km, grazing_altitude_km, terminals, acquisition_s)
        outages = Outages(random_share=outage_share, seed=seed)
        mesh = laser_mesh(chosen.satellites, rules, links, isl_offset, outages)
        ground = options.ground_rules(max_gsl_km, min_elevation_deg)
        network = Network(chosen.satellites, mesh, load_cities()[:cities], chosen.epoch, ground)
        found = survey(network, options.progress(options.times(duration, step), "surveying"))
        if plot is not None:
            plot_survey(plot, found, chosen.satellites.name)
        report = _survey_report(chosen, found)
        if as_json:
            print_json(report)
        else:
            _print_survey(report)


def _survey_report(chosen: options.Chosen, found: Survey) -> dict[str, Any]:
    reached = np.isfinite(found.rtt_ms)
    hops = np.where(reached, found.hops, np.nan).astype(np.float64)
    return {
        "schema": _SCHEMA,
        "constellation": chosen.satellites.name,
        "satellites": chosen.satellites.count,
        "epoch": iso(chosen.epoch, 0.0),
        "steps": len(found.rtt_ms),
        "links": found.links[-1],
        "links_down": found.down[-1],
        "satellites_by_links": found.degree.tolist(),
        "link_km": _spread(found.length_km),
        "pairs": len(found.pairs),
        "pairs_without_route": int(np.count_nonzero(~reached[-1])),
        "rtt_ms": _spread(found.rtt_ms),
        "fibre_rtt_ms": _spread(found.fibre_ms),
        "rtt_over_fibre": _spread(found.rtt_ms / found.fibre_ms),
        "faster_than_fibre": float(np.mean((found.rtt_ms < found.fibre_ms)[reached]))
        if reached.any()
        else None,
        "path_satellites": _spread(hops),
        "path_changes_per_pair": float(np.mean(found.changed)),
    }


def _spread(values: Any) -> dict[str, float] | None:
    if not np.isfinite(values).any():
        return None
    names: Iterator[str] = (f"p{100 * share:g}" for share in _SHARES)
    return dict(zip(names, quantiles(values, _SHARES), strict=True))


def _print_survey(report: dict[str, Any]) -> None:
    console = open_console()
    console.print(
        f"{report['constellation']}, {report['epoch']}: {report['satellites']:,} satellites, {report['links']:,} links "
        f"(not up: {', '.join(f'{n} {cause}' for cause, n in report['links_down'].items())})"
    )
    degrees = (f"{n} have {d}" for d, n in enumerate(report["satellites_by_links"]) if n)
    console.print(f"links a satellite: {', '.join(degrees)}")
    table = Table(title=f"{report['pairs']:,} pairs of cities, {report['steps']} steps", title_justify="left")
    for name in ("", *(f"p{100 * share:g}" for share in _SHARES)):
        table.add_column(name, justify="right")
    for name, key in (
        ("RTT ms", "rtt_ms"),
        ("fibre on the great circle ms", "fibre_rtt_ms"),
        ("RTT / fibre", "rtt_over_fibre"),
        ("satellites on the path", "path_satellites"),
        ("link km", "link_km"),
    ):
        spread = report[key]
        table.add_row(
            name, *(f"{value:,.2f}" for value in spread.values()) if spread else ["none"] * len(_SHARES)
        )
    console.print(table)
    console.print(
        f"{report['pairs_without_route']} pairs without a route at the end; "
        f"{report['path_changes_per_pair']:.2f} changes of path a pair"
    )
