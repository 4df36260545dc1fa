"""Soft resets, the REPL's two modes, and what a program on the port sees of them."""

import os
import signal
from pathlib import Path

import pytest

from ascnode.errors import BoardError
from boards.rig import FIRMWARE_LOOP, PROMPT, eventually, rig

COUNTS_BOOTS = """
try:
    with open("/boots") as file:
        boots = int(file.read())
except OSError:
    boots = 0
with open("/boots", "w") as file:
    file.write(str(boots + 1))
print("main", boots + 1)
"""


def test_ctrl_d_shows_a_soft_reset_and_runs_boot_and_main_again(tmp_path: Path) -> None:
    with rig(tmp_path, COUNTS_BOOTS, {"boot.py": b"print('boot')\n"}) as (board, port):
        assert port.read_until(PROMPT).startswith(b"boot\nmain 1\nMicroPython ")
        port.write(b"\x04")
        assert port.read_until(PROMPT).startswith(b"\r\nMPY: soft reboot\r\nboot\nmain 2\nMicroPython ")
        assert board.boots == 2


def test_variables_of_main_are_there_at_the_repl_and_gone_after_a_soft_reset(tmp_path: Path) -> None:
    with rig(tmp_path, COUNTS_BOOTS) as (_, port):
        port.read_until(PROMPT)
        assert port.run("sorted(globals())[-2:]") == b"['boots', 'file']\n"
        port.run("stays = 1")
        port.write(b"\x04")
        port.read_until(PROMPT)
        assert b"NameError" in port.run("stays")


def test_the_raw_repl_stays_raw_over_a_soft_reset_and_skips_main(tmp_path: Path) -> None:
    with rig(tmp_path, COUNTS_BOOTS, {"boot.py": b"print('boot')\n"}) as (_, port):
        port.read_until(PROMPT)
        port.write(b"\x01")
        port.read_until(b"raw REPL; CTRL-B to exit\r\n>")
        # What a program prints is no sign of the friendly REPL.
        port.write(b"print('>>> ')\x04")
        assert port.read_until(b"\x04>") == b"OK>>> \n\x04\x04>"
        port.write(b"\x04")
        assert port.read_until(b"soft reboot\r\n") == b"OK\r\nMPY: soft reboot\r\n"
        assert b"main" not in port.read_until(b"raw REPL; CTRL-B to exit\r\n>").split(b"boot\n")[-1]
        port.write(b"print(6*7)\x04")
        assert port.read_until(b"\x04>") == b"OK42\n\x04\x04>"


def test_ctrl_b_leads_back_to_the_friendly_repl_and_a_reset_then_runs_main(tmp_path: Path) -> None:
    with rig(tmp_path, COUNTS_BOOTS) as (_, port):
        port.read_until(PROMPT)
        port.write(b"\x01")
        port.read_until(b"raw REPL; CTRL-B to exit\r\n>")
        port.write(b"\x02")
        port.read_until(PROMPT)
        port.write(b"\x04")
        assert b"main 2\n" in port.read_until(PROMPT)


def test_firmware_resets_itself_and_its_port_stays_open(tmp_path: Path) -> None:
    main = COUNTS_BOOTS + "import machine\nif boots < 2:\n    machine.soft_reset()\n"
    with rig(tmp_path, main) as (board, port):
        expected = b"main 1\nMPY: soft reboot\r\nmain 2\nMPY: soft reboot\r\nmain 3\n"
        assert port.read_until(b"main 3\n") == expected
        assert board.boots == 3


def test_an_exit_code_is_reported_and_the_board_starts_again(tmp_path: Path) -> None:
    with rig(tmp_path, COUNTS_BOOTS + "import sys\nif boots == 0:\n    sys.exit(7)\n") as (board, port):
        port.read_until(PROMPT)
        exits = [event.details for event in board.events if event.kind == "exit"]
        assert (exits, board.boots) == ([{"code": 7}], 2)


def test_a_port_stays_open_over_reset_and_power_cycle(tmp_path: Path) -> None:
    with rig(tmp_path, COUNTS_BOOTS) as (board, port):
        port.read_until(b"main 1\n")
        board.reset()
        port.read_until(b"main 2\n")
        board.power_off()
        assert not board.alive
        board.power_on()
        port.read_until(b"main 3\n")
        assert board.alive


def test_bytes_sent_during_a_soft_reset_reach_the_next_run(tmp_path: Path) -> None:
    main = COUNTS_BOOTS + "import machine, sys\nif boots == 0:\n    machine.soft_reset()\nprint(input())\n"
    with rig(tmp_path, main) as (_, port):
        port.read_until(b"soft reboot\r\n")
        port.write(b"in between\r")
        port.read_until(b"main 2\nin between\r\nin between\n")


def test_bytes_sent_without_power_are_lost(tmp_path: Path) -> None:
    with rig(tmp_path, COUNTS_BOOTS) as (board, port):
        port.read_until(PROMPT)
        board.power_off()
        port.write(b"print('late')\r" * 100)
        assert port.silent(0.1) == b""
        board.power_on()
        assert b"late" not in port.read_until(PROMPT) + port.silent(0.1)


def test_a_crash_is_reported_and_reset_brings_the_board_back(tmp_path: Path) -> None:
    with rig(tmp_path, COUNTS_BOOTS) as (board, port):
        port.read_until(PROMPT)
        os.kill(int(board.events[-1].details["pid"]), signal.SIGSEGV)
        eventually(lambda: not board.alive, "end of the board")
        assert board.events[-1].kind == "crash"
        assert board.events[-1].details == {"signal": 11}
        with pytest.raises(BoardError, match="killed by signal 11"):
            board.wait_boot(2)
        board.reset()
        port.read_until(b"main 2\n")


def test_a_failing_boot_file_keeps_main_from_running_and_leaves_the_repl(tmp_path: Path) -> None:
    with rig(tmp_path, COUNTS_BOOTS, {"boot.py": b"1 / 0\n"}) as (_, port):
        output = port.read_until(PROMPT)
        assert b"ZeroDivisionError" in output
        assert b"main" not in output


def test_firmware_that_fails_with_the_console_taken_leaves_a_working_repl(tmp_path: Path) -> None:
    with rig(tmp_path, FIRMWARE_LOOP + "raise ValueError('broken')\n") as (_, port):
        assert b"ValueError: broken" in port.read_until(PROMPT)
        port.write(b"x = input('name ')\r")
        port.read_until(b"name ")
        port.write(b"Mona\r")
        port.read_until(PROMPT)
        assert port.run("x") == b"'Mona'\n"


def test_firmware_that_gives_the_console_back_leaves_a_working_repl(tmp_path: Path) -> None:
    main = FIRMWARE_LOOP + "hal.repl()\nprint(input('name '), hal.unique_id())\n"
    with rig(tmp_path, main, {"board.id": b"\x01\x23\x45\x67\x89\xab\xcd\xef"}) as (_, port):
        port.read_until(b"name ")
        port.write(b"Mona\r")
        assert b"Mona b'\\x01#Eg\\x89\\xab\\xcd\\xef'\n" in port.read_until(PROMPT)
