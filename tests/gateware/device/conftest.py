"""Pairs of accelerators, golden and Verilated, that must not be told apart, and models for them."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from ascnode_gateware.compiler import Options, compile_file
from ascnode_gateware.device.flash_chip import FlashChip
from ascnode_gateware.device.golden import GoldenDevice
from ascnode_gateware.device.interface import Accelerator, Rates
from ascnode_gateware.device.rtl import RtlDevice
from ascnode_gateware.model.reference import Reference
from ascnode_gateware.model.tflite_model import load_model
from gateware.device.driving import Case
from gateware.simulators import built
from models.golden import DIGITS, mlperf_tiny

Pair = Callable[..., tuple[Accelerator, Accelerator]]


@pytest.fixture(scope="session")
def spi_executable(request: pytest.FixtureRequest) -> Path:
    return built(request, "build_spi_accelerator")


@pytest.fixture
def pair(spi_executable: Path) -> Iterator[Pair]:
    """(golden, RTL) with a flash of the same contents."""
    opened: list[RtlDevice] = []

    def make(
        contents: bytes = b"", rates: Rates | None = None, quad: bool = True
    ) -> tuple[Accelerator, Accelerator]:
        rtl = RtlDevice(spi_executable, rates=rates, flash=FlashChip(contents, quad=quad))
        opened.append(rtl)
        return GoldenDevice(rates=rates, flash=FlashChip(contents, quad=quad)), rtl

    yield make
    for device in opened:
        device.close()


@pytest.fixture(scope="session")
def case() -> Callable[..., Case]:
    """A model by its name, compiled once, with images and the reference's answers."""
    return cache(_case)


def _case(name: str = "digits", stream: str = "auto", count: int = 3) -> Case:
    path = DIGITS if name == "digits" else mlperf_tiny(name)
    model = load_model(path, drop_final_softmax=True)
    images = np.random.default_rng(3).integers(-128, 128, (count, *model.input.shape[1:]), dtype=np.int8)
    program = compile_file(path, options=Options(stream=stream))
    return Case(program, images, Reference(model).run(images))
