"""The tools for real boards on an emulated one: it is asked, and filled, as a Pico is."""

import hashlib
import subprocess
import sys
from pathlib import Path

from ascnode.boards import identity
from ascnode.boards.emulated_image import PicoImage
from ascnode.boards.kinds import KINDS
from ascnode.boards.repl import Repl
from boards_emulated.desk import at_repl, desk

CHIP_ID = bytes.fromhex("e6614c311b5f7e2a")
DEADLINE_S = 120


def mpremote(path: str, *arguments: str) -> str:
    run = subprocess.run(
        [sys.executable, "-m", "mpremote", "connect", path, *arguments],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def test_it_is_asked_for_its_chip_and_mpremote_copies_files(tmp_path: Path, image: PicoImage) -> None:
    data = bytes(range(256)) * 4
    (tmp_path / "data.bin").write_bytes(data)
    with desk(tmp_path, image, files={"board.id": CHIP_ID}) as (board, port):
        at_repl(port)
        port.serial.close()
        with Repl(board.port) as repl:
            chip = identity.ask(repl)
        identity.require(chip, KINDS["rp2040"], CHIP_ID.hex())
        assert chip.firmware == f"MicroPython {image.version}"
        mpremote(board.port, "resume", "cp", str(tmp_path / "data.bin"), ":data.bin")
        listed = mpremote(board.port, "resume", "sha256sum", "data.bin")
        assert hashlib.sha256(data).hexdigest() in listed
