"""Two Verilated accelerators, one on its bus and one behind its SPI port, and models with what they should answer."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from ascnode_gateware.compiler import Options, compile_file
from ascnode_gateware.model.reference import Reference
from ascnode_gateware.model.tflite_model import load_model
from ascnode_gateware.program.program import Program
from gateware.simulators import built
from models.golden import DIGITS, mlperf_tiny

Tensor = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Case:
    """A program, inputs for it, and the reference's outputs."""

    program: Program
    images: Tensor
    golden: Tensor


@pytest.fixture(scope="session")
def executable(request: pytest.FixtureRequest) -> Path:
    return built(request, "build_accelerator")


@pytest.fixture(scope="session")
def spi_executable(request: pytest.FixtureRequest) -> Path:
    return built(request, "build_spi_accelerator")


@pytest.fixture(scope="session")
def case() -> Callable[..., Case]:
    """A model by its name, compiled once."""
    return cache(_case)


def _case(name: str, stream: str = "auto", count: int = 1) -> Case:
    path = DIGITS if name == "digits" else mlperf_tiny(name)
    model = load_model(path, drop_final_softmax=True)
    images = np.random.default_rng(3).integers(-128, 128, (count, *model.input.shape[1:]), dtype=np.int8)
    return Case(compile_file(path, options=Options(stream=stream)), images, Reference(model).run(images))
