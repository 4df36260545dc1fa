"""`ascnode report`: a run's story as one HTML file."""

import os
import webbrowser
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ascnode.errors import AscnodeError
from ascnode.record.reader import open_record
from ascnode.report.facts import gather
from ascnode.report.page import page


def report(
    run: Annotated[Path, typer.Argument(help="The run's record.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; by default beside the record.")
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Write the story of a run as one HTML file that needs nothing else."""
    path = output or run.with_suffix(".html")
    console = Console()
    with open_record(run) as reader, console.status(f"Reading {run}"):
        text = page(gather(reader))
        _write(path, text)
    console.print(f"{path}: {len(text.encode()) / 1000:,.0f} kB", highlight=False, soft_wrap=True)
    if show and not webbrowser.open(path.absolute().as_uri()):
        raise AscnodeError(f"no browser was found: open {path} yourself")


def _write(path: Path, text: str) -> None:
    # Whole or not at all.
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
