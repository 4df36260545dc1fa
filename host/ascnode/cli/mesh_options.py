"""What the `ascnode mesh` commands share: their options, and what these mean."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from ascnode.cli.sky_common import parse_epoch
from ascnode.cli.sky_passes import newest_epoch
from ascnode.errors import ScenarioError
from ascnode.mesh.ground import GroundRules
from ascnode.mesh.links import LinkRules
from ascnode.mesh.topology import Layout, alternating
from ascnode.sky.constellation import Constellation, constellation
from ascnode.sky.elements import ElementSets

SHELL_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # that of published path traces of generated shells
_MOST_STEPS = 1_000_000
_MOST_IN_TABLES = 100_000


class Phasing(StrEnum):
    """walker: as the code says; alternating: every second plane half a slot ahead."""

    WALKER = "walker"
    ALTERNATING = "alternating"


EpochText = Annotated[
    str | None,
    typer.Option(
        "--epoch",
        help="UTC, as in 2026-03-20T12:00:00Z; by default 2000-01-01T00:00:00Z, for element sets their latest.",
        metavar="ISO|now",
    ),
]
Duration = Annotated[float, typer.Option(min=0, help="Seconds after the epoch, both ends included.")]
Step = Annotated[float, typer.Option(help="Seconds between instants.")]
MaxGslKm = Annotated[
    float | None,
    typer.Option(help="Longest ground link; alone, it is the only limit: the horizon is not looked at."),
]
MinElevationDeg = Annotated[
    float | None,
    typer.Option(help="Least elevation of a ground link; 25 when --max-gsl-km is not given either."),
]
LinkLayout = Annotated[
    Layout | None,
    typer.Option(help="Which lasers; by default grid, or nearest for element sets that show no even planes."),
]
IslOffset = Annotated[
    int | None,
    typer.Option(
        help="Slots to add from a plane to the next, at the seam too; by default the neighbour nearest in phase."
    ),
]
MaxIslKm = Annotated[
    float | None, typer.Option(help="Longest laser link; by default only the Earth limits it.")
]
GrazingAltitudeKm = Annotated[float, typer.Option(help="How high above 6378.137 km every laser stays.")]
Terminals = Annotated[int, typer.Option(min=0, help="Laser terminals of a satellite.")]
AcquisitionS = Annotated[float, typer.Option(min=0, help="Seconds until a link that re-forms carries data.")]
PhasingChoice = Annotated[Phasing, typer.Option(help="How the planes of a shell lie to each other.")]
OutageShare = Annotated[
    float, typer.Option(min=0, max=1, help="Share of lasers out in any minute, at random.")
]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the outages.")]


@dataclass(frozen=True)
class Chosen:
    """The constellation that was named, and when."""

    satellites: Constellation | ElementSets
    epoch: datetime


def choose(text: str, epoch: str | None, phasing: Phasing) -> Chosen:
    """Raises ScenarioError for what cannot be."""
    satellites = constellation(text, parse_epoch(epoch, SHELL_EPOCH))
    if isinstance(satellites, ElementSets):
        if phasing == Phasing.ALTERNATING:
            raise ScenarioError("--phasing lays out shells: element sets are where they are")
        return Chosen(satellites, parse_epoch(epoch, newest_epoch(satellites)))
    if phasing == Phasing.ALTERNATING:
        satellites = alternating(satellites)
    return Chosen(satellites, parse_epoch(epoch, SHELL_EPOCH))


def link_rules(
    max_isl_km: float | None, grazing_altitude_km: float, terminals: int, acquisition_s: float
) -> LinkRules:
    """Raises ValueError for a limit that makes no sense."""
    longest_km = math.inf if max_isl_km is None else _length("--max-isl-km", max_isl_km)
    return LinkRules(longest_km, grazing_altitude_km, terminals, acquisition_s)


def ground_rules(max_gsl_km: float | None, min_elevation_deg: float | None) -> GroundRules:
    """25 deg without any limit; a range alone is the only limit. Raises ValueError."""
    if max_gsl_km is None and min_elevation_deg is None:
        return GroundRules()
    return GroundRules(min_elevation_deg, None if max_gsl_km is None else _length("--max-gsl-km", max_gsl_km))


def _length(option: str, km: float) -> float:
    if not km > 0:
        raise ScenarioError(f"{option} is {km:g}: a link has a length")
    return km


def check_tables(satellites: int) -> None:
    """Raises ScenarioError where the tables of all routes would not fit."""
    if satellites > _MOST_IN_TABLES:
        raise ScenarioError(
            f"{satellites:,} satellites: tables of all routes are kept up to {_MOST_IN_TABLES:,}; "
            "`ascnode mesh route` finds single routes at any size"
        )


def times(duration_s: float, step_s: float) -> list[float]:
    """0, step_s, ... up to and including duration_s. Raises ScenarioError."""
    if not 0 < step_s < math.inf:
        raise ScenarioError(f"--step is {step_s}: it is above 0")
    if not duration_s / step_s < _MOST_STEPS:
        raise ScenarioError(
            f"--duration {duration_s:g} in steps of {step_s:g} s is more than {_MOST_STEPS:,} steps"
        )
    return [i * step_s for i in range(int(duration_s / step_s + 1e-9) + 1)]


def progress(times_s: list[float], what: str) -> Iterable[float]:
    """The same instants, with a bar on a terminal's standard error."""
    console = Console(stderr=True)
    return track(
        times_s, what, console=console, transient=True, disable=not console.is_terminal or len(times_s) < 2
    )
