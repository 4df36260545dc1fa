"""Boards that are lost and found again, and ports that are not what they should be."""

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import serial

from ascnode.boards import bench
from ascnode.boards import serial as boards_serial
from ascnode.boards.identity import probe
from ascnode.boards.serial import SerialBoard, board_named, board_on, find
from ascnode.errors import BoardError, BoardTimeoutError, DictionaryMismatchError
from ascnode.session.opening import close_serial
from ascnode_fw.wire import dictionary as d
from bench_boards.desk import Desk
from boards.rig import PROMPT, rig
from session.fake_board import FakeBoard, make_twin

WAIT_S = 10


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.mark.parametrize("cycles", [12, pytest.param(100, marks=pytest.mark.deep)])
def test_a_board_that_is_lost_is_found_again_wherever_its_port_went_and_never_another(
    tmp_path: Path, cycles: int
) -> None:
    async def body(desk: Desk) -> set[str]:
        rng = random.Random(3)
        ways = set()
        async with contextlib.AsyncExitStack() as stack:
            boards = [
                await stack.enter_async_context(SerialBoard(chip, desk.candidates)) for chip in desk.chip_ids
            ]
            for board in boards:
                await board.connect(WAIT_S)
            for _ in range(cycles):
                node = rng.randrange(len(boards))
                ways.add(desk.lose(node))
                session = await boards[node].connect(WAIT_S)
                assert session.identity is not None
                assert session.identity.unique_id.hex() == desk.chip_ids[node]
                await session.begin(0)
                assert (await session.exchange(5_000_000)).now_us == 5_000_000
        return ways

    with Desk(tmp_path, 3) as desk:
        assert asyncio.run(body(desk)) == {"reset", "power", "unplug"}


def fake_chip_id() -> str:
    return make_twin().node.unique_id.hex()


def test_what_each_port_answered_is_told_when_the_board_is_not_there(tmp_path: Path) -> None:
    async def body() -> None:
        board, mute = FakeBoard(), FakeBoard(lambda body: [])
        try:
            with pytest.raises(BoardTimeoutError) as caught:
                await find("00000000000000ff", lambda: [board.path, mute.path, "/dev/no-such-port"], 0.5)
        finally:
            board.close()
            mute.close()
        text = str(caught.value)
        assert text.startswith("board 00000000000000ff did not answer within 0.5 s")
        assert f"{board.path}: board {fake_chip_id()}" in text
        assert f"{mute.path}: no hello" in text
        assert "/dev/no-such-port: no such port" in text

    asyncio.run(body())


def test_a_silent_port_does_not_hold_up_the_one_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boards_serial, "_TRY_S", 30)

    async def body() -> None:
        board, mute = FakeBoard(), FakeBoard(lambda body: [])
        session = await asyncio.wait_for(find(fake_chip_id(), lambda: [mute.path, board.path], 30), 10)
        session.close()
        with serial.Serial(mute.path, exclusive=True):
            pass  # and is free again
        board.close()
        mute.close()

    asyncio.run(body())


def test_a_board_with_another_dictionary_is_named_with_both_hashes() -> None:
    twin = make_twin()

    def handler(body: bytes) -> list[bytes]:
        return [reply.replace(d.digest(), b"\x12\x34\x56\x78\x9a\xbc\xde\xf0") for reply in twin.handle(body)]

    async def body() -> None:
        board = FakeBoard(handler)
        with pytest.raises(DictionaryMismatchError, match=f"123456789abcdef0.*{d.digest().hex()}"):
            await find(fake_chip_id(), lambda: [board.path], 5)
        board.close()

    asyncio.run(body())


def test_a_port_taken_by_another_program_is_told_with_the_program() -> None:
    master, slave = os.openpty()
    path = os.ttyname(slave)
    os.close(slave)
    hold = f"import serial,sys\ns=serial.Serial({path!r},exclusive=True)\nprint('held',flush=True)\nsys.stdin.read()"
    other = subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdout is not None
    assert other.stdout.readline() == b"held\n"
    with pytest.raises(
        BoardError, match=rf"cannot open {path}: process {other.pid} \(python.*\) has it open"
    ):
        probe(path)
    other.kill()
    other.communicate()
    with pytest.raises(BoardError, match="foreign firmware, or none"):
        probe(path, hello_s=0.1, enter_s=0.1)
    os.close(master)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open everything")
def test_without_permission_the_group_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ttyACM0"
    path.touch(mode=0o000)
    with pytest.raises(BoardError, match="permission denied: add yourself to the group"):
        probe(str(path))


