"""Littlefs images: the flash of a virtual board, built and read on the host."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from littlefs import LittleFS, LittleFSError
from littlefs.context import UserContext

from ascnode.errors import BoardError

BLOCK_BYTES = 4096
# As the RP2040's port writes.
_PROGRAM_BYTES = 256
# Littlefs 2.8 and newer, so MicroPython 1.22 and newer.
_DISK_VERSION = 0x0002_0001


def build_image(files: Mapping[str, bytes], blocks: int) -> bytes:
    """An image of `blocks` x 4,096 bytes that holds `files` (path without leading slash: content).

    BoardError when they do not fit.
    """
    flash = _littlefs(UserContext(blocks * BLOCK_BYTES), blocks)
    flash.format()
    flash.mount()
    try:
        for folder in _folders(files):
            flash.mkdir(folder)
        for name, content in files.items():
            with flash.open(name, "wb") as file:
                file.write(content)
    except LittleFSError as error:
        size = sum(len(content) for content in files.values())
        raise BoardError(
            f"{len(files)} files of {size} bytes do not fit a flash of {blocks * BLOCK_BYTES} bytes: {error}"
        ) from error
    return bytes(flash.context.buffer)


def read_files(image: bytes) -> dict[str, bytes]:
    """All files of an image, as build_image takes them; BoardError when it holds no file system."""
    blocks = len(image) // BLOCK_BYTES
    context = UserContext(len(image))
    context.buffer[:] = image
    flash = _littlefs(context, blocks)
    try:
        flash.mount()
        return {path: _read(flash, path) for path in _walk(flash)}
    except LittleFSError as error:
        raise BoardError(f"the flash image cannot be read: {error}") from error


def _littlefs(context: UserContext, blocks: int) -> LittleFS:
    return LittleFS(
        context,
        mount=False,
        block_size=BLOCK_BYTES,
        block_count=blocks,
        prog_size=_PROGRAM_BYTES,
        disk_version=_DISK_VERSION,
    )


def _folders(files: Mapping[str, bytes]) -> list[str]:
    # Parents before children.
    parents = {str(folder) for name in files for folder in PurePosixPath(name).parents}
    return sorted(parents - {"."})


def _walk(flash: LittleFS) -> list[str]:
    return [
        str(PurePosixPath(folder, name)).lstrip("/") for folder, _, names in flash.walk("/") for name in names
    ]


def _read(flash: LittleFS, path: str) -> bytes:
    with flash.open(path, "rb") as file:
        content: bytes = file.read()
    return content
