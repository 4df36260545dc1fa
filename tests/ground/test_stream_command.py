"""`ascnode stream` as a user runs it, and beside a run."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ascnode.errors import AscnodeError
from ascnode.ground.air import in_order
from ascnode.ground.beside import streamed
from ascnode.record.reader import open_record
from ground.flown import packets, record
from ground.wires import WAIT_S, connected, free_ports, of_board, read_socket
from loop import demo_process


def start(*arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "ascnode", "stream", str(record()), *arguments]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def test_the_command_streams_and_ends() -> None:
    port = free_ports()
    process = start("--node", "sat-3-5", "--tcp", str(port), "--speed", "max")
    data = read_socket(connected(port + 1))
    _, error = process.communicate(timeout=WAIT_S)
    assert process.returncode == 0, error
    assert data == of_board(1)
    assert f"{sum(one.node == 1 and not one.up for one in packets())} packets of 1 board" in error


def test_ctrl_c_ends_it_with_a_sentence_and_leaves_no_port_open() -> None:
    port = free_ports()
    process = start("--node", "sat-0-0", "--tcp", str(port), "--speed", "0.001")
    client = connected(port)
    client.recv(1)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=WAIT_S)
    assert process.returncode == 130
    assert "ascnode: stopped by Ctrl-C" in error
    client.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


# --- beside a run


def test_a_run_streams_while_it_flies(tmp_path: Path) -> None:
    before = demo_process.children(os.getpid())  # of other tests
    port = free_ports(2)
    process = demo_process.start(
        tmp_path,
        *("run", demo_process.write_scenario(tmp_path), "--record", "r.sqlite", "--stream-tcp", str(port)),
    )
    data = [read_socket(client) for client in (connected(port), connected(port + 1))]
    out, error = process.communicate(timeout=6 * WAIT_S)
    assert process.returncode == 0, error
    with open_record(tmp_path / "r.sqlite") as reader:
        sent = [b"".join(p.data for p in in_order({n: reader.frames(n)}) if not p.up) for n in (0, 1)]
    for mine, all_of_it in zip(data, sent, strict=True):
        assert len(mine) > 1000
        assert all_of_it.endswith(mine)  # a client gets all from when it came
    assert "packets of 2 boards" in out
    assert not set(demo_process.children(os.getpid())) - set(before)


def test_a_stream_that_cannot_begin_stops_the_run_before_it_flies(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(AscnodeError, match=f"port {port} cannot be taken"),
            streamed(record(), port, 1, print),
        ):
            raise AssertionError("it began")
    with (
        pytest.raises(AscnodeError, match="the scenario has no boards"),
        streamed(record(), 20_000, 0, print),
    ):
        raise AssertionError("it began")


def test_an_error_in_the_run_ends_its_stream(tmp_path: Path) -> None:
    before = demo_process.children(os.getpid())
    with pytest.raises(ZeroDivisionError), streamed(tmp_path / "never.sqlite", free_ports(1), 1, print):
        _ = 1 / 0
    assert not set(demo_process.children(os.getpid())) - set(before)
