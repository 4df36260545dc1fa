"""A stream beside a run: a process of its own follows the record, so that no client can slow the run down."""

import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ascnode.errors import AscnodeError
from ascnode.ground.outlets import Tell

HOST = "127.0.0.1"
_END_S = 15.0  # for what is left when the run has ended


@contextmanager
def streamed(record: Path, port: int, boards: int, tell: Tell) -> Iterator[None]:
    """Streams the run that is recorded there: board n at port + n. AscnodeError when that cannot begin.

    At the end of the run the stream gets what is left, and ends; with an error under way it is ended.
    """
    if not boards:
        raise AscnodeError("--stream-tcp: the scenario has no boards, and simulated nodes send no packets")
    _check_free(range(port, port + boards))
    command = [sys.executable, "-m", "ascnode", "stream", str(record), "--tcp", str(port), "--follow"]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said)
        try:
            yield
            _end(process)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            for line in _lines(said):
                tell(f"stream: {line}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        raise AscnodeError(f"the stream was still busy {_END_S:g} s after the end of the run") from None


def _lines(said: BinaryIO) -> list[str]:
    said.seek(0)
    return said.read().decode(errors="replace").splitlines()


def _check_free(ports: range) -> None:
    for port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except (OSError, OverflowError) as e:
                why = getattr(e, "strerror", None) or e
                raise AscnodeError(f"--stream-tcp: port {port} cannot be taken: {why}") from None
