"""`python -m ascnode_gateware.device.server`: the accelerators of many boards in one process.

Its standard input is a Unix stream socket: JSON lines both ways, a link's descriptor beside the line that adds it
(SCM_RIGHTS). It ends when that socket does. Everything runs in one loop; a board has one message under way at a time.
"""

import json
import selectors
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ascnode_gateware.device.fault import fault_from
from ascnode_gateware.device.faulty import FaultyDevice
from ascnode_gateware.device.golden_engine import Shared
from ascnode_gateware.device.link import MAX_MESSAGE, Link
from ascnode_gateware.device.make import DeviceSpec, make_device

_MAX_LINE = 1 << 20
_READ_BYTES = 1 << 16


@dataclass
class _Board:
    """One link: the server's end of it and what answers."""

    link: socket.socket
    device: FaultyDevice
    answers: Link


class Server:
    """`control` is the channel to whoever started it."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._selector = selectors.DefaultSelector()
        self._shared = Shared()
        self._boards: dict[int, _Board] = {}
        self._line = bytearray()
        self._given: list[int] = []  # descriptors whose line is still to come

    def serve(self) -> None:
        """Until the control channel ends."""
        self._control.setblocking(False)
        self._selector.register(self._control, selectors.EVENT_READ, self._hear)
        try:
            while all(key.data() for key, _ in self._selector.select()):
                pass
        finally:
            for number in list(self._boards):
                self._drop(number)
            self._selector.close()

    def _hear(self) -> bool:
        """Lines of the control channel; False at its end."""
        data, given, _, _ = socket.recv_fds(self._control, _READ_BYTES, 16)
        self._given += given
        self._line += data
        while b"\n" in self._line:
            line, _, rest = bytes(self._line).partition(b"\n")
            self._line = bytearray(rest)
            self._control.sendall(json.dumps(self._obey(line)).encode() + b"\n")
        return bool(data) and len(self._line) <= _MAX_LINE

    def _obey(self, line: bytes) -> dict[str, Any]:
        try:
            command = json.loads(line)
            return {"ok": self._commands()[command.pop("op")](**command)}
        except KeyError as error:
            return {"error": f"there is no {error} here"}  # an op, or the number of a link
        except (ValueError, TypeError, AttributeError) as error:
            return {"error": str(error)}

    def _commands(self) -> dict[str, Callable[..., object]]:
        return {"link": self._add, "faults": self._plant, "happened": self._happened}

    def _add(self, number: int, **spec: Any) -> None:
        """A board's link, whose descriptor came with the line."""
        if not self._given:
            raise ValueError("a link needs its descriptor")
        link = socket.socket(fileno=self._given.pop(0))
        try:
            device = FaultyDevice(make_device(DeviceSpec(**spec), self._shared))
        except BaseException:
            link.close()
            raise
        link.setblocking(False)
        self._boards[number] = _Board(link, device, Link(device))
        self._selector.register(link, selectors.EVENT_READ, lambda: self._answer(number))

    def _plant(self, number: int, faults: list[dict[str, Any]]) -> None:
        self._boards[number].device.plant([fault_from(values) for values in faults])

    def _happened(self, number: int) -> dict[str, int]:
        return {str(kind): count for kind, count in self._boards[number].device.happened.items()}

    def _answer(self, number: int) -> bool:
        """One message of a board; a board that is gone, or takes no reply, loses its link."""
        board = self._boards[number]
        try:
            message = board.link.recv(MAX_MESSAGE)
            if message:
                board.link.send(board.answers.answer(message))
                return True
        except OSError:
            pass
        self._drop(number)
        return True

    def _drop(self, number: int) -> None:
        board = self._boards.pop(number)
        self._selector.unregister(board.link)
        board.link.close()
        board.device.close()


def main() -> None:
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C is for whoever started this, who then closes the channel
    with socket.socket(fileno=sys.stdin.fileno()) as control:
        Server(control).serve()


if __name__ == "__main__":
    main()
