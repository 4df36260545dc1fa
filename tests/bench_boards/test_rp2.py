"""MicroPython and then the firmware onto a Pico: proved, through its boot loader, and back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ascnode.boards import bootsel, flashing
from ascnode.boards.flash_image import read_files
from ascnode.boards.images import Image
from ascnode.boards.locks import BoardLock
from ascnode.boards.virtual import VirtualBoard
from ascnode.errors import BoardError, BoardTimeoutError, WrongBoardError
from bench_boards import pico
from bench_boards.desk import firmware_files
from bench_boards.fake_drive import RP2040_INFO, RP2350_INFO, make_drive, vanish_after
from bench_boards.uf2_maker import RP2350_ARM, uf2

UF2 = uf2(bytes(range(256)) * 200)
IMAGE = Image("pico.uf2", UF2, "", "")


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualBoard]:
    with pico.pico(tmp_path, monkeypatch) as board:
        yield board


def test_a_running_board_goes_through_its_boot_loader_and_says_hello_at_the_end(
    board: VirtualBoard, tmp_path: Path
) -> None:
    drive = tmp_path / "RPI-RP2"
    said: list[str] = []
    pico.boot_loader(board, drive, len(UF2), RP2040_INFO)
    target = flashing.install_micropython(pico.target(board, drive=drive), IMAGE, said.append, dry_run=False)
    assert (target.port, target.chip_id) == (board.port, pico.CHIP)
    assert said[0] == f"board {pico.CHIP} restarts in its boot loader"
    assert not drive.exists()
    assert flashing.deploy_firmware(target, firmware_files(), said.append).commandable


def test_a_dry_run_leaves_the_board_where_it_is(board: VirtualBoard) -> None:
    said: list[str] = []
    flashing.install_micropython(pico.target(board), IMAGE, said.append, dry_run=True)
    assert said == [f"would restart board {pico.CHIP} in its boot loader and write pico.uf2"]


@pytest.mark.parametrize(
    ("changes", "image", "sentence"),
    [
        ({"kind": "rp2350"}, Image("x", uf2(b"x" * 300, RP2350_ARM), "", ""), "is a rp2040 .*not a rp2350"),
        ({"chip_id": "00000000000000aa", "port": "it"}, IMAGE, f"is board {pico.CHIP}, not 00000000000000aa"),
    ],
)
def test_the_wrong_board_never_leaves_its_firmware_for_the_boot_loader(
    board: VirtualBoard, changes: dict[str, str], image: Image, sentence: str
) -> None:
    if "port" in changes:
        changes = {**changes, "port": board.port}
    with pytest.raises(WrongBoardError, match=sentence):
        flashing.install_micropython(pico.target(board, **changes), image, print, dry_run=False)


def test_a_drive_of_another_chip_that_appears_instead_is_refused(board: VirtualBoard, tmp_path: Path) -> None:
    drive = tmp_path / "RP2350"
    pico.boot_loader(board, drive, 1 << 30, RP2350_INFO)
    with pytest.raises(WrongBoardError, match="is a RP2350"):
        flashing.install_micropython(pico.target(board, drive=drive), IMAGE, print, dry_run=False)
    assert [path.name for path in drive.iterdir()] == ["INFO_UF2.TXT"]


def test_a_drive_that_never_appears_is_a_timeout_that_says_so(
    board: VirtualBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootsel.wait_drive, "__defaults__", (0.2,))
    with pytest.raises(BoardTimeoutError, match=r"no RPI-RP2 drive appeared within 0\.2 s \(is it mounted\?"):
        flashing.install_micropython(pico.target(board), IMAGE, print, dry_run=False)


def test_a_board_that_another_process_holds_is_left_alone(board: VirtualBoard) -> None:
    with BoardLock(pico.CHIP), pytest.raises(BoardError, match=f"board {pico.CHIP} is in use"):
        flashing.deploy_firmware(pico.target(board), firmware_files(), print)
    with BoardLock(pico.CHIP), pytest.raises(BoardError, match=f"board {pico.CHIP} is in use"):
        flashing.install_micropython(pico.target(board), IMAGE, print, dry_run=False)
    codes = [event.details["code"] for event in board.events if event.kind == "exit"]
    assert 7 not in codes  # machine.bootloader() was not called
    board.power_off()
    assert "lib/ascnode_fw/node.mpy" not in read_files(board.flash.read_bytes())


def test_a_blank_board_that_waits_in_its_boot_loader_is_written(tmp_path: Path, board: VirtualBoard) -> None:
    drive = make_drive(tmp_path / "RPI-RP2")
    seen: list[str] = []
    watcher = vanish_after(drive, len(UF2))
    blank = pico.target(board, drive=drive)
    target = flashing.install_micropython(blank, IMAGE, seen.append, dry_run=False)
    watcher.join(10)
    assert seen[0] == f"writing pico.uf2 to {drive} (Raspberry Pi RP2)"
    assert target.port == board.port


def test_a_chip_that_comes_back_with_another_id_gets_no_firmware(tmp_path: Path, board: VirtualBoard) -> None:
    # From its boot loader an RP2040 cannot say who it is: the proof comes when MicroPython runs.
    target = pico.target(board, chip_id="00000000000000aa", port=board.port)
    with pytest.raises(
        WrongBoardError, match=f"is board {pico.CHIP}, not 00000000000000aa: nothing was written"
    ):
        flashing.deploy_firmware(target, firmware_files(), print)


def test_old_micropython_is_refused_with_what_to_do(
    board: VirtualBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flashing, "MINIMUM_VERSION", (9, 9))
    with pytest.raises(BoardError, match=r"runs MicroPython 1\..*needs MicroPython 9\.9: give --image too"):
        flashing.deploy_firmware(pico.target(board), firmware_files(), print)
