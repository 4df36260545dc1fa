"""What the `ascnode sky` commands share: epochs, JSON, charts, and errors as one sentence."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from ascnode.errors import AscnodeError, StoppedError

DEFAULT_EPOCH = datetime(2026, 3, 20, 12, tzinfo=UTC)  # the demo's: a run without --epoch can be repeated
_FILE_COLUMNS = 200
_LONGEST_S = 1e8

ConstellationText = Annotated[
    str,
    typer.Option(
        "--constellation",
        metavar="NAME|CODE|FILE",
        help="A ready-made name, a code such as D:550:53.0:1584/72/39, or a file of TLE or OMM element sets.",
    ),
]
PlaceText = Annotated[
    str,
    typer.Option("--from", metavar="CITY|LAT,LON", help="Where it is looked from; degrees, or a large city."),
]
EpochText = Annotated[
    str | None,
    typer.Option(
        "--epoch",
        metavar="ISO|now",
        help="Start, as 2026-03-20T12:00:00Z (UTC without a zone). Without it 2026-03-20T12:00Z, or the newest "
        "element set's epoch.",
    ),
]
MinElevation = Annotated[float, typer.Option("--min-elevation-deg", help="Lowest elevation that counts.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Plot = Annotated[
    Path | None, typer.Option("--plot", metavar="FILE", help="Draw a chart into this file, .png or .svg.")
]


def open_console() -> Console:
    """Tables go to files and pipes whole, however narrow the terminal is."""
    console = Console()
    return console if console.is_terminal else Console(width=_FILE_COLUMNS)


@contextmanager
def one_sentence() -> Iterator[None]:
    """Turns what the sky refuses, and Ctrl-C, into the command's one sentence."""
    try:
        yield
    except ValueError as error:
        raise AscnodeError(str(error)) from None
    except KeyboardInterrupt:
        raise StoppedError("stopped by Ctrl-C") from None


def parse_epoch(text: str | None, default: datetime = DEFAULT_EPOCH) -> datetime:
    """A UTC instant. AscnodeError for what is none, or lies outside the years that the Sun is good for."""
    if text is None:
        return default
    if text == "now":
        return datetime.now(UTC).replace(microsecond=0)
    try:
        instant = datetime.fromisoformat(text)
        instant = instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise AscnodeError(f"{text!r} is no instant: write --epoch as 2026-03-20T12:00:00Z, or now") from None
    if not 1950 <= instant.year < 2100:
        raise AscnodeError(f"--epoch lies in the year {instant.year}: the sky is good for 1950 to 2099")
    return instant


def check_duration(seconds: float) -> None:
    """AscnodeError for a window that is empty, or too long to look at in one go."""
    if not 0 < seconds <= _LONGEST_S:
        raise AscnodeError(
            f"--duration is {seconds:g} s: it lies above 0 and up to {_LONGEST_S:g} (three years)"
        )


def iso(epoch: datetime, t_s: float) -> str:
    """The instant t_s after the epoch, to a millisecond."""
    return (epoch + timedelta(seconds=t_s)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def print_json(values: dict[str, Any]) -> None:
    """To standard output, and nothing else with it."""
    typer.echo(json.dumps(values, indent=2, allow_nan=False))


@contextmanager
def chart(path: Path, **axes: Any) -> Iterator[Any]:
    """Axes to draw on, saved to `path` at the end. AscnodeError without matplotlib, or for another suffix."""
    if path.suffix not in (".png", ".svg"):
        raise AscnodeError(f"{path}: a chart is written as .png or .svg")
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise AscnodeError("charts need matplotlib: pip install 'ascnode[plot]'") from None
    figure = Figure(figsize=(8, 6), layout="constrained")
    yield figure.add_subplot(**axes)
    try:
        figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix == ".svg" else None)
    except OSError as error:
        raise AscnodeError(f"{path}: {error.strerror}") from None


def as_sky_chart(axes: Any, title: str, min_elevation_deg: float) -> None:
    """Polar axes as the sky looks from below: north up, east to the left, the zenith in the middle."""
    axes.set_theta_zero_location("N")
    axes.set_rlim(90, 0)
    axes.set_yticks([0, 30, 60], labels=["0°", "30°", "60°"])
    axes.set_xticks([0, 1.5707963, 3.1415927, 4.712389], labels=["N", "E", "S", "W"])
    axes.plot([i * 0.06283185 for i in range(101)], [min_elevation_deg] * 101, "--", color="grey", lw=0.8)
    axes.set_title(title)
