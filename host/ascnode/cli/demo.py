"""`ascnode demo`: four boards of real firmware in a full shell, through one orbit, answering queries."""

from pathlib import Path
from typing import Annotated

import typer

from ascnode.cli.board_options import BoardKind, Uf2File
from ascnode.cli.run import (
    AcceleratorOption,
    JsonFile,
    NoBoards,
    PlotFile,
    RecordFile,
    Seed,
    fly,
    prepared,
    runtime_of,
)
from ascnode.scenario.scenario import load, ready_made


def demo(
    scenario: Annotated[
        Path | None, typer.Option(help="Scenario file (TOML) to fly instead of the demo's.")
    ] = None,
    seed: Seed = None,
    json_file: JsonFile = None,
    record: RecordFile = None,
    no_boards: NoBoards = False,
    accelerator: AcceleratorOption = None,
    plot: PlotFile = None,
    board: BoardKind = "virtual",
    uf2: Uf2File = None,
) -> None:
    """Fly boards of real firmware in a full shell through one orbit and let ground users ask them."""
    flown = prepared(load(scenario or ready_made("demo")), seed, no_boards, accelerator)
    fly(flown, record, json_file, plot, runtime_of(flown, board, uf2))
