"""An ESP32's ROM loader and the real esptool, over a pseudo-terminal."""

import os
import random
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from ascnode.boards import flash_esp32
from ascnode.boards.kinds import KINDS
from ascnode.boards.locks import BoardLock
from ascnode.errors import BoardError, WrongBoardError
from bench_boards.fake_esp32 import DEFL_DATA, ESP32S2_MAGIC, FLASH_BEGIN, FLASH_DATA, FakeEsp32

ESP32 = KINDS["esp32"]
MAC = "a0b1c2d3e4f5"


def image(content: bytes, chip: int = 0) -> bytes:
    """One segment, by the "Firmware Image Format" of esptool's documentation; chip 0 is the ESP32, 5 the ESP32-C3."""
    header = struct.pack("<4BI4BHBHH4xB", 0xE9, 1, 2, 0x20, 0x40080000, 0xEE, 0, 0, 0, chip, 0, 0, 65535, 0)
    body = header + struct.pack("<2I", 0x3FFB0000, len(content)) + content
    checksum = 0xEF
    for byte in content:
        checksum ^= byte
    return body + bytes(15 - len(body) % 16) + bytes((checksum,))


NOISE = image(random.Random(5).randbytes(20_000))  # esptool sends what does not shrink as it is
IMAGE = image(b"".join(n.to_bytes(4, "little") * (n % 7) for n in range(6000)))
BOOTLOADER_OFFSET = 0x1000  # of the ESP32, from Espressif's documentation


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.fixture
def board() -> Iterator[FakeEsp32]:
    fake = FakeEsp32()
    yield fake
    fake.close()


def untouched(board: FakeEsp32) -> bool:
    return not {FLASH_BEGIN, DEFL_DATA} & set(board.commands) and set(board.flash) == {0xFF}


@pytest.mark.parametrize(("content", "command"), [(IMAGE, DEFL_DATA), (NOISE, FLASH_DATA)])
def test_an_image_is_written_at_the_chips_offset_and_verified(
    board: FakeEsp32, content: bytes, command: int
) -> None:
    assert flash_esp32.install(board.port, ESP32, content, MAC) == MAC
    assert board.flash[BOOTLOADER_OFFSET : BOOTLOADER_OFFSET + len(content)] == content
    assert set(board.flash[:BOOTLOADER_OFFSET]) == {0xFF}
    assert command in board.commands
    assert flash_esp32.detect(board.port, ESP32, None) == MAC  # the port was given back


def test_detecting_writes_nothing(board: FakeEsp32) -> None:
    assert flash_esp32.detect(board.port, ESP32, None) == MAC
    assert set(board.flash) == {0xFF}


def test_a_flash_that_holds_something_else_is_an_error(board: FakeEsp32) -> None:
    board.damage_next = True
    with pytest.raises(BoardError, match=r"loader: .*MD5"):
        flash_esp32.install(board.port, ESP32, IMAGE, MAC)


def test_another_board_is_refused_before_a_byte_is_written(board: FakeEsp32) -> None:
    with pytest.raises(WrongBoardError, match=f"is board {MAC}, not 000000000001: nothing was written"):
        flash_esp32.install(board.port, ESP32, IMAGE, "000000000001")
    assert untouched(board)


def test_another_chip_is_refused_before_a_byte_is_written(board: FakeEsp32) -> None:
    with pytest.raises(WrongBoardError, match=r"is an ESP32 .*not an esp32c3: nothing was written"):
        flash_esp32.install(board.port, KINDS["esp32c3"], IMAGE, None)
    assert untouched(board)
    other = FakeEsp32(magic=ESP32S2_MAGIC)
    with pytest.raises(WrongBoardError, match="is an ESP32-S2"):
        flash_esp32.install(other.port, ESP32, IMAGE, None)
    assert untouched(other)
    other.close()


def test_a_board_in_use_is_not_flashed(board: FakeEsp32) -> None:
    with BoardLock(MAC), pytest.raises(BoardError, match=f"board {MAC} is in use by process {os.getpid()}"):
        flash_esp32.install(board.port, ESP32, IMAGE, MAC)
    assert untouched(board)


def test_a_board_unplugged_in_the_middle_is_one_sentence_and_can_be_flashed_again() -> None:
    dying = FakeEsp32(die_after=2)
    with pytest.raises(BoardError, match=r"the ESP32's loader: |went away while its loader was at work"):
        flash_esp32.install(dying.port, ESP32, IMAGE, MAC)
    again = FakeEsp32()
    assert flash_esp32.install(again.port, ESP32, IMAGE, MAC) == MAC
    again.close()


def test_a_port_without_a_loader_is_an_error_with_advice() -> None:
    master, slave = os.openpty()
    with pytest.raises(BoardError, match=r"loader: .*connect.*hold BOOT while you press EN"):
        flash_esp32.detect(os.ttyname(slave), ESP32, None)
    os.close(master)
    os.close(slave)


def test_an_image_for_another_chip_of_the_family_is_refused(board: FakeEsp32) -> None:
    with pytest.raises(BoardError, match="does not contain an ESP32 image"):
        flash_esp32.install(board.port, ESP32, image(b"text" * 100, chip=5), MAC)
    assert untouched(board)


@pytest.mark.parametrize("content", [b"", b"UF2\n" + bytes(508), b"\x7fELF"])
def test_what_is_no_esp32_image_is_refused_before_the_port_is_opened(content: bytes) -> None:
    with pytest.raises(BoardError, match="not an image for an ESP32"):
        flash_esp32.install("/dev/no-such-port", ESP32, content, None)
