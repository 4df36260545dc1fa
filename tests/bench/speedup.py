"""`make bench`, the accelerator beside its node's CPU: an emulated RP2040's own time, SPI and driver in it.

With --whole, KWS runs on the CPU as a whole; otherwise one of its layers does, and the rest follows from its MACs.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from tests.bench.pico import Progress, measured, run

from ascnode.boards.accelerators import Accelerators
from ascnode.boards.emulated import MARCH
from ascnode.boards.emulated_image import PicoImage, find_image
from ascnode.boards.emulator_accelerator import SpiAccelerator
from ascnode.boards.firmware import board_files
from ascnode.errors import BoardError
from ascnode.models.acc import acc_file
from ascnode.models.image import compile_image
from ascnode.models.project import load_project_model
from ascnode_gateware.compiler.compile import compile_model
from ascnode_gateware.model.layers import Layer, Model
from ascnode_gateware.model.reference import Reference
from ascnode_gateware.model.tflite_model import load_model

HERE = Path(__file__).parent
KWS = HERE.parents[2] / "shared" / "data" / "mlperf_tiny" / "kws_ref_model.tflite"
CLOCK_HZ = 24e6


@dataclass(frozen=True)
class Result:
    """Milliseconds of the board's time for one inference; `cpu_how` says how that one was found."""

    name: str
    macs: int
    cpu_ms: float
    cpu_how: str
    checked_ms: float
    unchecked_ms: float
    engine_ms: float
    first_ms: float
    spi_kb_s: float


def measure(
    model: Model,
    name: str,
    whole: bool,
    folder: Path,
    image: PicoImage,
    progress: Progress,
    kind: str = "golden",
) -> Result:
    """One model on both; AssertionError when an answer is not the reference's."""
    data = np.random.default_rng(1).integers(-128, 128, model.input.shape, np.int8)
    part = model if whole else _alone(max(model.layers, key=lambda layer: layer.macs))
    cpu_data = data if whole else np.zeros(part.input.shape, np.int8)
    files = {
        "cpu.bin": compile_image(part),
        "cpu_input.bin": cpu_data.tobytes(),
        "program.acc": acc_file(compile_model(model), model).data,
        "input.bin": data.tobytes(),
        "output.bin": Reference(model).run(data).tobytes(),
    }
    figures = _run(files, folder, image, progress, kind)
    assert figures["right"] and not any(figures["codes"]), figures
    assert figures["cpu_output"] == Reference(part).run(cpu_data).tobytes().hex(), "the CPU's answer"
    return _result(figures, name, model, whole)


def _alone(layer: Layer) -> Model:
    return Model(0, layer.input, layer.output, (layer,))


def _run(
    files: Mapping[str, bytes], folder: Path, image: PicoImage, progress: Progress, kind: str
) -> dict[str, Any]:
    content = {
        **board_files(MARCH),
        **files,
        "main.py": (HERE / "speedup_node.py").read_bytes(),
        "boot.py": b"",
    }
    with Accelerators("rtl" if kind == "rtl" else "golden") as accelerators:
        link = accelerators.link(seed=1)
        assert link is not None
        output, _ = run(
            folder, image, content, lambda out: b"}\r\n" in out, progress, accelerator=SpiAccelerator(link)
        )
    return measured(output)


def _result(figures: dict[str, Any], name: str, model: Model, whole: bool) -> Result:
    share = 1.0 if whole else model.macs / figures["cpu_macs"]
    how = "measured" if whole else f"one layer of {figures['cpu_macs']:,} MACs measured, the rest by MACs"
    return Result(
        name,
        model.macs,
        figures["cpu_us"] / 1000 * share,
        how,
        figures["checked_us"] / 1000,
        figures["unchecked_us"] / 1000,
        figures["cycles"] / CLOCK_HZ * 1000,
        figures["first_us"] / 1000,
        figures["frame_bytes"] / figures["frame_us"] * 1000,
    )


def show(results: list[Result]) -> Table:
    """Rows beside each other."""
    table = Table(
        title="one inference on an emulated RP2040, ms of its own time: CPU, and accelerator through its driver"
    )
    for column in (
        "model",
        "MACs",
        "CPU",
        "accelerator",
        "speed-up",
        "unchecked",
        "of it computing",
        "first",
    ):
        table.add_column(column, justify="right" if column != "model" else "left")
    for one in results:
        table.add_row(
            one.name,
            f"{one.macs:,}",
            f"{one.cpu_ms:,.1f}",
            f"{one.checked_ms:.1f}",
            f"{one.cpu_ms / one.checked_ms:.2f}",
            f"{one.unchecked_ms:.1f}",
            f"{one.engine_ms:.2f}",
            f"{one.first_ms:.1f}",
        )
    table.caption = "; ".join(f"{one.name} on the CPU: {one.cpu_how}" for one in results)
    return table


def main() -> None:
    console = Console(width=120)
    try:
        image = find_image()
    except BoardError as error:
        console.print(f"the speed-up is not measured: {error}", highlight=False)
        return
    whole = "--whole" in sys.argv[1:]
    models = [("project's digits", load_project_model(), True)]
    if KWS.is_file():
        models.append(("KWS DS-CNN", load_model(KWS, drop_final_softmax=True), whole))
    results = []
    with (
        tempfile.TemporaryDirectory(prefix="ascnode-bench-") as folder,
        Console(file=sys.stderr).status("") as status,
    ):
        for name, model, all_of_it in models:
            say = lambda text, name=name: status.update(f"{name}: {text}")  # noqa: E731
            results.append(measure(model, name, all_of_it, Path(folder), image, say))
    console.print(show(results))
    console.print(
        f"a frame of 1,042 bytes on the SPI: {results[0].spi_kb_s:,.0f} kB/s of {20.8e6 / 8e3:,.0f} at SCK",
        highlight=False,
    )


if __name__ == "__main__":
    main()
