"""The official MicroPython image, where there is one."""

import os
from pathlib import Path

import pytest

from ascnode.boards.emulated_image import ENVIRONMENT_VARIABLE, PicoImage, find_image


@pytest.fixture(scope="session")
def image() -> PicoImage:
    """Skips without ASCNODE_UF2; with one that cannot serve, the test fails."""
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    if not named:
        pytest.skip(
            f"{ENVIRONMENT_VARIABLE} names no official MicroPython image "
            "(RPI_PICO .uf2 from micropython.org/download/RPI_PICO)"
        )
    return find_image(Path(named))
