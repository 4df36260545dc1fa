"""Accelerators of virtual boards: one server process for all of them, and a link to each."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from ascnode.errors import BoardError

if TYPE_CHECKING:
    from ascnode_gateware.device.client import AcceleratorServer
    from ascnode_gateware.device.fault import Fault

AcceleratorKind = Literal["none", "golden", "rtl"]


class Accelerators:
    """As many as are asked for: "golden", the model with the RTL's timing, or "rtl", the RTL in a simulator.

    Use with `with`: at its end nothing is left running. BoardError when they cannot be had. The server starts with the
    first link.
    """

    def __init__(self, kind: AcceleratorKind) -> None:
        self.kind = kind
        self._stack = ExitStack()
        self._server: AcceleratorServer | None = None
        self._ends: dict[int, socket.socket] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server = None
        self._stack.close()

    def link(self, faults: Iterable[Fault] = (), **details: Any) -> int | None:
        """The descriptor of a board's end, which stays open as long as this; None of kind "none".

        `details` as in ascnode_gateware.device.make.DeviceSpec.
        """
        if self.kind == "none":
            return None
        # a server of its own for boards that have none would be in vain
        from ascnode_gateware.device.client import AcceleratorServer
        from ascnode_gateware.synth.process import GatewareError

        try:
            if self._server is None:
                self._server = self._stack.enter_context(AcceleratorServer())
            end: socket.socket = self._stack.enter_context(self._server.link(self.kind, faults, **details))
        except GatewareError as error:
            raise BoardError(f"no accelerator of kind {self.kind}: {error}") from error
        end.setblocking(False)  # so that a board's read takes what is there
        self._ends[end.fileno()] = end
        return end.fileno()

    def plant(self, link: int, faults: Iterable[Fault]) -> None:
        """Faults in place of that link's so far; its frames count from here on."""
        assert self._server is not None  # there is a link
        self._server.plant(self._ends[link], faults)
