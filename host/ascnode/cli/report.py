"""`ascnode report`: a run's story as one HTML file."""

import os
import webbrowser
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from ascnode.cli.runs import Run as RunArgument
from ascnode.cli.runs import opened
from ascnode.cli.sky_common import open_console
from ascnode.errors import AscnodeError
from ascnode.report.facts import gather
from ascnode.report.page import page


def report(
    run: RunArgument,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; by default beside the record.")
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Write the story of a run as one HTML file that needs nothing else."""
    console = open_console()
    with opened(run) as reader, console.status(escape(f"Reading {reader.path}")):
        path = output or reader.path.with_suffix(".html")
        text = page(gather(reader))
        _write(path, text)
    console.print(
        f"{path}: {len(text.encode()) / 1000:,.0f} kB", highlight=False, markup=False, soft_wrap=True
    )
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
