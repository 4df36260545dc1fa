"""`ascnode accel run`: a model's inputs through the simulated accelerator, or the golden model."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from ascnode.cli.accel_common import (
    CLOCK_MHZ,
    load_inputs,
    one_sentence,
    open_console,
    read_file,
    save_json,
    save_npy,
)
from ascnode.cli.accel_tables import run_table
from ascnode.errors import AscnodeError
from ascnode_gateware.compiler import Options, compile_file
from ascnode_gateware.model.layers import Int8, Model, ModelError
from ascnode_gateware.model.reference import Reference
from ascnode_gateware.model.tflite_model import load_model
from ascnode_gateware.program.image import MAGIC, load_image
from ascnode_gateware.program.program import Program
from ascnode_gateware.sim.build import build_accelerator, cache_folder
from ascnode_gateware.sim.check import check_layers, compare
from ascnode_gateware.sim.flash import Flash
from ascnode_gateware.sim.report import RunReport
from ascnode_gateware.sim.simulator import Simulator


class Engine(StrEnum):
    RTL = "rtl"
    GOLDEN = "golden"


class Source(StrEnum):
    FLASH = "flash"
    HOST = "host"


@dataclass(frozen=True)
class _Job:
    """What to run: a compiled program, and the model that it came from, unless it was given as .acc."""

    path: Path
    program: Program
    model: Model | None

    def golden(self, why: str) -> Model:
        """The model; AscnodeError when there is none."""
        if self.model is None:
            raise AscnodeError(f"{self.path} is a compiled program: {why} needs the .tflite model")
        return self.model

    def values(self) -> dict[str, Any]:
        """What tells a model from others."""
        macs = sum(layer.macs for layer in self.program.layers)
        return {"name": self.program.name, "id": f"{self.program.model_id:08x}", "macs": macs}


def run(
    model: Annotated[Path, typer.Argument(help="An int8 .tflite model, or an .acc program.")],
    inputs: Annotated[Path, typer.Option("--input", help=".npy file, int8: one input or a batch.")],
    output: Annotated[Path, typer.Option(help=".npy file to write the outputs to.")],
    engine: Annotated[
        Engine, typer.Option(help="rtl: the accelerator, simulated; golden: the reference in NumPy.")
    ] = Engine.RTL,
    source: Annotated[
        Source,
        typer.Option(help="flash: weights that stream come over the flash's pins; host: into the ring."),
    ] = Source.FLASH,
    report: Annotated[Path | None, typer.Option(help="Write figures to this JSON file.")] = None,
    clock_mhz: Annotated[float, typer.Option(min=0.001, help="Clock for times.")] = CLOCK_MHZ,
    check: Annotated[
        bool, typer.Option("--check", help="Compare every layer with the golden model.")
    ] = False,
) -> None:
    """Run a model on the accelerator in simulation; a softmax at its end is left to you."""
    if check and engine is Engine.GOLDEN:
        raise AscnodeError("--check compares the accelerator with the golden model: use --engine rtl")
    with one_sentence():
        job = _open(model)
        batch, is_batch = load_inputs(inputs, job.program.input.shape)
        if engine is Engine.GOLDEN:
            outputs = Reference(job.golden("--engine golden")).run(batch)
            values: dict[str, Any] = {"inferences": len(batch)}
        else:
            outputs, values = _run_rtl(job, batch, source, check, clock_mhz)
    save_npy(output, outputs if is_batch else outputs[0])
    if report:
        save_json(report, {"engine": engine.value, "model": job.values(), **values})


def _open(path: Path) -> _Job:
    if read_file(path)[: len(MAGIC)] == MAGIC or path.suffix == ".acc":
        return _Job(path, load_image(path), None)
    return _Job(path, compile_file(path), load_model(path, drop_final_softmax=True))


def _run_rtl(
    job: _Job, batch: Int8, source: Source, check: bool, clock_mhz: float
) -> tuple[Int8, dict[str, Any]]:
    console = open_console()
    if check:
        job.golden("--check")
    with console.status("building the simulator"):
        executable = build_accelerator(cache_folder())
    with Simulator(executable, flash=Flash() if source is Source.FLASH else None) as simulator:
        simulator.load(job.program)
        outputs, figures = _infer(simulator, batch, console)
        values = figures.json(clock_mhz)
        if check:
            values["check"] = _check(simulator, job, batch, outputs)
    _print(console, job.program, figures, clock_mhz, values.get("check"))
    return outputs, values


def _infer(simulator: Simulator, batch: Int8, console: Console) -> tuple[Int8, RunReport]:
    with _progress(console, len(batch)) as update:
        return simulator.run(batch, update)


@contextmanager
def _progress(console: Console, total: int) -> Iterator[Callable[[int], None]]:
    with Progress(console=console, transient=True, disable=total < 2) as bar:
        task = bar.add_task("inferences", total=total)
        yield lambda done: bar.update(task, completed=done)


def _check(simulator: Simulator, job: _Job, batch: Int8, outputs: Int8) -> dict[str, Any]:
    """Every output, and every layer of the first input; an unfused program shows those that run within others."""
    golden = Reference(job.golden("--check"))
    compare("the output", outputs, golden.run(batch))
    tensors = golden.run_all(batch[:1])
    checked = check_layers(simulator, job.program, batch[0], tensors)
    compared, refused = set(checked.compared), ""
    if checked.unseen:
        try:
            unfused = compile_file(job.path, options=Options(fuse=False, repack=False))
            simulator.load(unfused)
            compared |= set(check_layers(simulator, unfused, batch[0], tensors).compared)
        except ModelError as error:
            refused = str(error)
    unseen = sorted({layer.index for layer in job.program.layers} - compared)
    return {"outputs": len(outputs), "layers": sorted(compared), "unseen": unseen, "unfused_refused": refused}


def _print(
    console: Console, program: Program, figures: RunReport, clock_mhz: float, check: dict[str, Any] | None
) -> None:
    console.print(run_table(program.name, figures), highlight=False)
    console.print(_summary(figures, clock_mhz), highlight=False)
    if program.cpu_ops:
        console.print(f"Left to a CPU: {', '.join(program.cpu_ops)}", highlight=False)
    if check:
        console.print(_verdict(check), highlight=False)


def _summary(figures: RunReport, clock_mhz: float) -> str:
    return (
        f"{figures.cycles:,} cycles, {figures.milliseconds(clock_mhz):.3f} ms at {clock_mhz:g} MHz an inference, "
        f"{figures.utilisation:.0%} of 16 MAC/cycle; {figures.stream_bytes:,} bytes streamed; "
        f"{figures.inferences} run on the simulated accelerator"
    )


def _verdict(check: dict[str, Any]) -> str:
    equal = f"Equal to the golden model: {check['outputs']} outputs, {len(check['layers'])} layers"
    if not check["unseen"]:
        return equal
    unseen = ", ".join(map(str, check["unseen"]))
    why = f" ({check['unfused_refused']})" if check["unfused_refused"] else ""
    return f"{equal}; not seen in memory: layers {unseen}{why}"
