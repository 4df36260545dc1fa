"""The boot loader's drive: proved, written, and gone, each with a deadline."""

import threading
from pathlib import Path

import pytest

from ascnode.boards import bootsel
from ascnode.boards.kinds import KINDS
from ascnode.errors import BoardError, BoardTimeoutError, WrongBoardError
from bench_boards.fake_drive import RP2350_INFO, VanishingDrive, make_drive, vanish_after
from bench_boards.uf2_maker import RP2350_ARM, uf2

PICO, PICO2 = KINDS["rp2040"], KINDS["rp2350"]
IMAGE = uf2(bytes(range(256)) * 300)


def test_a_drive_is_known_by_its_info_file(tmp_path: Path) -> None:
    drive = make_drive(tmp_path / "RPI-RP2")
    (tmp_path / "photos").mkdir()
    found = bootsel.drives_at([tmp_path / "photos", drive, tmp_path / "absent"])
    assert found == [bootsel.Drive(drive, "RPI-RP2", "Raspberry Pi RP2")]
    with pytest.raises(BoardError, match="not a boot loader's drive"):
        bootsel.drive_at(tmp_path / "photos")


@pytest.mark.parametrize("info", ["", "Board-ID\n", "Board-ID: \n", "\xff" * 5000, "Model: Board-ID\n"])
def test_an_info_file_that_names_no_board_is_no_drive(tmp_path: Path, info: str) -> None:
    assert bootsel.drives_at([make_drive(tmp_path / "drive", info)]) == []


def test_an_image_is_copied_and_the_drive_that_goes_is_success(tmp_path: Path) -> None:
    folder = make_drive(tmp_path / "RPI-RP2")
    watcher = vanish_after(folder, len(IMAGE))
    steps: list[tuple[int, int]] = []
    bootsel.write(
        bootsel.drive_at(folder), IMAGE, PICO, lambda done, total: steps.append((done, total)), wait_s=10
    )
    watcher.join(10)
    assert steps[-1] == (len(IMAGE), len(IMAGE))
    assert not folder.exists()


@pytest.mark.parametrize("take", [1, 20_000])
def test_an_error_of_a_drive_that_vanishes_in_the_middle_is_success(tmp_path: Path, take: int) -> None:
    drive = VanishingDrive(tmp_path / "RPI-RP2", take=take)
    bootsel.write(bootsel.drive_at(drive.path), IMAGE, PICO, wait_s=10)
    drive.join()
    assert drive.received == IMAGE[: len(drive.received)]
    assert len(drive.received) >= take


def test_a_drive_that_stays_is_a_timeout(tmp_path: Path) -> None:
    folder = make_drive(tmp_path / "RPI-RP2")
    with pytest.raises(BoardTimeoutError, match=r"is still there 0\.2 s after the image was written"):
        bootsel.write(bootsel.drive_at(folder), IMAGE, PICO, wait_s=0.2)
    assert (folder / "ascnode.uf2").read_bytes() == IMAGE


def test_an_error_of_a_drive_that_stays_is_an_error(tmp_path: Path) -> None:
    folder = make_drive(tmp_path / "RPI-RP2")
    (folder / "ascnode.uf2").mkdir()
    with pytest.raises(BoardError, match="writing the image failed: Is a directory"):
        bootsel.write(bootsel.drive_at(folder), IMAGE, PICO, wait_s=0.2)


def test_nothing_is_written_to_another_chip(tmp_path: Path) -> None:
    folder = make_drive(tmp_path / "RP2350", RP2350_INFO)
    with pytest.raises(WrongBoardError, match=r"is a RP2350 \(Raspberry Pi RP2350\), not a rp2040"):
        bootsel.write(bootsel.drive_at(folder), IMAGE, PICO)
    assert [path.name for path in folder.iterdir()] == ["INFO_UF2.TXT"]


@pytest.mark.parametrize("image", [IMAGE[:-512], uf2(b"x" * 300, RP2350_ARM), b"not an image"])
def test_no_bad_image_is_written(tmp_path: Path, image: bytes) -> None:
    folder = make_drive(tmp_path / "RPI-RP2")
    with pytest.raises(BoardError, match="UF2"):
        bootsel.write(bootsel.drive_at(folder), image, PICO)
    assert [path.name for path in folder.iterdir()] == ["INFO_UF2.TXT"]


def test_a_drive_is_waited_for_and_known_ones_do_not_count(tmp_path: Path) -> None:
    old, new = make_drive(tmp_path / "a"), tmp_path / "b"
    timer = threading.Timer(0.1, make_drive, (new,))
    timer.start()
    look = lambda: bootsel.drives_at([old, new])  # noqa: E731
    assert bootsel.wait_drive(PICO, [old], look, 5).path == new
    with pytest.raises(BoardTimeoutError, match=r"no RPI-RP2 drive appeared within 0\.1 s"):
        bootsel.wait_drive(PICO, [old, new], look, 0.1)
    with pytest.raises(BoardError, match="two boot loaders appeared"):
        bootsel.wait_drive(PICO, [], look, 5)
    with pytest.raises(WrongBoardError):
        bootsel.wait_drive(PICO2, [old], look, 5)


def test_one_of_two_waiting_boards_is_never_guessed(tmp_path: Path) -> None:
    drives = bootsel.drives_at(make_drive(tmp_path / name) for name in ("a", "b"))
    drives += bootsel.drives_at([make_drive(tmp_path / "c", RP2350_INFO)])
    with pytest.raises(BoardError, match="2 boards wait as RPI-RP2 drives"):
        bootsel.only_drive(drives, PICO)
    assert bootsel.only_drive(drives, PICO2) == drives[2]
    assert bootsel.only_drive([], PICO) is None
