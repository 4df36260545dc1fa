"""A serial port on the event loop: pyserial opens and configures it, reads and writes do not block."""

import asyncio
import os
from collections import deque

from ascnode.errors import BoardError, SessionTimeoutError
from ascnode.session.opening import close_serial, open_serial

READ_BYTES = 65536
WRITE_QUEUE_BYTES = 65536


class Port:
    """Bytes to and from a board. One reader; `receive` hands over chunks in order.

    Both directions are bounded: writing waits while WRITE_QUEUE_BYTES are queued, and reading pauses while as many
    chunks as READ_CHUNKS wait to be taken, so that the kernel's own buffers push back on the board.
    """

    READ_CHUNKS = 64

    def __init__(self, path: str, loop: asyncio.AbstractEventLoop) -> None:
        self._serial = open_serial(path)
        self.path = path
        self._loop = loop
        self._fd = self._serial.fileno()
        os.set_blocking(self._fd, False)
        self._chunks: deque[bytes] = deque()
        self._arrived = asyncio.Event()
        self._out = bytearray()
        self._room = asyncio.Event()
        self._room.set()
        self._paused = False
        self.gone: str | None = None
        loop.add_reader(self._fd, self._readable)

    # --- reading

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as e:
            self.fail(f"{self.path} went away: {e.strerror}")
            return
        if not data:
            self.fail(f"{self.path} went away")
            return
        self._chunks.append(data)
        self._arrived.set()
        if len(self._chunks) >= self.READ_CHUNKS:
            self._loop.remove_reader(self._fd)
            self._paused = True

    def fail(self, why: str) -> None:
        """The board is gone: whoever waits, or waits next, gets a BoardError with that sentence."""
        self.gone = why
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        self._arrived.set()
        self._room.set()

    def take(self) -> bytes | None:
        """The next chunk if one is there."""
        if not self._chunks:
            return None
        data = self._chunks.popleft()
        if self._paused and len(self._chunks) < self.READ_CHUNKS // 2 and not self.gone:
            self._paused = False
            self._loop.add_reader(self._fd, self._readable)
        return data

    async def receive(self, deadline: float, what: str) -> bytes:
        """The next chunk; SessionTimeoutError past the loop time `deadline`, BoardError when the port is gone."""
        while True:
            data = self.take()
            if data is not None:
                return data
            if self.gone:
                raise BoardError(self.gone)
            self._arrived.clear()
            await self._wait(self._arrived, deadline, what)

    async def _wait(self, event: asyncio.Event, deadline: float, what: str) -> None:
        try:
            async with asyncio.timeout_at(deadline):
                await event.wait()
        except TimeoutError:
            raise SessionTimeoutError(f"{self.path}: no {what} in time") from None

    # --- writing

    async def send(self, data: bytes, deadline: float) -> None:
        """Queues bytes, waiting for room; SessionTimeoutError when the board does not take them."""
        while len(self._out) >= WRITE_QUEUE_BYTES and not self.gone:
            self._room.clear()
            await self._wait(self._room, deadline, "room to write (the board does not read)")
        if self.gone:
            raise BoardError(self.gone)
        idle = not self._out
        self._out += data
        if idle:
            self._writable()

    def _writable(self) -> None:
        try:
            n = os.write(self._fd, self._out)
            del self._out[:n]
        except (BlockingIOError, InterruptedError):
            pass
        except OSError as e:
            self.fail(f"{self.path} went away: {e.strerror}")
            return
        if self._out:
            self._loop.add_writer(self._fd, self._writable)
        else:
            self._loop.remove_writer(self._fd)
        if len(self._out) < WRITE_QUEUE_BYTES:
            self._room.set()

    def close(self) -> None:
        """Gives the port back; may be called twice."""
        if self._serial.is_open:
            self._loop.remove_reader(self._fd)
            self._loop.remove_writer(self._fd)
            close_serial(self._serial)
