"""The rescaling cell by itself: its Verilog, its simulator, and vectors through it."""

import io
import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pyrtl import Const, Input, Output, output_to_verilog, select, temp_working_block, working_block

from ascnode_gateware.rtl.requantise import clamped, product, rounded
from ascnode_gateware.sim.verilator import build_executable

Int64 = npt.NDArray[np.int64]

DEADLINE_S = 120
# Optimised, Verilator's runtime takes longer to compile than all vectors to run.
_FLAGS = ("-Wno-WIDTHEXPAND", "-MAKEFLAGS", "OPT_GLOBAL=-O0")
_INPUTS = {"x": 32, "digits": 32, "high": 1, "right": 5, "zero_point": 8, "bounds": 16}


def build_cell(folder: Path) -> Path:
    """The executable, kept in `folder`."""
    source = folder / "requantise.v"
    source.write_text(_verilog())
    main = Path(__file__).with_name("requantise_main.cpp")
    return build_executable([source], "requantise", main, folder, flags=_FLAGS)


def run_cell(executable: Path, x: Int64, digits: Int64, scale: Int64) -> npt.NDArray[np.int8]:
    """An output for each sum, digits and shift word (uint32 of docs/accelerator.md; a right shift)."""
    vectors = np.column_stack([x, digits, scale]).astype("<i8") & 0xFFFFFFFF
    result = subprocess.run(
        [str(executable)],
        input=vectors.astype("<u4").tobytes(),
        capture_output=True,
        timeout=DEADLINE_S,
        check=True,
    )
    return np.frombuffer(result.stdout, np.int8)


def recoded(multipliers: Int64) -> Int64:
    """`program.parameters.recode` of many: written anew, digit by digit."""
    rest, word = multipliers.copy(), np.zeros_like(multipliers)
    for place in range(0, 32, 2):
        digit = rest & 3
        word |= digit << place
        rest = (rest >> 2) + (digit == 3)
    return word


def _verilog() -> str:
    text = io.StringIO()
    with temp_working_block():
        port = {name: Input(width, name) for name, width in _INPUTS.items()}
        digits = port["digits"]
        half = select(port["high"], digits[16:], digits[:16])
        total = product(port["x"], half, port["high"], Const(1, 1), "total")
        quotient, carry = rounded(total[15:47], port["right"])
        result = Output(8, "result")
        result <<= clamped(quotient, carry, port["zero_point"], port["bounds"])
        output_to_verilog(text, add_reset=False, block=working_block(), module_name="requantise")
    return text.getvalue()
