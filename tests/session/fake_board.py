"""A board without a process: the firmware's node in CPython behind a real pseudo-terminal, for tests of the host."""

import asyncio
import os
import tty
from collections.abc import Callable
from pathlib import Path

from ascnode.scenario.hangar import ReferenceAccelerator
from ascnode.scenario.hardware import Hardware
from ascnode.scenario.payload import load_payload
from ascnode.scenario.provision import node_files, unique_id
from ascnode.scenario.tables.work import Payload
from ascnode.twin.twin import Twin
from ascnode_fw.wire.frame import Deframer, encode, frame_size

Handler = Callable[[bytes], list[bytes]]


def make_twin(seed: int = 1, node: int = 0) -> Twin:
    payload = load_payload(Payload(), Path())
    files = node_files(Hardware(), payload.image, seed, node, 1000)
    return Twin(files, ReferenceAccelerator(payload), unique_id(seed, node))


def frame(body: bytes) -> bytes:
    out = bytearray(frame_size(len(body)))
    return bytes(out[: encode(body, out)])


class FakeBoard:
    """`handler(body)` gives the replies to a frame; by default a node of real firmware does."""

    def __init__(self, handler: Handler | None = None) -> None:
        self.handler = handler or make_twin().handle
        self.master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self.master, False)
        self.path = os.ttyname(self._slave)
        self.heard: list[bytes] = []
        self._deframer = Deframer()
        self._out = bytearray()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self.master, self._read)

    def _read(self) -> None:
        self._deframer.push(os.read(self.master, 4096))
        while (body := self._deframer.pop()) is not None:
            self.heard.append(bytes(body))
            for reply in self.handler(bytes(body)):
                self.write(frame(reply))

    def write(self, data: bytes) -> None:
        """Raw bytes to the host, as fast as it takes them."""
        self._out += data
        self._flush()

    def _flush(self) -> None:
        try:
            sent = os.write(self.master, self._out[:65536])
            del self._out[:sent]
        except BlockingIOError:
            pass
        if self._out:
            self._loop.add_writer(self.master, self._flush)
        else:
            self._loop.remove_writer(self.master)

    def pause(self) -> None:
        """Reads no more."""
        self._loop.remove_reader(self.master)

    def close(self) -> None:
        self._loop.remove_reader(self.master)
        self._loop.remove_writer(self.master)
        os.close(self.master)
        os.close(self._slave)
