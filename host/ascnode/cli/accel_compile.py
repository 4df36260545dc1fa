"""`ascnode accel compile`: a model to a program file, with the table of what becomes of each layer."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ascnode.cli.accel_common import CLOCK_MHZ, one_sentence, open_console, read_file, save_json
from ascnode.cli.accel_tables import compile_table, constant_bytes
from ascnode.errors import AscnodeError
from ascnode.models.acc import acc_file
from ascnode_gateware.compiler import Options, compile_file
from ascnode_gateware.model.tflite_model import load_model
from ascnode_gateware.program.job import RING_BLOCK_WORDS
from ascnode_gateware.program.program import LANES, Program
from ascnode_gateware.program.timing import Prediction, predict_program
from ascnode_gateware.sim.report import LayerCycles, layer_cycles, share


class Stream(StrEnum):
    AUTO = "auto"
    NEVER = "never"
    ALWAYS = "always"


def compile_(
    model: Annotated[Path, typer.Argument(help="An int8 .tflite model.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Program file to write.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write the table to this JSON file.")] = None,
    stream: Annotated[Stream, typer.Option(help="Which weights come from flash.")] = Stream.AUTO,
) -> None:
    """Compile a model, and show where each layer lies and how long it should take."""
    with one_sentence():
        read_file(model)
        program = compile_file(model, options=Options(stream=stream.value))
        predicted = predict_program(program)
        layers = layer_cycles(program, predicted.layer_ends)
    console = open_console()
    console.print(compile_table(program, layers, predicted.cycles), highlight=False)
    console.print(_summary(program, predicted.cycles), highlight=False)
    if output:
        without = _write_program(output, program, model)
        console.print(_contents(output, program, without), highlight=False)
    if report:
        save_json(report, report_values(program, layers, predicted))


def _summary(program: Program, cycles: int) -> str:
    resident = LANES * sum(len(words) for words in program.segments.values())
    parts = [
        f"{cycles:,} cycles predicted, {cycles / CLOCK_MHZ / 1000:.2f} ms at {CLOCK_MHZ:g} MHz",
        f"{resident:,} bytes resident",
        f"{LANES * len(program.stream):,} bytes streamed through a ring of {program.ring_blocks} blocks"
        if program.stream_blocks
        else "nothing streamed",
    ]
    left = f"; left to a CPU: {', '.join(program.cpu_ops)}" if program.cpu_ops else ""
    return "; ".join(parts) + left


def report_values(program: Program, layers: tuple[LayerCycles, ...], predicted: Prediction) -> dict[str, Any]:
    """The JSON of docs/accel-cli.md."""
    macs = sum(layer.macs for layer in program.layers)
    rows = [
        {**asdict(layer), "cycles": taken.cycles, "utilisation": round(taken.utilisation, 4)}
        for layer, taken in zip(program.layers, layers, strict=True)
    ]
    return {
        "engine": "predicted",
        "model": {"name": program.name, "id": f"{program.model_id:08x}", "macs": macs},
        "cycles": predicted.cycles,
        "utilisation": round(share(macs, predicted.cycles), 4),
        "clock_mhz": CLOCK_MHZ,
        "milliseconds": round(predicted.cycles / CLOCK_MHZ / 1000, 4),
        "layers": rows,
        "constant_bytes": constant_bytes(program),
        "resident_bytes": LANES * sum(len(words) for words in program.segments.values()),
        "stream_bytes": LANES * len(program.stream),
        "ring_bytes": LANES * RING_BLOCK_WORDS * program.ring_blocks,
        "cpu_ops": list(program.cpu_ops),
    }


def _contents(path: Path, program: Program, no_cpu_model: str) -> str:
    """What the file allows beside a run, and what it lacks."""
    free = program.foretold.input_free_after if program.foretold else None
    overlap = "after the run" if free is None else f"during the run, from layer {free} on"
    without = f"; no model for a node's CPU: {no_cpu_model}" if no_cpu_model else ""
    return f"{path}: the next input may be written {overlap}{without}"


def _write_program(path: Path, program: Program, model: Path) -> str:
    """Why it holds no model for a CPU; empty when it does."""
    image = acc_file(program, load_model(model, drop_final_softmax=True))
    try:
        path.write_bytes(image.data)
    except OSError as error:
        raise AscnodeError(f"{path}: {error.strerror}") from None
    return image.no_cpu_model
