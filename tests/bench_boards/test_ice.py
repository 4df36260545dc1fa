"""A bitstream into a pico-ice's flash, through the REPL of a board whose flash is a model of the W25Q32."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from ascnode.boards import flash_ice, flashing
from ascnode.boards.flash_image import read_files
from ascnode.boards.repl import Repl
from ascnode.boards.virtual import VirtualBoard
from ascnode.errors import BoardError, WrongBoardError
from bench_boards import pico

# A comment, the preamble that icepack writes, and content over three sectors and a piece.
BITSTREAM = b"\xff\x00by hand\x00\x00\xff\x7e\xaa\x99\x7e" + random.Random(8).randbytes(3 * 4096 + 500)


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualBoard]:
    with pico.pico(tmp_path, monkeypatch) as board:
        yield board


def fpga_flash(board: VirtualBoard) -> bytes:
    board.power_off()
    return read_files(board.flash.read_bytes())["w25q32.bin"]


def test_a_bitstream_is_written_proved_and_started_and_then_only_what_changed(board: VirtualBoard) -> None:
    said: list[str] = []
    target = pico.target(board, "pico-ice")
    flashing.install_bitstream(target, BITSTREAM, said.append, None, dry_run=False)
    flashing.install_bitstream(target, BITSTREAM, said.append, None, dry_run=False)
    changed = BITSTREAM[:5000] + b"\x5a" + BITSTREAM[5001:]
    flashing.install_bitstream(target, changed, said.append, None, dry_run=True)
    flashing.install_bitstream(target, changed, said.append, None, dry_run=False)
    words = [" ".join(text.split()[:4]) for text in said]
    assert words == ["wrote 4 of 4", "wrote 0 of 4", "would write 1 of", "wrote 1 of 4"]
    flash = fpga_flash(board)
    assert flash[: len(changed)] == changed
    assert set(flash[4 * 4096 :]) == {0xFF}


def test_a_flash_that_does_not_answer_is_named(board: VirtualBoard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        flash_ice,
        "_SETUP",
        flash_ice._SETUP.replace("ice = ", "import machine\nmachine.chip.end = int\nice = "),
    )
    with pytest.raises(BoardError, match="no flash of 4 MiB beside the FPGA: it says ffffff"):
        flashing.install_bitstream(pico.target(board, "pico-ice"), BITSTREAM, print, None, dry_run=False)


def test_a_flash_that_does_not_take_the_data_is_named(
    board: VirtualBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = flash_ice._SETUP + "\nimport machine\nmachine.chip.program = lambda address, data: None"
    monkeypatch.setattr(flash_ice, "_SETUP", stuck)
    with pytest.raises(BoardError, match="the flash at 0x0 does not hold what was written"):
        flashing.install_bitstream(pico.target(board, "pico-ice"), BITSTREAM, print, None, dry_run=False)


def test_a_flash_that_stays_busy_is_a_timeout(board: VirtualBoard, monkeypatch: pytest.MonkeyPatch) -> None:
    busy = flash_ice._SETUP + "\nimport machine\nmachine.chip.busy = 10**9"
    monkeypatch.setattr(flash_ice, "_SETUP", busy)
    with pytest.raises(
        BoardError, match="erasing the flash at 0x0: the board said OSError: the flash stays busy"
    ):
        flashing.install_bitstream(pico.target(board, "pico-ice"), BITSTREAM, print, None, dry_run=False)


def test_an_fpga_that_does_not_start_is_named(board: VirtualBoard, monkeypatch: pytest.MonkeyPatch) -> None:
    dead = flash_ice._SETUP + "\nimport machine\nmachine.chip.configures = lambda: 0"
    monkeypatch.setattr(flash_ice, "_SETUP", dead)
    with pytest.raises(BoardError, match="did not raise CDONE"):
        flashing.install_bitstream(pico.target(board, "pico-ice"), BITSTREAM, print, None, dry_run=False)


def test_another_board_is_refused_before_its_pins_move(board: VirtualBoard) -> None:
    with pytest.raises(WrongBoardError, match=f"is board {pico.CHIP}, not 00000000000000aa"):
        flashing.install_bitstream(
            pico.target(board, "pico-ice", chip_id="00000000000000aa", port=board.port),
            BITSTREAM,
            print,
            None,
            False,
        )
    with pytest.raises(WrongBoardError, match="a rp2040 board has no FPGA"):
        flashing.install_bitstream(pico.target(board), BITSTREAM, print, None, dry_run=False)
    board.power_off()
    assert "w25q32.bin" not in read_files(board.flash.read_bytes())


@pytest.mark.parametrize(
    ("bitstream", "sentence"),
    [
        (b"", "not an iCE40 bitstream"),
        (b"UF2\n" + bytes(508), "not an iCE40 bitstream"),
        (bytes(5000) + b"\x7e\xaa\x99\x7e", "not an iCE40 bitstream"),
        (b"\x7e\xaa\x99\x7e" + bytes(4 << 20), "has 4194308 bytes; the flash has 4194304"),
    ],
)
def test_what_is_no_bitstream_is_refused_before_the_board_is_asked(bitstream: bytes, sentence: str) -> None:
    with pytest.raises(BoardError, match=sentence):
        flash_ice.install(Repl("/dev/no-such-port"), bitstream)
