"""Pairs of accelerators, golden and Verilated, that must not be told apart, and models for them."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from ascnode_gateware.device.flash_chip import FlashChip
from ascnode_gateware.device.golden import GoldenDevice
from ascnode_gateware.device.interface import Accelerator, Rates
from ascnode_gateware.device.rtl import RtlDevice
from gateware.device.driving import Case, compiled
from gateware.simulators import built

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
    return cache(compiled)
