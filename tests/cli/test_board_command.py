"""`ascnode board`: a virtual board by itself."""

import os
import signal
import time
from pathlib import Path

import pytest
import serial

from ascnode.boards.interpreter import find_interpreter
from loop.demo_process import alive, children, run, start


@pytest.mark.skipif(find_interpreter() is None, reason="no MicroPython interpreter on this machine")
def test_it_serves_the_nodes_firmware_on_a_link_until_ctrl_c(tmp_path: Path) -> None:
    link = tmp_path / "ttyNODE"
    process = start(tmp_path, "board", "node.flash", "--link", link)
    deadline = time.monotonic() + 20
    while not link.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    with serial.Serial(str(link), timeout=0.2) as port:
        heard = b""
        while b"sim software" not in heard and time.monotonic() < deadline:
            port.write(b"\0" + bytes.fromhex("04040101") + b"\0")  # noise: no answer
            heard += port.read(200)
            port.write(hello())
    assert b"sim software" in heard
    family = children(process.pid)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=20)
    assert (process.returncode, error) == (130, "ascnode: stopped by Ctrl-C\n")
    assert not any(map(alive, family))
    assert not os.path.lexists(link)
    assert (tmp_path / "node.flash").stat().st_size == 352 * 4096


def hello() -> bytes:
    from ascnode.session.session import _next_hello

    return _next_hello(0)[1]


def test_an_unknown_profile_is_one_sentence(tmp_path: Path) -> None:
    status, _, error = run(tmp_path, "board", "node.flash", "--profile", "z80")
    assert status == 1
    assert error == "ascnode: no board profile 'z80': there are rp2040, esp32\n"
    assert not (tmp_path / "node.flash").exists()


def test_without_an_interpreter_it_says_where_to_get_one(tmp_path: Path) -> None:
    status, _, error = run(tmp_path, "board", "node.flash", ASCNODE_MICROPYTHON="none")
    assert status == 1
    assert "MicroPython" in error
    assert error.count("\n") == 1


def test_help_names_every_command(tmp_path: Path) -> None:
    status, out, _ = run(tmp_path, "--help")
    assert status == 0
    assert "demo" in out
    assert "board" in out


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (
            ["--board", "emulated"],
            "an emulated board runs an official MicroPython image: download an RPI_PICO .uf2",
        ),
        (["--board", "emulated", "--uf2", "none.uf2"], "none.uf2: No such file or directory; download"),
        (["--board", "paper"], "no kind of board 'paper': there are virtual, emulated"),
        (["--uf2", "none.uf2"], "--uf2 is the image of emulated boards: give --board emulated too"),
    ],
)
@pytest.mark.parametrize(
    "command", [["board", "new.img"], ["demo"], ["run", "demo.toml"]], ids=lambda c: c[0]
)
def test_a_kind_of_board_that_cannot_be_had_is_one_sentence(
    command: list[str], options: list[str], reason: str, tmp_path: Path
) -> None:
    status, _, error = run(tmp_path, *command, *options, ASCNODE_UF2="")
    assert status == 1
    assert error.startswith(f"ascnode: {reason}")
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())
