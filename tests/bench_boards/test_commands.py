"""`ascnode boards` and `ascnode flash` as a user runs them, on virtual boards behind real ports."""

import io
import json
import os
import re
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

import pytest

from ascnode.boards import bench
from ascnode.boards.virtual import VirtualBoard
from ascnode.cli.main import main
from boards.rig import PROMPT, rig

CHIP = "0123456789abcdef"


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualBoard]:
    """At its REPL."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with rig(tmp_path, "", {"board.id": bytes.fromhex(CHIP)}) as (board, port):
        port.read_until(PROMPT)
        port.serial.close()
        yield board


def run(folder: Path, *arguments: str) -> tuple[object, str, str]:
    """Status, output and errors of a command, in this process: each start of one takes a second."""
    out, error = io.StringIO(), io.StringIO()
    command = patch.object(sys, "argv", ["ascnode", *arguments])
    with (
        command,
        chdir(folder),
        redirect_stdout(out),
        redirect_stderr(error),
        pytest.raises(SystemExit) as ended,
    ):
        main()
    return ended.value.code or 0, out.getvalue(), error.getvalue()


def succeed(folder: Path, *arguments: str) -> str:
    status, out, error = run(folder, *arguments)
    assert (status, error) == (0, ""), out + error
    return out


def fail(folder: Path, *arguments: str) -> str:
    status, out, error = run(folder, *arguments)
    assert status == 1, out + error
    assert error.count("\n") == 1
    assert error.startswith("ascnode: ")
    return error


def test_from_an_unknown_board_to_a_flashed_one_in_the_bench_file(
    board: VirtualBoard, tmp_path: Path
) -> None:
    port = ("--port", board.port)
    listed = json.loads(succeed(tmp_path, "boards", "list", "--json", *port))
    assert [one["path"] for one in listed if one["what"] == "named by you"] == [board.port]
    mapped = succeed(tmp_path, "boards", "map", *port)
    assert f"added {CHIP} virtual-cdef (virtual)" in mapped
    assert f"kept  {CHIP}" in succeed(tmp_path, "boards", "map", *port)
    assert bench.load(tmp_path / "bench.toml").boards[CHIP].name == "virtual-cdef"

    flash = ("flash", "--board", "virtual", "--bench", "virtual-cdef", *port)
    planned = re.search(r"would write (\d+) files", succeed(tmp_path, *flash, "--dry-run"))
    assert planned and int(planned[1]) > 40
    assert f"wrote {planned[1]} files" in succeed(tmp_path, *flash)
    again = succeed(tmp_path, *flash)
    assert "wrote 0 files" in again
    assert f"hello from {CHIP} on {board.port}: ascnode " in again

    probed = json.loads(succeed(tmp_path, "boards", "probe", "--json", *port))
    assert [(one["chip_id"], one["name"], one["commandable"]) for one in probed] == [
        (CHIP, "virtual-cdef", True)
    ]
    assert "virtual-cdef" in succeed(tmp_path, "boards", "probe", *port)


def test_a_board_that_the_bench_file_calls_something_else_is_refused(
    board: VirtualBoard, tmp_path: Path
) -> None:
    port = ("--port", board.port)
    other = "00000000000000aa"
    (tmp_path / "bench.toml").write_text(f'[boards.{other}]\nname = "nadir"\nkind = "virtual"\n')
    error = fail(tmp_path, "flash", "--board", "virtual", "--bench", "nadir", *port)
    assert f"is board {CHIP}, not {other}: nothing was written" in error
    error = fail(tmp_path, "flash", "--board", "rp2040", "--bench", "nadir", *port)
    assert "nadir is a virtual in bench.toml, not a rp2040: nothing was written" in error
    assert "not a esp32: nothing was written" in fail(tmp_path, "flash", "--board", "esp32", *port)
    assert "there are nadir" in fail(tmp_path, "flash", "--board", "virtual", "--bench", "zenith", *port)


def test_without_boards_it_says_what_to_do(tmp_path: Path) -> None:
    nothing = "no boards found: plug one in"
    if nothing not in run(tmp_path, "boards", "list")[1]:
        pytest.skip("boards are plugged in here")
    assert json.loads(succeed(tmp_path, "boards", "list", "--json")) == []
    assert nothing in succeed(tmp_path, "boards", "probe")
    assert nothing in fail(tmp_path, "boards", "map")
    assert nothing in fail(tmp_path, "flash", "--board", "rp2040")
    assert not (tmp_path / "bench.toml").exists()


def test_a_port_that_does_not_answer_is_in_the_table_and_in_the_status(tmp_path: Path) -> None:
    status, out, error = run(tmp_path, "boards", "probe", "--port", "/dev/no-such-port")
    assert (status, error) == (1, "ascnode: no board answered\n")
    assert "no such port: is the board plugged in?" in out
    status, _, error = run(tmp_path, "boards", "map", "--port", "/dev/no-such-port")
    assert status == 1
    assert error.endswith("ascnode: no board answered: nothing was written\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--board", "z80"), "no kind of board 'z80': there are rp2040"),
        (("--board", "rp2040", "--image", "a", "--version", "1"), "exclude each other"),
        (("--board", "rp2040", "--image", "absent.uf2"), "absent.uf2: No such file"),
        (("--board", "rp2040", "--sha256", "0" * 64), "--sha256 is of an image"),
        (("--board", "rp2040", "--image", "junk", "--drive", "."), "not a UF2 file"),
        (("--board", "rp2040", "--image", "junk", "--sha256", "0" * 64), "its SHA-256 is "),
        (("--board", "esp32", "--image", "junk", "--port", "/dev/no-such-port"), "not an image for an ESP32"),
        (("--board", "rp2040", "--version", "1.0"), "MicroPython 1.0 is not known here"),
        (("--board", "virtual", "--image", "junk", "--port", "x"), "takes no image"),
        (("--board", "pico-ice", "--bitstream", "junk"), "not an iCE40 bitstream"),
        (("--board", "rp2040", "--bitstream", "junk"), "has no FPGA"),
        (("--board", "pico-ice", "--bitstream", "junk", "--version", "1.27.0"), "--bitstream goes alone"),
        (("--board", "virtual", "--port", "/dev/no-such-port"), "no such port"),
        (("--board", "virtual", "--bench", "x", "--bench-file", "junk"), "junk: not TOML"),
        (("--board", "virtual", "--bench", "x"), "bench.toml: No such file"),
    ],
)
def test_what_is_wrong_is_one_sentence(tmp_path: Path, arguments: tuple[str, ...], sentence: str) -> None:
    (tmp_path / "junk").write_bytes(b"MZ" * 512)
    assert sentence in fail(tmp_path, "flash", *arguments)


def test_a_shell_opens_the_boards_repl_through_mpremote(board: VirtualBoard, tmp_path: Path) -> None:
    succeed(tmp_path, "flash", "--board", "virtual", "--port", board.port)
    steps = [(b"exit this shell", b"print(6*7)\r"), (b"\n42", b"\x18")]
    assert "Connected to MicroPython" in in_terminal(tmp_path, ["boards", "shell", board.port], steps)


def test_a_shell_of_nothing_is_one_sentence(tmp_path: Path) -> None:
    assert "no such port" in fail(tmp_path, "boards", "shell", "/dev/no-such-port")
    assert "bench.toml: No such file" in fail(tmp_path, "boards", "shell", "nadir")


def in_terminal(folder: Path, arguments: list[str], steps: list[tuple[bytes, bytes]]) -> str:
    """What a command shows on a terminal; of each step, the second is typed when the first has been shown."""
    master, slave = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "ascnode", *arguments], cwd=folder, stdin=slave, stdout=slave, stderr=slave
    )
    os.close(slave)
    shown = b""
    try:
        for expected, typed in steps:
            while expected not in shown:
                assert select.select([master], [], [], 30)[0], shown
                shown += os.read(master, 4096)
            os.write(master, typed)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        os.close(master)
    return shown.decode(errors="replace")
