"""Programs on an emulated Pico for measuring: in its own time, which runs free of the host's."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ascnode.boards import uf2
from ascnode.boards.emulated import FLASH_BLOCKS
from ascnode.boards.emulated_image import PicoImage
from ascnode.boards.emulator_accelerator import SpiAccelerator
from ascnode.boards.emulator_flash import FlashFile
from ascnode.boards.emulator_machine import Machine
from ascnode.boards.flash_image import build_image
from ascnode.boards.kinds import RP2040_FAMILY

CHIP_ID = bytes(range(1, 9))
_QUANTUM_S = 0.005
_PROMPT = b">>> "

Progress = Callable[[str], None]


def run(
    folder: Path,
    image: PicoImage,
    files: Mapping[str, bytes],
    ended: Callable[[bytes], bool],
    progress: Progress,
    deadline_s: float = 900.0,
    accelerator: SpiAccelerator | None = None,
) -> tuple[bytes, float]:
    """What a board with these files printed until `ended`, and the board's own seconds since its power came.

    TimeoutError past the host's deadline; RuntimeError when it fell back to its prompt.
    """
    path = folder / "pico.flash"
    path.write_bytes(build_image(files, FLASH_BLOCKS))
    blocks = uf2.check(image.path.read_bytes(), (RP2040_FAMILY,))
    output = bytearray()
    flash = FlashFile(path)
    machine = Machine(blocks, flash, CHIP_ID, accelerator, output.extend, lambda: None)
    end = time.monotonic() + deadline_s
    try:
        while not ended(bytes(output)):
            machine.run(_QUANTUM_S)
            progress(f"{machine.time_s:.2f} s of the board's time")
            if _PROMPT in output and not ended(bytes(output)):
                raise RuntimeError(f"the board's program failed: {output.decode(errors='replace')}")
            if time.monotonic() > end:
                raise TimeoutError(f"the board's program did not end within {deadline_s:g} s")
    finally:
        flash.close()
    return bytes(output), machine.time_s


def measured(output: bytes) -> dict[str, Any]:
    """The figures that a program printed: a line of JSON."""
    line = next(line for line in output.splitlines() if line.startswith(b"{"))
    figures: dict[str, Any] = json.loads(line)
    return figures
