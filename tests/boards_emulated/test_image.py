"""Which files an emulated board takes for MicroPython, and what is said of the others."""

import struct
from pathlib import Path

import pytest

from ascnode.boards.emulated_image import ENVIRONMENT_VARIABLE, find_image
from ascnode.boards.kinds import RP2040_FAMILY, RP2350_ARM_FAMILY
from ascnode.errors import BoardError

FLASH = 0x10000000
GOOD = b"v1.27.0 on 2025-12-09 (GNU 14.2.0 MinSizeRel)\0; Raspberry Pi Pico with RP2040\0"


def uf2(code: bytes, family: int = RP2040_FAMILY, at: int = FLASH) -> bytes:
    """A UF2 file of that code, laid out by hand as github.com/microsoft/uf2 says."""
    pages = [code[n : n + 256].ljust(256, b"\0") for n in range(0, len(code), 256)]
    return b"".join(
        struct.pack("<8I", 0x0A324655, 0x9E5D5157, 0x2000, at + 256 * n, 256, n, len(pages), family)
        + page.ljust(476, b"\0")
        + struct.pack("<I", 0x0AB16F30)
        for n, page in enumerate(pages)
    )


def written(folder: Path, content: bytes) -> Path:
    path = folder / "pico.uf2"
    path.write_bytes(content)
    return path


def test_an_image_is_taken_with_its_version_wherever_the_text_lies(tmp_path: Path) -> None:
    path = written(tmp_path, uf2(bytes(250) + GOOD))  # across two blocks
    found = find_image(path)
    assert (found.path, found.version) == (path, "1.27.0")


def test_the_environment_names_the_image_and_an_argument_goes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, uf2(GOOD))
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(path))
    assert find_image().path == path
    with pytest.raises(BoardError, match=r"other\.uf2: No such file"):
        find_image(tmp_path / "other.uf2")


def test_without_an_image_one_sentence_says_where_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENVIRONMENT_VARIABLE, raising=False)
    with pytest.raises(BoardError) as caught:
        find_image()
    assert str(caught.value) == (
        "an emulated board runs an official MicroPython image: download an RPI_PICO .uf2 of MicroPython 1.23 or newer "
        "from micropython.org/download/RPI_PICO and name it with --uf2 or in ASCNODE_UF2"
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"MZ" * 256, "not a UF2 file"),
        (uf2(GOOD)[:-1], "cut short"),
        (uf2(GOOD, RP2350_ARM_FAMILY), "for another chip"),
        (uf2(b"blink" * 100), "not MicroPython for a Raspberry Pi Pico"),
        (uf2(GOOD.replace(b"Pico with", b"Pico W with")), "not MicroPython for a Raspberry Pi Pico"),
        (uf2(GOOD.replace(b"v1.27.0", b"v1.22.2")), r"MicroPython 1\.22\.2 is too old"),
        (uf2(GOOD, at=FLASH + 0xA0000 - 0x80), "reaches into the Pico's file system"),
        (uf2(GOOD, at=0x20000000), "reaches into the Pico's file system"),
    ],
)
def test_another_file_is_refused_with_the_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(BoardError, match=reason) as caught:
        find_image(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_folder_is_no_image(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match="Is a directory"):
        find_image(tmp_path)
