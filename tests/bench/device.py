"""`make bench`, the accelerator beside a board: an inference with all its frames, golden and Verilog, as ratios.

CPU seconds of this process and of its simulators, so that a busy machine disturbs them little.
"""

import os
import time
from collections.abc import Callable
from contextlib import closing

import numpy as np
from rich.console import Console
from rich.table import Table

from ascnode_gateware.bus.frames import read_request
from ascnode_gateware.device.golden import GoldenDevice
from ascnode_gateware.device.interface import Accelerator
from ascnode_gateware.device.link import Link
from ascnode_gateware.device.rtl import RtlDevice
from ascnode_gateware.model.reference import Reference
from ascnode_gateware.model.tflite_model import load_model
from ascnode_gateware.sim.build import build_spi_accelerator, cache_folder
from gateware.device.driving import Case, Driver, compiled
from models.golden import DIGITS, mlperf_tiny

NAMES = ("digits", "kws_ref_model.tflite")
IMAGES, FRAMES = 8, 4000


def main() -> None:
    table = Table(
        "model", "device", "ms an inference", "of the NumPy reference", title="accelerator beside a board"
    )
    for name in NAMES:
        case = compiled(name, "auto", IMAGES)
        model = load_model(DIGITS if name == "digits" else mlperf_tiny(name), drop_final_softmax=True)
        bound = seconds(lambda case=case, model=model: Reference(model).run(case.images)) / IMAGES
        for label, found in measured(case).items():
            table.add_row(name, label, f"{1000 * found:.2f}", f"{found / bound:.2f}")
    console = Console(width=120)
    console.print(table)
    console.print(
        f"a frame that reads a register, message to reply: {1e6 * frame_seconds():.0f} us in Python"
    )


def measured(case: Case) -> dict[str, float]:
    """CPU seconds of an inference: input, START, polling, output."""
    golden = ready(GoldenDevice(), case)
    found = {"golden, new inputs": each(golden, case), "golden, inputs seen before": each(golden, case)}
    with closing(RtlDevice(build_spi_accelerator(cache_folder()))) as device:
        driver = ready(device, case)
        before = os.times()
        found["Verilog"] = each(driver, case)
    after = os.times()  # children count once they have ended
    found["Verilog"] += (after.children_user - before.children_user) / IMAGES
    return found


def ready(device: Accelerator, case: Case) -> Driver:
    driver = Driver(device)
    driver.reset()
    driver.load(case.program)
    return driver


def each(driver: Driver, case: Case) -> float:
    return seconds(lambda: [infer(driver, case, number) for number in range(IMAGES)]) / IMAGES


def infer(driver: Driver, case: Case, number: int) -> None:
    driver.start(case.program, case.images[number])
    driver.wait(step_us=1000)
    assert np.array_equal(driver.output(case.program), case.golden[number : number + 1])


def frame_seconds() -> float:
    link, message = Link(GoldenDevice()), b"\x01" + read_request(1, 0x8003, 1).encode()
    return seconds(lambda: [link.answer(message) for _ in range(FRAMES)]) / FRAMES


def seconds(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


if __name__ == "__main__":
    main()
