"""Links, their messages, and the server behind them: in a process of its own, gone when whoever started it is."""

import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from ascnode_gateware.bus.frames import read_request
from ascnode_gateware.device.client import AcceleratorServer
from ascnode_gateware.device.fault import Fault, FaultKind
from ascnode_gateware.device.golden import GoldenDevice
from ascnode_gateware.device.link import MAX_MESSAGE, Link
from ascnode_gateware.registers.table import IDENTITY
from ascnode_gateware.sim.addresses import address, value
from ascnode_gateware.synth.process import GatewareError
from gateware.device.driving import Case, Driver

Cases = Callable[..., Case]
READ_ID = read_request(3, address("ID"), 1)
DEADLINE_S = 20.0


class Linked:
    """An accelerator at a link's other end."""

    def __init__(self, board: socket.socket) -> None:
        self._board = board
        board.settimeout(DEADLINE_S)

    def ask(self, message: bytes) -> bytes:
        self._board.send(message)
        return self._board.recv(MAX_MESSAGE)

    def transfer(self, frame: bytes) -> bytes:
        return self.ask(b"\x01" + frame)[1:]

    def reset(self) -> None:
        assert self.ask(b"\x02") == b"\x02"

    def wait_us(self, microseconds: int) -> bool:
        return bool(self.ask(b"\x03" + struct.pack(">I", microseconds))[1])


@pytest.fixture
def server() -> Iterator[AcceleratorServer]:
    with AcceleratorServer() as started:
        yield started


def test_messages_are_what_the_page_says() -> None:
    link = Link(GoldenDevice())
    assert READ_ID.decode(link.answer(b"\x01" + READ_ID.encode())[1:]).words == (IDENTITY,)
    assert link.answer(b"\x02") == b"\x02"
    assert link.answer(b"\x03\0\0\0\x07") == b"\x03\0"
    assert link.answer(b"\x04\x9f\0\0\0") == b"\x04\x01\xff\xef\x40\x16"
    assert link.answer(b"\x01") == b"\x01"


def test_a_frame_in_parts_is_the_frame() -> None:
    link, frame = Link(GoldenDevice()), READ_ID.encode()
    parts = [link.answer(b"\x05" + frame[n : n + 1])[1:] for n in range(len(frame))]
    assert link.answer(b"\x06") == b"\x06"
    assert READ_ID.decode(b"".join(parts)).words == (IDENTITY,)


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        (b"", b"at least one byte"),
        (b"\x00", b"no message 0x00"),
        (b"\xff", b"no message 0xff"),
        (b"\x02\0", b"has no body, but 1"),
        (b"\x03\0\0\0", b"4 bytes of microseconds, not 3"),
        (b"\x06x", b"has no body"),
    ],
)
def test_malformed_messages_get_one_sentence(message: bytes, complaint: bytes) -> None:
    answer = Link(GoldenDevice()).answer(message)
    assert answer[:1] == b"\xff" and complaint in answer and b"\n" not in answer


def test_many_boards_run_in_one_process(server: AcceleratorServer, case: Cases) -> None:
    model = case("digits", "auto", 3)
    drivers = [Driver(Linked(server.link("golden", seed=seed))) for seed in range(3)]  # type: ignore[arg-type]
    for driver in drivers:
        driver.reset()
        driver.load(model.program)
    for driver, image in zip(drivers, model.images, strict=True):
        driver.start(model.program, image)
    for driver, golden in zip(drivers, model.golden, strict=True):
        assert value("done", driver.wait())
        np.testing.assert_array_equal(driver.output(model.program)[0], golden)


def test_the_verilog_is_served_alike(spi_executable: Path, server: AcceleratorServer, case: Cases) -> None:
    model = case("digits", "auto", 3)
    driver = Driver(Linked(server.link("rtl", executable=str(spi_executable))))  # type: ignore[arg-type]
    driver.reset()
    driver.load(model.program)
    driver.start(model.program, model.images[0])
    assert value("done", driver.wait())
    np.testing.assert_array_equal(driver.output(model.program)[0], model.golden[0])


def test_faults_are_planted_and_counted(server: AcceleratorServer) -> None:
    board = server.link("golden", faults=[Fault(FaultKind.STUCK_1, 1)])
    linked = Linked(board)
    found = [linked.transfer(READ_ID.encode()) for _ in range(3)]
    assert found[1] == b"\xff" * len(found[0]) and found[0] == found[2]
    assert server.happened(board) == {"stuck_1": 1}
    server.plant(board, [Fault(FaultKind.DROP, 0)])
    assert not any(linked.transfer(READ_ID.encode()))


def test_what_cannot_be_had_is_one_sentence_and_hurts_nobody(
    server: AcceleratorServer, tmp_path: Path
) -> None:
    board = server.link("golden")
    with pytest.raises(GatewareError, match="one of golden, rtl, not quantum"):
        server.link("quantum")
    with pytest.raises(GatewareError, match=r"no\.bin: No such file"):
        server.link("golden", flash=str(tmp_path / "no.bin"))
    with pytest.raises(GatewareError, match="cannot be started"):
        server.link("rtl", executable=str(tmp_path / "none"))
    assert READ_ID.decode(Linked(board).transfer(READ_ID.encode())).words == (IDENTITY,)


def test_a_board_that_goes_takes_only_its_link(server: AcceleratorServer) -> None:
    first, second = server.link("golden"), server.link("golden")
    first.send(b"\x01" + READ_ID.encode())
    first.close()
    assert READ_ID.decode(Linked(second).transfer(READ_ID.encode())).words == (IDENTITY,)


def test_a_flash_starts_with_a_files_bytes(server: AcceleratorServer, tmp_path: Path) -> None:
    (tmp_path / "flash.bin").write_bytes(b"\x12\x34")
    linked = Linked(server.link("golden", flash=str(tmp_path / "flash.bin")))
    assert linked.ask(b"\x04\x03\0\0\0\0\0\0") == b"\x04\x01\xff\xff\xff\xff\x12\x34\xff"


def test_leaving_ends_the_process_and_the_links() -> None:
    with AcceleratorServer() as server:
        board = server.link("golden")
        pid = server.pid
    board.settimeout(DEADLINE_S)
    assert board.recv(1) == b""
    assert not running(pid)


_STARTS_ONE_AND_SAYS_ITS_PID = """
from ascnode_gateware.device.client import AcceleratorServer
server = AcceleratorServer()
server.link("golden")
print(server.pid, flush=True)
input()
"""


def test_the_server_ends_when_its_parent_is_killed() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _STARTS_ONE_AND_SAYS_ITS_PID], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert parent.stdout is not None and parent.stdin is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait(DEADLINE_S)
    end = time.monotonic() + DEADLINE_S
    while running(pid) and time.monotonic() < end:
        time.sleep(0.02)
    assert not running(pid)
    parent.stdin.close()
    parent.stdout.close()


def running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_server_that_has_died_is_one_sentence() -> None:
    with AcceleratorServer() as server:
        server.link("golden").close()
        os.kill(server.pid, 9)
        with pytest.raises(GatewareError, match="the accelerators' server has ended"):
            server.link("golden")
