"""`ascnode runs`: the records of runs: which there are, what they say, how two differ, and as files for other tools."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, TaskID
from rich.table import Table

from ascnode.cli.sky_common import open_console, print_json
from ascnode.errors import AscnodeError, RecordError, StoppedError
from ascnode.record.catalogue import FOLDER, find_record, records
from ascnode.record.difference import Comparison, compare
from ascnode.record.export import check_parquet, write_csv, write_parquet
from ascnode.record.reader import Reader, open_record
from ascnode.record.sheets import Sheet, sheets
from ascnode.record.summary import headline, summary

_TOLD_EVERY = 20_000  # rows

app = typer.Typer(help="Records of runs: list, show, compare, export.", no_args_is_help=True)

Run = Annotated[
    str, typer.Argument(metavar="RUN", help="A record's path, its name (demo-0003) or its number (3).")
]
Folder = Annotated[Path, typer.Option("--folder", help="Where runs are recorded.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


@contextmanager
def opened(run: str, folder: Path = FOLDER) -> Iterator[Reader]:
    """The record that RUN means. Ctrl-C ends in StoppedError."""
    try:
        with open_record(find_record(run, folder)) as reader:
            yield reader
    except KeyboardInterrupt:
        raise StoppedError("stopped by Ctrl-C") from None


@app.command("list")
def list_runs(folder: Folder = FOLDER, as_json: Json = False) -> None:
    """Runs that were recorded, the newest first."""
    lines: list[dict[str, Any]] = []
    broken: list[str] = []
    for path in records(folder):
        try:
            with open_record(path) as reader:
                lines.append(headline(reader))
        except RecordError as e:
            broken.append(str(e))
    if as_json:
        print_json({"runs": lines, "unreadable": broken})
        return
    console = open_console()
    if not lines and not broken:
        console.print(f"No runs in {folder}/: `ascnode demo` makes one", highlight=False)
        return
    console.print(_listed(lines))
    for sentence in broken:
        console.print(escape(sentence), highlight=False)


def _listed(lines: list[dict[str, Any]]) -> Table:
    table = _table(
        "name", "started", "simulated s", "satellites", "boards", "answered", "verdict", "state", "MB"
    )
    for one in lines:
        flown = f"{one['flown_s']:,.0f}"
        if one["state"] != "whole" and one["length_s"] > one["flown_s"]:
            flown += f" of {one['length_s']:,.0f}"
        table.add_row(
            escape(one["name"]),
            (one["started"] or "").replace("T", " ").removesuffix("+00:00"),
            *(flown, _number(one["satellites"]), _number(one["boards"])),
            f"{one['queries_answered']:,} of {one['queries_sent']:,}",
            *(one["verdict"], one["state"], f"{one['bytes'] / 1e6:.1f}"),
        )
    return table


@app.command()
def show(run: Run, folder: Folder = FOLDER, as_json: Json = False) -> None:
    """What a record says, after its whole file has been checked."""
    console = open_console()
    with opened(run, folder) as reader, console.status("reading the whole record"):
        reader.check()
        values = summary(reader)
    if as_json:
        print_json(values)
    else:
        _show(console, values)


def _show(console: Console, values: dict[str, Any]) -> None:
    console.print(_head(values))
    if values["board_rows"]:
        table = _table("board", "satellite", "kind", "chip", "firmware", "frames", "packets")
        for one in values["board_rows"]:
            counts = f"{one['frames']:,}", f"{one['packets']:,}"
            table.add_row(
                *(escape(one["name"]), str(one["satellite"]), one["kind"], one["unique_id"], one["version"]),
                *counts,
            )
        console.print(table)
    for title in ("causes", "events", "faults"):
        if values[title]:
            table = _table({"causes": "lost queries"}.get(title, title), "count")
            for name, count in values[title].items():
                table.add_row(escape(name), f"{count:,}")
            console.print(table)
    if values["measurements"]:
        console.print(_measurements(values["measurements"]))


def _head(values: dict[str, Any]) -> Table:
    table = Table(box=None, show_header=False)
    latency = "  ".join(f"{name} {value:.3g}" for name, value in values["latency_s"].items())
    versions = ", ".join(f"{name} {version}" for name, version in values["versions"].items() if version)
    for name, value in (
        ("run", f"{values['name']} ({values['path']})"),
        ("scenario", f"{values['scenario'] or 'not recorded'}, seed {values['seed']}"),
        ("started", f"{values['started'] or 'not recorded'}"),
        ("simulated", f"{values['flown_s']:,.0f} of {values['length_s']:,.0f} s: {values['state']}"),
        ("constellation", f"{_number(values['satellites'])} satellites, {values['boards']} boards"),
        ("queries", _queries(values)),
        ("latency, s", latency or "no answers"),
        ("verdict", values["verdict"] or "none: the run did not end"),
        ("record", f"{values['bytes'] / 1e6:.1f} MB, schema {values['schema']}, sound"),
        ("digest", values["record_sha256"] or "not taken: the run did not end"),
        ("versions", versions or "not recorded"),
    ):
        table.add_row(name, escape(value))
    return table


def _queries(values: dict[str, Any]) -> str:
    lost = sum(values["causes"].values())
    return (
        f"{values['queries_sent']:,} sent, {values['queries_answered']:,} answered ({values['queries_late']:,} late), "
        f"{lost:,} lost, {values['queries_under_way']:,} under way"
    )


def _measurements(rows: list[dict[str, Any]]) -> Table:
    table = _table("measurement", "value", "unit", "least", "most", "outcome")
    for one in rows:
        limits = ("" if one[key] is None else f"{one[key]:.6g}" for key in ("low", "high"))
        table.add_row(one["name"], f"{one['value']:.6g}", one["unit"], *limits, one["outcome"])
    return table


@app.command()
def diff(
    a: Annotated[str, typer.Argument(metavar="A", help="A record, as RUN elsewhere.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Another one.")],
    folder: Folder = FOLDER,
    as_json: Json = False,
) -> None:
    """Name the first difference of two runs: which node, step, field, values. Status 1 when they differ."""
    console = open_console()
    with opened(a, folder) as one, opened(b, folder) as other, console.status("comparing"):
        comparison = compare(one, other)
    if as_json:
        print_json({"same": comparison.same, **vars(comparison)})
    else:
        _told(console, comparison)
    if not comparison.same:
        raise typer.Exit(1)


def _told(console: Console, comparison: Comparison) -> None:
    lines = [f"input: {line}" for line in comparison.inputs]
    lines += [f"made with: {line}" for line in comparison.versions]
    for line in lines:
        console.print(escape(line), highlight=False, soft_wrap=True)
    if comparison.first:
        console.print(escape(f"first difference, {comparison.first}"), highlight=False, soft_wrap=True)
    if comparison.same:
        counts = ", ".join(f"{count:,} {table}" for table, count in comparison.compared.items())
        console.print(f"the same ({counts})", highlight=False)


@app.command()
def export(
    run: Run,
    csv: Annotated[Path | None, typer.Option("--csv", metavar="DIR", help="Write CSV files there.")] = None,
    parquet: Annotated[
        Path | None, typer.Option("--parquet", metavar="DIR", help="Write Parquet files there.")
    ] = None,
    folder: Folder = FOLDER,
) -> None:
    """Write a record's tables, one a file, with units in the columns' names; telemetry one file a kind of packet."""
    if (csv is None) == (parquet is None):
        raise AscnodeError("name one of --csv DIR and --parquet DIR")
    if parquet is not None:
        check_parquet()
    into = csv or parquet
    assert into is not None  # one of them is
    into.mkdir(parents=True, exist_ok=True)
    console = open_console()
    with opened(run, folder) as reader, Progress(console=console, transient=True) as progress:
        all_sheets = list(sheets(reader))
        task = progress.add_task("exporting", total=len(all_sheets))
        for sheet in all_sheets:
            rows = _watched(sheet, progress, task)
            count = (write_csv if csv else write_parquet)(replace(sheet, rows=rows), into)
            if count:
                console.print(f"{sheet.name}: {count:,} rows", highlight=False)
            progress.advance(task)


def _watched(sheet: Sheet, progress: Progress, task: TaskID) -> Iterator[Sequence[Any]]:
    progress.update(task, description=sheet.name)
    for count, row in enumerate(sheet.rows, 1):
        if count % _TOLD_EVERY == 0:
            progress.update(task, description=f"{sheet.name}: {count:,} rows")
        yield row


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, header_style="dim")
    table.add_column(first)
    for name in others:
        left = name in ("started", "verdict", "state", "kind", "chip", "firmware", "unit", "outcome")
        table.add_column(name, justify="left" if left else "right")
    return table


def _number(value: int | None) -> str:
    return "?" if value is None else f"{value:,}"
