"""MicroPython onto an ESP32 by the loader in its ROM, through esptool."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import serial

from ascnode.boards.kinds import Kind
from ascnode.boards.locks import BoardLock
from ascnode.errors import BoardError, WrongBoardError
from ascnode.session.opening import close_serial, open_serial

_ATTEMPTS = 3
_IMAGE_MAGIC = 0xE9  # first byte of every image that the ROM starts


def check(content: bytes) -> None:
    """BoardError when it cannot be an ESP32's image. esptool itself refuses one for another chip of the family."""
    if not content or content[0] != _IMAGE_MAGIC:
        raise BoardError("not an image for an ESP32: it does not begin with the byte e9")


def detect(port: str, kind: Kind, chip_id: str | None) -> str:
    """The chip id (its MAC address) of the board on a port; WrongBoardError when it is not the one asked for."""
    with _loader(port) as esp:
        found = _require(esp, port, kind, chip_id)
        _reset(esp)
        return found


def install(port: str, kind: Kind, content: bytes, chip_id: str | None, verbose: bool = False) -> str:
    """Writes an image, has the chip prove it, restarts; the chip id. Its file system stays.

    WrongBoardError, with nothing written, when it is not the board asked for; BoardError when the loader fails.
    """
    check(content)
    with _loader(port, verbose) as esp:
        found = _require(esp, port, kind, chip_id)
        with BoardLock(found):
            _write(esp, content)
            _reset(esp)
        return found


def _write(esp: Any, content: bytes) -> None:
    import esptool.cmds as esptool

    where = [(esp.BOOTLOADER_FLASH_OFFSET, content)]
    # The ROM's own loader: it needs no program in RAM, and takes compressed data as well.
    esptool.attach_flash(esp)
    esptool.write_flash(esp, where, compress=True)
    esptool.verify_flash(esp, where)


def _require(esp: Any, port: str, kind: Kind, chip_id: str | None) -> str:
    chip = str(esp.CHIP_NAME).lower().replace("-", "")
    found = bytes(esp.read_mac()).hex()
    if chip != kind.chip:
        raise WrongBoardError(
            f"{port} is an {esp.CHIP_NAME} (chip id {found}), not an {kind.name}: nothing was written"
        )
    if chip_id is not None and found != chip_id:
        raise WrongBoardError(f"{port} is board {found}, not {chip_id}: nothing was written")
    return found


def _reset(esp: Any) -> None:
    import esptool.cmds as esptool

    try:
        esptool.reset_chip(esp, "hard-reset")
    except OSError:  # a pseudo-terminal, or an adapter, without DTR and RTS: the user resets it
        esptool.reset_chip(esp, "soft-reset")


@contextmanager
def _loader(port: str, verbose: bool = False) -> Iterator[Any]:
    try:
        import esptool.cmds as esptool
        from esptool.logger import log
        from esptool.util import FatalError
    except ModuleNotFoundError:
        raise BoardError("esptool is missing: pip install ascnode[flash]") from None
    opened = open_serial(port)  # ours: who else has it is told better than esptool does
    log.set_verbosity("auto" if verbose else "silent")
    try:
        yield esptool.detect_chip(opened, connect_attempts=_ATTEMPTS)
    except FatalError as error:
        first = str(error).strip().splitlines()[0]
        raise BoardError(
            f"{port}: the ESP32's loader: {first} (hold BOOT while you press EN, and try again?)"
        ) from None
    except (OSError, serial.SerialException) as error:
        raise BoardError(f"{port} went away while its loader was at work ({error}); flash it again") from None
    finally:
        close_serial(opened)
