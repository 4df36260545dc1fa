"""Power on, off and cut, and what is left behind when a process dies."""

import os
import random
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest

from ascnode.boards.flash_image import read_files
from ascnode.boards.virtual import VirtualBoard
from ascnode.errors import BoardError, BoardTimeoutError
from boards.rig import FIRMWARE_LOOP, PROMPT, eventually, interpreter, rig, write_image

# Renames two files over and over. Each holds its round's number and the CRC-32 of what is before it; the second
# file is never ahead of the first.
RENAMES = (
    FIRMWARE_LOOP
    + """
import binascii
def sealed(n):
    body = n.to_bytes(4, "little") + bytes((n + i) & 255 for i in range(5000))
    return body + binascii.crc32(body).to_bytes(4, "little")
n = int.from_bytes(hal.store.read("first")[:4], "little")
while True:
    hal.store.write("second", sealed(n))
    n += 1
    hal.store.write("first", sealed(n))
"""
)


def sealed(n: int) -> bytes:
    body = n.to_bytes(4, "little") + bytes((n + i) & 255 for i in range(5000))
    return body + zlib.crc32(body).to_bytes(4, "little")


def gone(pid: int) -> bool:
    """Whether the process has ended; a zombie that waits for its parent has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_kills_at_sixty_random_instants_leave_every_file_old_or_new(tmp_path: Path) -> None:
    instants = random.Random(60)
    files = {"first": sealed(0), "second": sealed(0)}
    last = 0
    with rig(tmp_path, RENAMES, files) as (board, port):
        for _ in range(60):
            port.read_until(b"READY")
            time.sleep(instants.uniform(0, 0.02))
            board.cut()
            found = read_files(board.flash.read_bytes())
            first, second = (int.from_bytes(found[name][:4], "little") for name in ("first", "second"))
            assert (found["first"], found["second"]) == (sealed(first), sealed(second))
            assert last <= second <= first <= second + 1
            last = second
            board.power_on()
    assert last > 60


def test_a_cut_while_a_file_is_written_keeps_what_was_there(tmp_path: Path) -> None:
    main = FIRMWARE_LOOP + "hal.store.write('kept', b'old')\n"
    main += "file = open('/kept', 'r+b')\nfile.write(b'NEW')\nconsole.write(b'HALF', 4)\nconsole.wait(-1)"
    with rig(tmp_path, main) as (board, port):
        port.read_until(b"HALF")
        board.cut()
        assert read_files(board.flash.read_bytes())["kept"] == b"old"


def test_flash_outlives_the_power_and_the_board_object(tmp_path: Path) -> None:
    with rig(tmp_path, "") as (board, port):
        port.read_until(PROMPT)
        port.run("f = open('/note', 'w'); f.write('kept'); f.close()")
        board.power_off()
        board.power_on()
        port.read_until(PROMPT)
        assert port.run("open('/note').read()") == b"'kept'\n"
        flash = board.flash
    with VirtualBoard(flash) as again:
        again.power_on()
    assert read_files(flash.read_bytes())["note"] == b"kept"


def test_a_board_starts_without_power_and_power_on_twice_is_once(tmp_path: Path) -> None:
    write_image(tmp_path / "flash.img", "")
    with VirtualBoard(tmp_path / "flash.img", interpreter=interpreter()) as board:
        assert board.port.startswith("/dev/")
        assert (board.alive, board.boots) == (False, 0)
        board.power_on()
        board.power_on()
        assert (board.alive, board.boots) == (True, 1)
        board.power_off()
        assert (board.alive, board.boots) == (False, 1)


def test_boards_power_up_together_without_waiting_for_each_other(tmp_path: Path) -> None:
    vm = interpreter()
    boards = []
    for i in range(8):
        write_image(tmp_path / f"{i}.img", f"print('I am {i}')\n")
        boards.append(VirtualBoard(tmp_path / f"{i}.img", interpreter=vm))
    try:
        for board in boards:
            board.start()
        for board in boards:
            board.power_on(wait=False)
        for board in boards:
            board.wait_boot()
        assert len({board.port for board in boards}) == 8
        assert all(board.alive for board in boards)
    finally:
        for board in boards:
            board.close()


def test_the_link_leads_to_the_port_and_goes_with_the_board(tmp_path: Path) -> None:
    link = tmp_path / "satellite-1"
    link.symlink_to("/dev/null")  # left behind by a supervisor that was killed
    with rig(tmp_path, "", link=link) as (board, _):
        assert link.readlink() == Path(board.port)
    assert not link.is_symlink()


def test_a_link_does_not_replace_a_file(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    write_image(tmp_path / "flash.img", "")
    board = VirtualBoard(tmp_path / "flash.img", interpreter=interpreter(), link=tmp_path / "thesis.txt")
    with board, pytest.raises(BoardError, match=r"board flash: no serial port can be made: .*File exists"):
        board.power_on()
    assert (tmp_path / "thesis.txt").read_text() == "precious"


HOST = """
import sys, time
from pathlib import Path
from ascnode.boards.virtual import VirtualBoard
board = VirtualBoard(Path(sys.argv[1]))
board.start()
board.power_on()
print(board._running().pid, board.events[-1].details["pid"], flush=True)
time.sleep(60)
"""


def test_a_host_killed_with_kill_9_leaves_no_process_behind(tmp_path: Path) -> None:
    interpreter()
    write_image(tmp_path / "flash.img", "while True:\n    pass\n")
    command = [sys.executable, "-c", HOST, str(tmp_path / "flash.img")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as host:
        assert host.stdout is not None
        supervisor, child = (int(pid) for pid in host.stdout.readline().split())
        assert not gone(supervisor)
        assert not gone(child)
        host.kill()
    eventually(lambda: gone(supervisor) and gone(child), "end of both processes")


def test_a_supervisor_killed_with_kill_9_takes_its_board_along_and_the_host_hears(tmp_path: Path) -> None:
    with rig(tmp_path, "while True:\n    pass\n") as (board, _):
        child = int(board.events[-1].details["pid"])
        os.kill(board._running().pid, signal.SIGKILL)
        eventually(lambda: gone(child), "end of the board's process")
        eventually(lambda: not board.alive, "end of the board")
        with pytest.raises(BoardError, match="its supervisor process has ended"):
            board.reset()


def test_a_deadline_says_what_was_waited_for(tmp_path: Path) -> None:
    message = r"board flash: no sign of boot 2 within 0\.05 s"
    with rig(tmp_path, "") as (board, _), pytest.raises(BoardTimeoutError, match=message):
        board.wait_boot(2, deadline_s=0.05)


def test_a_flash_that_holds_no_file_system_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "blank.img").write_bytes(b"\xff" * (352 * 4096))
    with VirtualBoard(tmp_path / "blank.img", interpreter=interpreter()) as board:
        with pytest.raises(BoardError, match="board blank: cannot mount the flash image: OSError"):
            board.power_on()
        assert not board.alive


@pytest.mark.parametrize(("size", "reason"), [(None, "does not exist"), (4096 * 351, "has 1437696 bytes")])
def test_a_flash_that_is_missing_or_of_another_size_is_refused(
    tmp_path: Path, size: int | None, reason: str
) -> None:
    if size is not None:
        (tmp_path / "flash.img").write_bytes(bytes(size))
    board = VirtualBoard(tmp_path / "flash.img", interpreter=interpreter())
    with pytest.raises(BoardError, match=f"{reason}; a rp2040 needs 1441792 bytes"):
        board.start()


def test_a_supervisor_says_what_it_does_not_understand(tmp_path: Path) -> None:
    with rig(tmp_path, "") as (board, _):
        board._tell('fly "home" \\ \t')
        eventually(lambda: board.events[-1].kind == "error", "report")
        assert board.events[-1].details == {"reason": "unknown command 'fly \"home\" \\\\'"}
        assert board.alive


def test_an_unknown_profile_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match="no board profile 'pico'; there are rp2040, esp32"):
        VirtualBoard(tmp_path / "flash.img", "pico", interpreter())