def test_a_missing_permission_names_the_ports_group(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise serial.SerialException(13, "Permission denied")

    monkeypatch.setattr(serial, "Serial", refuse)
    with pytest.raises(BoardError, match=r"cannot open /dev/null: permission denied: .* usermod -aG root"):
        probe("/dev/null")


def test_a_file_that_is_no_port_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(BoardError, match=r"cannot open .*notes.txt"):
        probe(str(tmp_path / "notes.txt"))


def test_plain_micropython_is_asked_at_its_repl_and_runs_its_program_again_after(tmp_path: Path) -> None:
    main = "print('running')\nimport time\nwhile True:\n    time.sleep_ms(50)\n"
    with rig(tmp_path, main, {"board.id": bytes.fromhex("0123456789abcdef")}) as (board, port):
        port.read_until(b"running\n")
        port.serial.close()
        chip = probe(board.port, hello_s=0.3)
        assert (chip.chip_id, chip.chip, chip.dictionary) == ("0123456789abcdef", "virtual", None)
        assert chip.firmware.startswith("MicroPython 1.")
        with serial.Serial(board.port, timeout=10) as again:
            assert again.read_until(b"running\n").endswith(b"running\n")


def test_foreign_firmware_that_never_answers_is_said_to_be_that(tmp_path: Path) -> None:
    main = "import micropython, time\nmicropython.kbd_intr(-1)\nprint('deaf')\nwhile True:\n    time.sleep_ms(50)\n"
    with rig(tmp_path, main) as (board, port):
        port.read_until(b"deaf\n")
        port.serial.close()
        with pytest.raises(BoardError, match=rf"{board.port}: foreign firmware, or none"):
            probe(board.port, hello_s=0.3, enter_s=0.5)


def test_a_chip_without_an_id_is_an_error(tmp_path: Path) -> None:
    with rig(tmp_path, "") as (board, port):
        port.read_until(PROMPT)
        port.serial.close()
        with pytest.raises(BoardError, match="asking for the chip id: the board said OSError"):
            probe(board.port, hello_s=0.3)


def test_a_host_that_is_killed_leaves_a_board_that_the_next_one_can_have(tmp_path: Path) -> None:
    host = """
import asyncio, sys
from ascnode.boards.serial import SerialBoard
async def main():
    async with SerialBoard(sys.argv[1], lambda: [sys.argv[2]]) as board:
        session = await board.connect(10)
        await session.begin(0)
        print("flying", flush=True)
        until = 0
        while True:
            until += 1_000_000
            await session.exchange(until)
asyncio.run(main())
"""

    async def take(desk: Desk) -> None:
        async with SerialBoard(desk.chip_ids[0], desk.candidates) as board:
            session = await board.connect(WAIT_S)
            await session.begin(0)
            assert (await session.exchange(1_000_000)).now_us == 1_000_000

    with Desk(tmp_path, 1) as desk:
        process = subprocess.Popen(
            [sys.executable, "-c", host, desk.chip_ids[0], desk.names[0]], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"flying\n"
        with pytest.raises(BoardError, match=f"in use by process {process.pid}"):
            asyncio.run(take(desk))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        asyncio.run(take(desk))


def test_a_board_of_the_bench_file_brings_its_power_switch() -> None:
    file = """
[boards.0123456789abcdef]
name = "nadir"
kind = "rp2040"
power = { switch = "manual" }
[boards.fedcba9876543210]
name = "zenith"
kind = "esp32"
"""
    asked: list[str] = []
    nadir = board_named(bench.parse(file.encode()), "nadir", asked.append)
    assert (nadir.chip_id, nadir.capabilities) == ("0123456789abcdef", {"serial", "power", "manual"})
    nadir.power.off()
    assert "nadir" in asked[0]
    assert board_named(bench.parse(file.encode()), "zenith", asked.append).capabilities == {"serial"}


def test_a_board_on_a_port_is_known_by_its_chip(tmp_path: Path) -> None:
    with Desk(tmp_path, 1) as desk:
        assert board_on(desk.names[0]).chip_id == desk.chip_ids[0]
    master, slave = os.openpty()
    with pytest.raises(BoardError, match="no hello: flash the board first"):
        board_on(os.ttyname(slave))
    os.close(master)
    os.close(slave)


def test_a_port_is_given_back_with_rts_before_dtr() -> None:
    # An ESP32 board's EN falls while RTS is asserted and DTR is not.
    class Recorder:
        is_open = True

        def __init__(self) -> None:
            self.done: list[object] = []

        def __setattr__(self, name: str, value: object) -> None:
            if name != "done":
                self.done.append((name, value))
            object.__setattr__(self, name, value)

        def close(self) -> None:
            self.done.append("close")

    port = Recorder()
    close_serial(port)  # type: ignore[arg-type]
    assert port.done == [("rts", False), ("dtr", False), "close"]
