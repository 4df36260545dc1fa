"""An emulated board on a small flash image, and its serial port."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import serial

from ascnode.boards.emulated import FLASH_BLOCKS, EmulatedBoard
from ascnode.boards.emulated_image import PicoImage
from ascnode.boards.flash_image import build_image
from boards.rig import Port

DEADLINE_S = 60.0  # a step of a test, on a machine that has other work


class Serial(Port):
    """As a virtual board's port, with an emulated board's patience."""

    def read_until(self, end: bytes, deadline_s: float = DEADLINE_S) -> bytes:
        return super().read_until(end, deadline_s)


@contextmanager
def desk(
    folder: Path,
    image: PicoImage,
    main: str = "",
    files: Mapping[str, bytes] | None = None,
    free: bool = False,
) -> Iterator[tuple[EmulatedBoard, Serial]]:
    """A board that runs `main` and has power, and its port. What it prints before it is found on USB is lost."""
    flash = folder / "flash.img"
    flash.write_bytes(build_image({"main.py": main.encode(), **(files or {})}, FLASH_BLOCKS))
    with (
        EmulatedBoard(flash, image, free=free) as board,
        serial.Serial(board.port, timeout=DEADLINE_S) as port,
    ):
        board.power_on(deadline_s=DEADLINE_S)
        yield board, Serial(port)


def at_repl(port: Port) -> None:
    """Waits for the prompt, whether it was printed before somebody listened or not."""
    port.write(b"\r")
    port.read_until(b">>> ")
    port.silent(0.3)
