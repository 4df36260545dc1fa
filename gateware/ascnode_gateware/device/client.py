"""The accelerators of many boards, in a process of their own: what a host starts, and gets boards' links from."""

import json
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ascnode_gateware.device.fault import Fault
from ascnode_gateware.device.link import MAX_MESSAGE
from ascnode_gateware.device.make import DeviceSpec
from ascnode_gateware.sim.build import build_spi_accelerator, cache_folder
from ascnode_gateware.synth.process import GatewareError

DEADLINE_S = 30.0
END_DEADLINE_S = 5.0


class AcceleratorServer:
    """A context manager; on leaving it the server ends, and with it every link.

    `link` gives the board's end of a new link, for the board's process to inherit or to be sent to it; a caller that
    has passed it on closes its own. Simulators are kept in `build_folder`. GatewareError says what could not be done.
    """

    def __init__(self, build_folder: Path | None = None) -> None:
        self._build_folder = build_folder or cache_folder()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self._control.settimeout(DEADLINE_S)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - close() closes it
        self._replies = b""
        self._numbers: dict[socket.socket, int] = {}
        try:
            self._process: subprocess.Popen[bytes] = subprocess.Popen(
                [sys.executable, "-m", "ascnode_gateware.device.server"],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
            )
        finally:
            theirs.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def link(self, kind: str, faults: Iterable[Fault] = (), **details: Any) -> socket.socket:
        """The board's end of a link to a new accelerator; `details` are DeviceSpec's.

        Kind rtl needs the gateware extra; its simulator is built when it is not there, which takes a minute.
        """
        if kind == "rtl" and "executable" not in details:
            details["executable"] = str(build_spi_accelerator(self._build_folder))
        spec, number = DeviceSpec(kind, **details), len(self._numbers) + 1
        board, theirs = socket_pair()
        try:
            with theirs:
                self._ask({"op": "link", "number": number, **asdict(spec)}, [theirs.fileno()])
            self._numbers[board] = number
            self.plant(board, faults)
        except BaseException:
            board.close()
            raise
        return board

    def plant(self, board: socket.socket, faults: Iterable[Fault]) -> None:
        """In place of the link's faults so far; its frames are counted from here on."""
        values = [asdict(fault) for fault in faults]
        self._ask({"op": "faults", "number": self._numbers[board], "faults": values})

    def happened(self, board: socket.socket) -> dict[str, int]:
        """How often faults of each kind have struck on the link whose end `link` gave."""
        found: dict[str, int] = self._ask({"op": "happened", "number": self._numbers[board]})
        return found

    def close(self) -> None:
        """Ends the server, by force when it does not end by itself."""
        self._control.close()
        try:
            self._process.wait(END_DEADLINE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()

    def _ask(self, command: dict[str, Any], descriptors: list[int] | None = None) -> Any:
        try:
            socket.send_fds(self._control, [json.dumps(command).encode() + b"\n"], descriptors or [])
            answer = json.loads(self._reply())
        except TimeoutError:
            raise GatewareError(
                f"the accelerators' server did not answer {command['op']} in {DEADLINE_S:g} s"
            ) from None
        except OSError as error:
            raise GatewareError(f"the accelerators' server has ended: {self._last_words(error)}") from None
        if "error" in answer:
            raise GatewareError(answer["error"])
        return answer["ok"]

    def _reply(self) -> bytes:
        while b"\n" not in self._replies:
            part = self._control.recv(1 << 16)
            if not part:
                raise BrokenPipeError("it closed its channel")
            self._replies += part
        line, _, self._replies = self._replies.partition(b"\n")
        return line

    def _last_words(self, error: OSError) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else str(error)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def socket_pair() -> tuple[socket.socket, socket.socket]:
    """Two ends that keep messages apart; where there is no SOCK_SEQPACKET (macOS), datagrams, whose end goes unseen."""
    try:
        pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    except OSError:
        pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    for end in pair:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * MAX_MESSAGE)
    return pair
