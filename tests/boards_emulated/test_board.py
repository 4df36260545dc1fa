"""An emulated board with power, without, reset, cut off at a write and at an instruction; and what is left behind."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import serial

from ascnode.boards.emulated import FLASH_BLOCKS, EmulatedBoard
from ascnode.boards.emulated_image import PicoImage
from ascnode.boards.flash_image import build_image, read_files
from ascnode.errors import BoardError, BoardTimeoutError
from boards.rig import PROMPT, eventually
from boards.test_power import gone
from boards_emulated.desk import DEADLINE_S, Serial, at_repl, desk

CHIP_ID = bytes.fromhex("e6614c311b5f7e2a")
# Writes "kept" in one rename, as the firmware's store does, whenever a line comes.
STORE = """
import os
def save(data):
    with open("kept.new", "wb") as file:
        file.write(data)
    os.rename("kept.new", "kept")
while True:
    input()
    save(b"new" * 700)
    print("saved")
    save(b"old" * 700)
"""


def test_it_is_a_pico_with_a_32_bit_heap_and_the_id_of_its_flash(tmp_path: Path, image: PicoImage) -> None:
    with desk(tmp_path, image, files={"board.id": CHIP_ID}) as (board, port):
        at_repl(port)
        assert board.port.startswith("/dev/")
        assert b"Raspberry Pi Pico with RP2040" in port.run(
            "import sys, machine; sys.implementation._machine"
        )
        assert port.run("machine.unique_id().hex()") == b"'e6614c311b5f7e2a'\r\n"
        assert port.run("sys.maxsize") == b"2147483647\r\n"
        assert port.run("bytes(range(256)) == bytes([n & 255 for n in range(256)])") == b"True\r\n"


def test_flash_outlives_power_and_board_and_its_port_stays_open(tmp_path: Path, image: PicoImage) -> None:
    with desk(tmp_path, image) as (board, port):
        at_repl(port)
        port.run("f = open('note', 'w'); f.write('kept'); f.close()")
        board.power_off()
        assert (board.alive, board.boots) == (False, 1)
        board.power_on(deadline_s=DEADLINE_S)
        at_repl(port)
        assert port.run("open('note').read()") == b"'kept'\r\n"
        board.reset(deadline_s=DEADLINE_S)
        at_repl(port)
        assert port.run("open('note').read()") == b"'kept'\r\n"
        assert (board.alive, board.boots) == (True, 3)
        flash = board.flash
    assert read_files(flash.read_bytes())["note"] == b"kept"


def test_a_chip_that_resets_itself_comes_back_and_says_so(tmp_path: Path, image: PicoImage) -> None:
    with desk(tmp_path, image) as (board, port):
        at_repl(port)
        port.write(b"import machine; machine.reset()\r")
        board.wait_boot(2, DEADLINE_S)
        at_repl(port)
        port.write(b"kept = 1\r\x04")
        assert b"MPY: soft reboot" in port.read_until(b"soft reboot")
        at_repl(port)
        assert b"NameError" in port.run("kept")
        assert board.boots == 2


def test_a_blank_flash_gets_a_file_system_at_the_first_boot(tmp_path: Path, image: PicoImage) -> None:
    (tmp_path / "blank.img").write_bytes(b"\xff" * (FLASH_BLOCKS * 4096))
    with (
        EmulatedBoard(tmp_path / "blank.img", image) as board,
        serial.Serial(board.port, timeout=DEADLINE_S) as port,
    ):
        board.power_on(deadline_s=DEADLINE_S)
        at_repl(Serial(port))
        assert Serial(port).run("open('a', 'w').close()") == b""
        board.power_off()
        assert read_files(board.flash.read_bytes()) == {"a": b""}


def test_a_second_of_sleep_is_a_second_and_costs_next_to_nothing(tmp_path: Path, image: PicoImage) -> None:
    with desk(tmp_path, image) as (board, port):
        at_repl(port)
        port.run("import time, machine")
        before_s = cpu_s(board)
        port.run("time.sleep(5)")
        # Without the patch of USB: 38 s of CPU a second.
        assert cpu_s(board) - before_s < 2.5


def cpu_s(board: EmulatedBoard) -> float:
    """CPU time of the board's process."""
    fields = Path(f"/proc/{board.events[-1].details['pid']}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_uart_can_be_made(tmp_path: Path, image: PicoImage) -> None:
    with desk(tmp_path, image) as (_, port):
        at_repl(port)
        assert b"UART(0, baudrate=115200" in port.run("import machine; machine.UART(0, 115200)")
        assert port.run("machine.UART(0).write(b'abc')") == b"3\r\n"


def test_bytes_are_not_lost_when_neither_side_keeps_up(tmp_path: Path, image: PicoImage) -> None:
    main = "import sys, micropython\nmicropython.kbd_intr(-1)\n"
    main += "while True:\n    sys.stdout.buffer.write(sys.stdin.buffer.read(500))\n"
    data = random.Random(1).randbytes(6000)
    with desk(tmp_path, image, main) as (_, port):
        port.write(data)
        assert port.read(len(data), DEADLINE_S) == data


@pytest.mark.parametrize(
    "halves", [pytest.param(0, marks=pytest.mark.deep), 1, pytest.param(2, marks=pytest.mark.deep)]
)
def test_a_cut_at_any_write_leaves_the_file_old_or_new(tmp_path: Path, image: PicoImage, halves: int) -> None:
    found = set()
    with desk(tmp_path, image, STORE, {"kept": b"old" * 700}) as (board, port):
        for number in range(1, 30):
            board.cut_at_write(number, halves)
            port.write(b"\r")
            if not cut(board, port):
                break
            content = read_files(board.flash.read_bytes())["kept"]
            assert content in (b"old" * 700, b"new" * 700)
            found.add(content[:3])
            board.power_on(deadline_s=DEADLINE_S)
        assert 8 < number < 29  # 2,100 bytes are nine pages
    assert b"old" in found


def cut(board: EmulatedBoard, port: Serial) -> bool:
    """Whether the power failed before the program had written what it writes."""
    while board.alive:
        if b"saved" in port.silent(0.1):
            return False
    assert board.events[-1].kind == "off"
    return True


@pytest.mark.parametrize("cuts", [4, pytest.param(60, marks=pytest.mark.deep)])
def test_a_cut_at_any_instruction_leaves_the_file_old_or_new(
    tmp_path: Path, image: PicoImage, cuts: int
) -> None:
    instants = random.Random(cuts)
    with desk(tmp_path, image, STORE, {"kept": b"old" * 700}) as (board, port):
        for _ in range(cuts):
            board.cut_after(instants.randrange(2_000_000))
            port.write(b"\r")
            while board.alive:
                port.write(b"\r")
                port.silent(0.05)
            assert read_files(board.flash.read_bytes())["kept"] in (b"old" * 700, b"new" * 700)
            board.power_on(deadline_s=DEADLINE_S)


def test_the_same_instruction_ends_the_same_way(tmp_path: Path, image: PicoImage) -> None:
    main = "n = 0\nwhile True:\n    n += 1\n    with open('n', 'w') as f:\n        f.write(str(n))\n"
    flashes, times = set(), set()
    for _ in range(2):
        with desk(tmp_path, image, main) as (board, _):
            board.reset(wait=False)
            board.cut_after(3_000_000)
            eventually(lambda board=board: board.events[-1].kind == "off", "cut", DEADLINE_S)
            flashes.add(board.flash.read_bytes())
            times.add(board.events[-1].details["time_ms"])
    assert len(flashes) == len(times) == 1
    assert int(read_files(flashes.pop())["n"]) > 1


def test_orders_that_make_no_sense_are_refused(tmp_path: Path, image: PicoImage) -> None:
    with desk(tmp_path, image) as (board, _):
        for number, halves in ((0, 0), (-1, 0), (1, 3)):
            with pytest.raises(BoardError, match="makes no sense"):
                board.cut_at_write(number, halves)
        with pytest.raises(BoardError, match="cut after -1 instructions makes no sense"):
            board.cut_after(-1)
        board._tell("fly home")
        eventually(lambda: board.events[-1].kind == "error", "report")
        assert board.events[-1].details == {"reason": "unknown command 'fly home'"}
        assert board.alive


def test_a_flash_of_another_size_and_a_deadline_are_told(tmp_path: Path, image: PicoImage) -> None:
    (tmp_path / "small.img").write_bytes(bytes(4096))
    with pytest.raises(BoardError, match="has 4096 bytes; a Pico needs 1441792 bytes"):
        EmulatedBoard(tmp_path / "small.img", image).start()
    with (
        desk(tmp_path, image) as (board, _),
        pytest.raises(BoardTimeoutError, match=r"board flash: no sign of boot 2 within 0\.05 s"),
    ):
        board.wait_boot(2, 0.05)


def test_an_image_that_went_away_is_told(tmp_path: Path, image: PicoImage) -> None:
    (tmp_path / "flash.img").write_bytes(build_image({}, FLASH_BLOCKS))
    board = EmulatedBoard(tmp_path / "flash.img", PicoImage(tmp_path / "gone.uf2", image.version))
    with board, pytest.raises(BoardError, match=r"board flash: the board cannot be made: .*gone\.uf2"):
        board.power_on()


def test_the_link_leads_to_the_port_and_goes_with_the_board(tmp_path: Path, image: PicoImage) -> None:
    (tmp_path / "flash.img").write_bytes(build_image({}, FLASH_BLOCKS))
    link = tmp_path / "satellite-1"
    link.symlink_to("/dev/null")  # left behind by an emulator that was killed
    with EmulatedBoard(tmp_path / "flash.img", image, link=link) as board:
        port = board.port
        assert link.readlink() == Path(port)
    assert not link.is_symlink()


HOST = """
import sys, time
from pathlib import Path
from ascnode.boards.emulated import EmulatedBoard
from ascnode.boards.emulated_image import find_image
board = EmulatedBoard(Path(sys.argv[1]), find_image(Path(sys.argv[2])))
board.start()
board.power_on(deadline_s=60)
print(board.events[-1].details["pid"], flush=True)
time.sleep(60)
"""


def test_a_host_killed_with_kill_9_leaves_no_process_behind(tmp_path: Path, image: PicoImage) -> None:
    (tmp_path / "flash.img").write_bytes(build_image({"main.py": b"while True: pass"}, FLASH_BLOCKS))
    command = [sys.executable, "-c", HOST, str(tmp_path / "flash.img"), str(image.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as host:
        assert host.stdout is not None
        emulator = int(host.stdout.readline())
        assert not gone(emulator)
        host.kill()
    eventually(lambda: gone(emulator), "end of the emulator")


def test_an_emulator_killed_with_kill_9_is_heard_of(tmp_path: Path, image: PicoImage) -> None:
    with desk(tmp_path, image, "while True: pass") as (board, _):
        os.kill(int(board.events[-1].details["pid"]), signal.SIGKILL)
        eventually(lambda: not board.alive, "end of the board")
        with pytest.raises(BoardError, match="its supervisor process has ended"):
            board.reset()


def test_the_prompt_is_an_ordinary_one(tmp_path: Path, image: PicoImage) -> None:
    with desk(tmp_path, image, "print('up')\n") as (_, port):
        at_repl(port)
        port.write(b"\x04")
        assert b"up\r\n" in port.read_until(PROMPT)
