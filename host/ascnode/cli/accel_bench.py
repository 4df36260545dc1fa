"""`ascnode accel bench`: cycles of whole models, beside their bound, the goal and what others have published."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich import box
from rich.table import Table

from ascnode.cli.accel_common import CLOCK_MHZ, one_sentence, open_console, read_file, save_json
from ascnode_gateware.compiler import compile_file
from ascnode_gateware.program.program import Int8, Program
from ascnode_gateware.program.timing import predict_program
from ascnode_gateware.program.timing_model import StreamSource
from ascnode_gateware.sim.build import build_accelerator, cache_folder
from ascnode_gateware.sim.report import MACS_PER_CYCLE, RunReport
from ascnode_gateware.sim.simulator import QUAD_FLASH_CYCLES_PER_WORD, Simulator

_SEED = 1
_MLPERF_TINY = Path("../shared/data/mlperf_tiny")
_DIGITS = Path(__file__).resolve().parents[1] / "models" / "data" / "digits.tflite"
_FULL_RING = StreamSource(cycles_per_word=1e-6)  # the stream is never waited for, nor takes its bank


@dataclass(frozen=True)
class Published:
    """MLPerf Tiny v1.2 results, ms an inference, of a Cortex-M4 at 120 MHz, a Cortex-M0+ at 64 MHz, an NDP120 at
    30 MHz; and the goal here, cycles with the stream never waited for, and ms with it."""

    name: str
    cortex_m4_ms: float | None
    cortex_m0_ms: float | None
    ndp120_ms: float | None
    goal_cycles: int
    goal_ms: float


# By MACs, which tell these models apart whatever their files are called.
PUBLISHED = {
    2_656_768: Published("KWS DS-CNN", 43.2, 475, 4.37, 250_000, 10.4),
    12_501_632: Published("IC ResNet-8", 165, 1522, 15.97, 910_000, 38),
    7_489_664: Published("VWW MobileNetV1 0.25", 88.9, 1414, 12.7, 770_000, 32),
    264_192: Published("AD autoencoder", 5.26, 40.9, None, 75_000, 25),
    826_368: Published("streaming wake word", None, None, None, 75_000, 75 / CLOCK_MHZ),
}
_NONE = Published("", None, None, None, 0, 0)


@dataclass(frozen=True)
class _Row:
    program: Program
    flash: RunReport  # with the stream at a quad flash's rate

    @property
    def engine_cycles(self) -> int:
        """With all weights there before: as measured, or predicted where they do not fit the memory."""
        streams = self.program.stream_blocks > 0
        return predict_program(self.program, _FULL_RING).cycles if streams else self.flash.cycles


def bench(
    models: Annotated[
        list[Path] | None, typer.Argument(help="int8 .tflite models; by default those at hand.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write the table to this JSON file.")] = None,
    clock_mhz: Annotated[float, typer.Option(min=0.001, help="Clock for times.")] = CLOCK_MHZ,
) -> None:
    """Measure whole models on the simulated accelerator."""
    console = open_console()
    with one_sentence():
        paths = models or found_models()
        programs = [_compile(path) for path in paths]
        with console.status("building the simulator"):
            executable = build_accelerator(cache_folder())
        rows = []
        for program in programs:
            with console.status(f"running {program.name}"):
                rows.append(_measure(executable, program))
    console.print(_table(rows, clock_mhz), highlight=False)
    console.print(
        "Measured on the simulated accelerator, but the engine cycles of a model that streams, which are predicted "
        "as if its weights were there before; other columns: MLPerf Tiny v1.2 results.",
        highlight=False,
    )
    if report:
        save_json(report, {"engine": "rtl", "models": [_values(row, clock_mhz) for row in rows]})


def found_models() -> list[Path]:
    """MLPerf Tiny's, where the checkout has them beside it, and the project's own."""
    return [*sorted(_MLPERF_TINY.glob("*.tflite")), _DIGITS]


def _compile(path: Path) -> Program:
    read_file(path)
    return compile_file(path)


def _measure(executable: Path, program: Program) -> _Row:
    with Simulator(executable, cycles_per_word=QUAD_FLASH_CYCLES_PER_WORD) as simulator:
        simulator.load(program)
        return _Row(program, simulator.run(_inputs(program))[1])


def _inputs(program: Program) -> Int8:
    """Cycles do not depend on data: one seeded input is enough."""
    shape = (1, *program.input.shape[1:])
    return np.random.default_rng(_SEED).integers(-128, 128, shape, dtype=np.int8)


def _table(rows: Sequence[_Row], clock_mhz: float) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("model")
    names = ("MACs", "bound", "engine cycles", "goal", "with flash", f"ms at {clock_mhz:g} MHz", "goal ms")
    for name in (*names, "streamed", "M4 120 MHz, ms", "M0+ 64 MHz, ms", "NDP120 30 MHz, ms"):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(*_cells(row, clock_mhz))
    return table


def _cells(row: _Row, clock_mhz: float) -> list[str]:
    known = PUBLISHED.get(row.flash.macs, _NONE)
    return [
        known.name or row.program.name,
        f"{row.flash.macs:,}",
        f"{_bound(row):,}",
        f"{row.engine_cycles:,}",
        f"{known.goal_cycles:,}" if known.goal_cycles else "",
        f"{row.flash.cycles:,}",
        f"{row.flash.milliseconds(clock_mhz):.2f}",
        f"{known.goal_ms:g}" if known.goal_ms else "",
        f"{row.flash.stream_bytes:,}",
        *(f"{ms:g}" if ms else "-" for ms in (known.cortex_m4_ms, known.cortex_m0_ms, known.ndp120_ms)),
    ]


def _bound(row: _Row) -> int:
    """Cycles of 16 MACs each."""
    return -(-row.flash.macs // MACS_PER_CYCLE)


def _values(row: _Row, clock_mhz: float) -> dict[str, Any]:
    known = PUBLISHED.get(row.flash.macs)
    return {
        "model": {
            "name": row.program.name,
            "id": f"{row.program.model_id:08x}",
            "macs": row.flash.macs,
        },
        "bound_cycles": _bound(row),
        "engine_cycles": row.engine_cycles,
        **row.flash.json(clock_mhz),
        "published": None if known is None else vars(known),
    }
