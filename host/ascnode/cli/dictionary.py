"""`ascnode dictionary export`: telecommands, telemetry, events and parameters for other ground systems."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from ascnode.cli.sky_common import parse_epoch
from ascnode.errors import AscnodeError
from ascnode.ground.tables import csv_table, markdown
from ascnode.ground.xtce import xtce

app = typer.Typer(no_args_is_help=True, help="Telecommands, telemetry, events and parameters, exported.")


@app.callback()
def _dictionary() -> None:
    """Telecommands, telemetry, events and parameters, exported."""


@app.command()
def export(
    as_xtce: Annotated[bool, typer.Option("--xtce", help="XTCE 1.2, with calibrations and alarms.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="A row a field, with units and limits.")] = False,
    as_md: Annotated[bool, typer.Option("--md", help="Markdown: docs/dictionary.md.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; without it, standard output.")
    ] = None,
    power_scale: Annotated[
        int,
        typer.Option(min=0, max=20, help="The nodes' k: power words are 2^k mW (a run's record has it)."),
    ] = 0,
    epoch: Annotated[
        str | None, typer.Option(help="Where the nodes' time counts from, such as 2026-03-20T12:00:00Z.")
    ] = None,
) -> None:
    """Write the dictionary in one of three forms."""
    forms: list[Callable[[], str]] = [
        form
        for wanted, form in (
            (as_xtce, lambda: xtce(power_scale, _instant(epoch))),
            (as_csv, lambda: csv_table(power_scale)),
            (as_md, markdown),
        )
        if wanted
    ]
    if len(forms) != 1:
        raise AscnodeError("name one form: --xtce, --csv or --md")
    text = forms[0]()
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")


def _instant(text: str | None) -> str:
    return f"{parse_epoch(text):%Y-%m-%dT%H:%M:%S}Z" if text else ""
