"""Stock mpremote on a virtual board."""

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ascnode.boards.flash_image import read_files
from ascnode.boards.virtual import VirtualBoard
from boards.rig import ECHO, PROMPT, rig


def mpremote(board: VirtualBoard, *arguments: str) -> str:
    run = subprocess.run(
        [sys.executable, "-m", "mpremote", "connect", board.port, *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@pytest.fixture
def board(tmp_path: Path) -> Iterator[VirtualBoard]:
    """At the REPL."""
    with rig(tmp_path, "") as (board, port):
        port.read_until(PROMPT)
        yield board


def test_exec_with_and_without_a_soft_reset_first(board: VirtualBoard) -> None:
    assert mpremote(board, "exec", "kept = 6*7; print(kept)") == "42\n"
    assert board.boots == 2
    assert mpremote(board, "resume", "exec", "print(kept)") == "42\n"
    assert board.boots == 2


def test_files_are_copied_listed_hashed_and_read_back(board: VirtualBoard, tmp_path: Path) -> None:
    data = bytes(range(256)) * 20
    (tmp_path / "data.bin").write_bytes(data)
    mpremote(board, "cp", str(tmp_path / "data.bin"), ":data.bin")
    assert "5120 data.bin" in mpremote(board, "resume", "ls")
    assert hashlib.sha256(data).hexdigest() in mpremote(board, "resume", "sha256sum", "data.bin")
    mpremote(board, "resume", "cp", ":data.bin", str(tmp_path / "back.bin"))
    assert (tmp_path / "back.bin").read_bytes() == data
    board.power_off()
    assert read_files(board.flash.read_bytes())["data.bin"] == data


def test_a_local_script_runs_and_imports_from_a_mounted_folder(board: VirtualBoard, tmp_path: Path) -> None:
    (tmp_path / "colour.py").write_text("name = 'ultramarine'\n")
    (tmp_path / "script.py").write_text("import colour\nprint(colour.name)\n")
    output = mpremote(board, "mount", str(tmp_path), "run", str(tmp_path / "script.py"))
    assert "ultramarine\n" in output


def test_it_reaches_a_board_whose_firmware_is_in_its_grace_window(tmp_path: Path) -> None:
    with rig(tmp_path, "print('grace')\n" + ECHO, grace_ms=20_000) as (board, port):
        port.read_until(b"grace\n")
        port.serial.close()
        assert mpremote(board, "exec", "print(6*7)") == "42\n"
