"""A bitstream into the flash beside a pico-ice's FPGA, by the RP2040 that shares its lines, through the REPL.

Pins from the board's public documentation (pico-ice.tinyvision.ai): flash on SPI1, SCK 10, MOSI 11, MISO 8, CS 9;
PSRAM CS 14 on the same lines; CRESET 27, CDONE 26. Tested against a model of the flash, not yet on a board.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from importlib import resources

from ascnode.boards.repl import Repl
from ascnode.errors import BoardError

SECTOR_BYTES = 4096
FLASH_BYTES = 4 << 20
_PIECE_BYTES = 1024
_PREAMBLE = bytes.fromhex("7eaa997e")  # iCE40 bitstreams, after an optional comment
_COMMENT_BYTES = 4096
_CAPACITY = 0x16  # third byte of the JEDEC id: 2^22 bytes

_SETUP = """
from machine import Pin, SPI
Pin(14, Pin.OUT, value=1)
spi = SPI(1, baudrate=12_000_000, sck=Pin(10), mosi=Pin(11), miso=Pin(8))
ice = IceFlash(spi, Pin(9, Pin.OUT, value=1), Pin(27, Pin.OUT, value=0), Pin(26, Pin.IN))
print(ice.jedec().hex())
"""

# The RP2040 lets go of all lines but CRESET, which stays high.
_RELEASE = "for n in (8, 9, 10, 11, 14):\n Pin(n, Pin.IN)"

Progress = Callable[[int, int], None]


def check(bitstream: bytes) -> None:
    """BoardError when it cannot be an iCE40 bitstream."""
    if _PREAMBLE not in bitstream[:_COMMENT_BYTES]:
        raise BoardError(
            "not an iCE40 bitstream: it has no preamble 7e aa 99 7e (is it the .bin that icepack wrote?)"
        )
    if len(bitstream) > FLASH_BYTES:
        raise BoardError(f"the bitstream has {len(bitstream)} bytes; the flash has {FLASH_BYTES}")


def install(
    repl: Repl, bitstream: bytes, progress: Progress | None = None, dry_run: bool = False
) -> tuple[int, int]:
    """Writes the sectors that differ, has the board hash them all, and starts the FPGA: (written, all) sectors.

    BoardError when no such flash answers, when it does not hold what was written, or when the FPGA does not start.
    """
    check(bitstream)
    repl.exec(_program(), "sending the flash program")
    try:
        counts = _update(repl, bitstream, progress, dry_run)
        repl.exec(_RELEASE, "releasing the flash")
    except BoardError:
        with suppress(BoardError):  # the FPGA stays in reset, and nobody drives its flash
            repl.exec(_RELEASE, "releasing the flash")
        raise
    _start(repl)
    return counts


def _update(repl: Repl, bitstream: bytes, progress: Progress | None, dry_run: bool) -> tuple[int, int]:
    identity = repl.exec(_SETUP, "looking for the FPGA's flash").strip()
    if not identity.endswith(f"{_CAPACITY:02x}"):
        raise BoardError(f"{repl.path}: no flash of 4 MiB beside the FPGA: it says {identity or 'nothing'}")
    sectors = range(0, len(bitstream), SECTOR_BYTES)
    changed = [at for at in sectors if not _same(repl, bitstream, at)]
    for number, at in enumerate([] if dry_run else changed):
        if progress:
            progress(number, len(changed))
        _write_sector(repl, bitstream, at)
    return len(changed), len(sectors)


def _write_sector(repl: Repl, bitstream: bytes, at: int) -> None:
    repl.exec(f"ice.erase({at})", f"erasing the flash at {at:#x}")
    end = min(at + SECTOR_BYTES, len(bitstream))
    for start in range(at, end, _PIECE_BYTES):
        piece = bitstream[start : min(start + _PIECE_BYTES, end)]
        repl.exec(f"ice.program({start}, {piece!r})", f"writing the flash at {start:#x}")
    if not _same(repl, bitstream, at):
        raise BoardError(f"{repl.path}: the flash at {at:#x} does not hold what was written")


def _same(repl: Repl, bitstream: bytes, at: int) -> bool:
    data = bitstream[at : at + SECTOR_BYTES]
    answer = repl.exec(f"print(ice.digest({at}, {len(data)}))", f"reading the flash at {at:#x}")
    return answer.strip() == hashlib.sha256(data).hexdigest()


def _start(repl: Repl) -> None:
    if repl.exec("print(ice.start())", "starting the FPGA").strip() != "True":
        raise BoardError(
            f"{repl.path}: the FPGA did not raise CDONE within 1 s: it does not take this bitstream"
        )


def _program() -> str:
    return (resources.files("ascnode.boards") / "ice_onboard.py").read_text(encoding="utf-8")
