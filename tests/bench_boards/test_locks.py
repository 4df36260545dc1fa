"""Locks: one process a board, gone with its process."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ascnode.boards.locks import BoardLock, lock_folder
from ascnode.errors import BoardError

CHIP = "e6614c311b5f7e2a"
HOLD = f"""
import sys
from ascnode.boards.locks import BoardLock
with BoardLock({CHIP!r}):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def holder() -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_process_is_told_who_holds_the_board(holder: "subprocess.Popen[str]") -> None:
    with pytest.raises(BoardError, match=rf"board {CHIP} is in use by process {holder.pid} \(-c\)"):
        BoardLock(CHIP).acquire()
    with BoardLock("0123456789abcdef"):
        pass  # another board is free


def test_a_lock_dies_with_its_process_however_it_ends(holder: "subprocess.Popen[str]") -> None:
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with BoardLock(CHIP):
        pass


def test_a_lock_is_not_kept_by_programs_that_its_holder_started() -> None:
    lock = BoardLock(CHIP)
    lock.acquire()
    child = subprocess.Popen(["sleep", "60"])
    try:
        os.close(lock._fd or -1)  # as the kernel does when the holder dies
        with BoardLock(CHIP):
            pass
    finally:
        child.kill()
        child.wait()


def test_within_a_process_a_board_is_held_once_and_can_be_had_again() -> None:
    first = BoardLock(CHIP)
    with first:
        first.acquire()
        with pytest.raises(BoardError, match=f"in use by process {os.getpid()}"):
            BoardLock(CHIP).acquire()
    with BoardLock(CHIP):
        pass
    first.release()


@pytest.mark.parametrize("chip_id", ["", "../../etc/passwd", "E661", "xyz", "ab/cd", "a" * 65])
def test_only_a_chip_id_becomes_a_file_name(chip_id: str) -> None:
    with pytest.raises(BoardError, match="not a chip id"):
        BoardLock(chip_id)


def test_the_folder_is_this_users_alone(runtime: Path) -> None:
    assert lock_folder().stat().st_mode & 0o777 == 0o700
    (runtime / "ascnode").chmod(0o755)
    with pytest.raises(BoardError, match="not a folder of yours alone"):
        BoardLock(CHIP).acquire()


def test_a_link_in_the_folders_place_is_refused(runtime: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (runtime / "ascnode").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BoardError, match="not a folder of yours alone"):
        lock_folder()


def test_without_a_runtime_folder_the_temporary_one_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert lock_folder() == tmp_path / f"ascnode-{os.getuid()}"
