"""Ctrl-C: a signal where MicroPython listens for one, a byte where it does not."""

import os
import time
from pathlib import Path

import pytest

from ascnode.boards import child
from boards.rig import ECHO, PROMPT, eventually, interpreter, rig

# Long calls without a look at pending exceptions: a second signal finds the first still waiting.
BUSY = "print('busy')\nwhile True:\n    max(range(20000))\n"

# Arms and disarms Ctrl-C a million times a second, for ever.
TOGGLES = """
import micropython
arm = micropython.kbd_intr
print("busy")
while True:
    try:
        while True:
            arm(3)
            arm(-1)
    except KeyboardInterrupt:
        pass
"""


def test_ctrl_c_ends_a_busy_main_and_leaves_the_repl(tmp_path: Path) -> None:
    with rig(tmp_path, BUSY) as (board, port):
        port.read_until(b"busy\n")
        port.write(b"\r\x03")
        assert b"KeyboardInterrupt" in port.read_until(PROMPT)
        assert board.boots == 1


def test_ctrl_c_ends_a_sleep_at_the_repl(tmp_path: Path) -> None:
    with rig(tmp_path, "") as (_, port):
        port.read_until(PROMPT)
        port.write(b"import time; print('zzz'); time.sleep(100)\r")
        port.read_until(b"zzz\n")
        port.write(b"\x03")
        assert b"KeyboardInterrupt" in port.read_until(PROMPT)


def test_ctrl_c_at_the_prompt_is_a_byte_that_clears_the_line(tmp_path: Path) -> None:
    with rig(tmp_path, "") as (_, port):
        port.read_until(PROMPT)
        port.write(b"garbage(")
        port.read_until(b"garbage(")
        port.write(b"\x03")
        assert port.read_until(PROMPT) == b"\r\n" + PROMPT
        assert port.run("6 * 7") == b"42\n"


def test_ctrl_c_is_a_byte_for_firmware_that_has_disarmed_it(tmp_path: Path) -> None:
    with rig(tmp_path, ECHO) as (board, port):
        port.read_until(b"READY")
        for size in (1, 2, 255, 1024):
            port.write(b"\x03" * size)
            assert port.read(size) == b"\x03" * size
        assert board.boots == 1


def test_a_burst_of_ctrl_c_interrupts_once_and_does_not_end_the_vm(tmp_path: Path) -> None:
    with rig(tmp_path, BUSY) as (board, port):
        port.read_until(b"busy\n")
        port.write(b"\x03" * 50)
        # The first is the interrupt; those that come when the VM is back at its prompt are bytes.
        output = port.read_until(PROMPT) + port.silent()
        assert output.count(b"KeyboardInterrupt") == 1
        assert port.run("6 * 7") == b"42\n"
        assert board.boots == 1


def test_ctrl_c_never_kills_a_vm_that_disarms_it_at_the_same_instant(monkeypatch: pytest.MonkeyPatch) -> None:
    look = child._catches_sigint

    def look_and_dawdle(pid: int) -> bool:
        armed = look(pid)
        time.sleep(0.0005)  # long enough for the VM to change its mind, if it can
        return armed

    monkeypatch.setattr(child, "_catches_sigint", look_and_dawdle)
    monkeypatch.setattr(child, "_DEBOUNCE_S", 0.0)
    vm = child.Child([*interpreter().command, "-c", TOGGLES], {})
    try:
        output = bytearray()
        eventually(
            lambda: output.extend(child.read_available(vm.terminal) or b"") or output == b"busy\n", "VM"
        )
        vm.mounted = True
        taken = 0
        for _ in range(200):
            taken += vm.interrupt()
            time.sleep(0.001)
        assert os.waitpid(vm.pid, os.WNOHANG) == (0, 0)
        assert 0 < taken < 200
    finally:
        vm.end()


def test_ctrl_c_in_the_grace_window_reaches_the_repl_before_the_firmware_runs(tmp_path: Path) -> None:
    main = ECHO.replace("hal = Hal()", "print('grace')\nhal = Hal()")
    with rig(tmp_path, main, grace_ms=5000) as (_, port):
        port.read_until(b"grace\n")
        port.write(b"\x03")
        output = port.read_until(PROMPT)
        assert b"KeyboardInterrupt" in output
        assert b"READY" not in output
