"""The talk with one board: hello, lockstep exchanges, state; every wait has a deadline and says what it waited for."""

import asyncio
import struct
from collections import deque
from collections.abc import Callable, Sequence

from ascnode.errors import DictionaryMismatchError, SessionError, SessionTimeoutError
from ascnode.session import frames, messages
from ascnode.session.messages import Done, Event, Identity, Output
from ascnode.session.port import Port
from ascnode_fw import link
from ascnode_fw.wire import dictionary as d
from ascnode_fw.wire.frame import MAX_BODY

HELLO_S = 10.0
REPLY_S = 30.0  # an exchange may hold a thousand steps and some inferences on a slow machine
HELLO_EVERY_S = 0.5

Listener = Callable[[str, bytes], None]


class Session:
    """Frames to and from one board over a port.

    `listener(direction, body)` is told of every frame, "up" to the board and "down" from it.
    """

    def __init__(self, port: Port, listener: Listener | None = None) -> None:
        self.port = port
        self.identity: Identity | None = None
        self.listener = listener
        self._deframer = frames.Deframer()
        self._bodies: deque[bytes] = deque()
        self._loop = asyncio.get_running_loop()
        self._sequence = 0
        self._nonce = 0
        self._sent = 0
        self._consumed = 0
        self._credit = link.CREDIT_BYTES

    # --- frames

    async def _send(self, body: bytes, deadline: float) -> None:
        # Waits for credit first: a board has room for so many body bytes that it has not consumed yet.
        while self._sent - self._consumed + len(body) > self._credit:
            reply = await self._receive(deadline, "credit to send more")
            if reply[:2] != bytes((d.LINK, link.CREDIT)):
                self._bodies.append(reply)
        await self.port.send(frames.encode(body), deadline)
        if body[0] == d.SIM:
            self._sent += len(body)
        if self.listener:
            self.listener("up", body)  # the board has it: a twin can work beside it

    async def _receive(self, deadline: float, what: str) -> bytes:
        while not self._bodies:
            try:
                data = await self.port.receive(deadline, what)
            except SessionTimeoutError as e:
                said = self._deframer.trailing_text
                raise SessionTimeoutError(f"{e}; the board said: {said[-200:]}" if said else str(e)) from None
            self._bodies.extend(self._deframer.feed(data))
        body = self._bodies.popleft()
        if self.listener:
            self.listener("down", body)
        if body[:2] == bytes((d.LINK, link.CREDIT)) and len(body) == 6:
            self._consumed = struct.unpack_from(">I", body, 2)[0]
        return body

    async def _reply(self, plane: int, kind: int, deadline: float, what: str) -> bytes:
        # The first frame of that kind; radio packets and credit on the way are passed over.
        while True:
            body = await self._receive(deadline, what)
            if body[0] == plane and body[1] == kind:
                return body
            if body[:2] == bytes((d.LINK, link.REFUSED)):
                reason = body[2:].decode("utf-8", "replace")
                raise SessionError(f"{self.port.path}: the board refused while waiting for {what}: {reason}")

    # --- hello

    async def connect(self, wait_s: float = HELLO_S) -> Identity:
        """Says hello until the board answers; DictionaryMismatchError when it speaks another dictionary."""
        deadline = self._loop.time() + wait_s
        self._nonce, hello = _next_hello(self._nonce)
        while True:
            await self.port.send(hello, deadline)
            try:
                self.identity = await self._hello(min(deadline, self._loop.time() + HELLO_EVERY_S))
                break
            except SessionTimeoutError:
                if self._loop.time() >= deadline:
                    raise SessionTimeoutError(f"{self.port.path}: no hello within {wait_s:g} s") from None
        self._sent = self._consumed = 0
        self._credit = self.identity.credit
        if self.identity.dictionary != d.digest():
            raise DictionaryMismatchError(
                f"{self.port.path}: the board's dictionary is {self.identity.dictionary.hex()}, this host's "
                f"{d.digest().hex()}: flash the firmware of this version"
            )
        return self.identity

    async def _hello(self, deadline: float) -> Identity:
        # What the board said before, a refusal too, was meant for another host.
        while True:
            body = await self._receive(deadline, "hello")
            if body[:2] == bytes((d.LINK, link.IDENTITY)):
                identity = messages.parse_identity(body)
                if identity.nonce == self._nonce:
                    return identity

    async def to_repl(self) -> None:
        """Asks the board to leave the firmware for its REPL."""
        await self._send(bytes((d.LINK, link.TO_REPL)) + b"repl", self._loop.time() + REPLY_S)

    # --- time

    async def begin(self, now_us: int, age_days: int = 0, cause: int = 4, boots: int = 0) -> int:
        """Starts the board afresh at a time; the CRC of its state then."""
        deadline = self._loop.time() + REPLY_S
        await self._send(messages.begin(now_us, age_days, cause, boots), deadline)
        body = await self._reply(d.SIM, link.BEGUN, deadline, "answer to begin")
        return int(struct.unpack_from(">I", body, 2)[0])

    async def exchange(
        self,
        until_us: int,
        events: Sequence[Event] = (),
        stop_on_custody: bool = True,
        wait_s: float = REPLY_S,
    ) -> Done:
        """Advances the board through events (in order of time) towards a time.

        Done.applied says how many of them took effect; the rest were too late for the last period and have to come
        with the next exchange.
        """
        deadline = self._loop.time() + wait_s
        self._sequence = (self._sequence + 1) & 0xFFFF
        flags = link.STOP_ON_CUSTODY if stop_on_custody else 0
        max_body = self.identity.max_body if self.identity else MAX_BODY
        for body in messages.exchange(self._sequence, until_us, events, flags, max_body):
            await self._send(body, deadline)
        return await self._done(until_us, deadline)

    async def _done(self, until_us: int, deadline: float) -> Done:
        outputs: list[Output] = []
        what = f"end of the exchange to {until_us / 1e6:.3f} s"
        while True:
            body = await self._receive(deadline, what)
            if body[:2] == bytes((d.LINK, link.REFUSED)):
                raise SessionError(f"{self.port.path}: the board refused the exchange: {body[2:].decode()}")
            if body[:2] == bytes((d.LINK, link.IDENTITY)):
                raise SessionError(f"{self.port.path}: the board restarted before the {what}")
            if body[0] != d.SIM or body[1] not in (link.DONE, link.PART):
                continue
            done = messages.parse_done(body)
            if done.sequence != self._sequence:
                continue
            outputs.extend(done.outputs)
            if body[1] == link.DONE:
                self._consumed = done.consumed
                return Done(**{**vars(done), "outputs": tuple(outputs)})

    # --- state

    async def snapshot(self, sizes: Sequence[int]) -> list[bytes]:
        """The board's buffers, of these sizes in bytes."""
        return [await self._buffer(i, size) for i, size in enumerate(sizes)]

    async def _buffer(self, index: int, size: int) -> bytes:
        data = b""
        while len(data) < size:
            deadline = self._loop.time() + REPLY_S
            await self._send(messages.place(link.SNAPSHOT, index, len(data)), deadline)
            body = await self._reply(d.SIM, link.CHUNK, deadline, "chunk of the board's state")
            self._consumed = self._sent
            buffer, offset, chunk = messages.parse_chunk(body)
            if buffer != index or offset != len(data) or not chunk:
                raise SessionError(
                    f"{self.port.path}: asked for buffer {index} at {len(data)}, got {buffer} at {offset}"
                )
            data += chunk
        return data

    async def restore(self, buffers: Sequence[bytes]) -> None:
        """Writes the board's buffers."""
        for index, data in enumerate(buffers):
            for at in range(0, len(data), link.CHUNK_MAX):
                deadline = self._loop.time() + REPLY_S
                await self._send(
                    messages.place(link.RESTORE, index, at, data[at : at + link.CHUNK_MAX]), deadline
                )
                await self._reply(d.SIM, link.RESTORED, deadline, "answer to a restore")
                self._consumed = self._sent

    async def reconnect(self, wait_s: float = HELLO_S) -> Identity:
        """After a reset: forgets half a frame and says hello again."""
        self._deframer = frames.Deframer()
        self._bodies.clear()
        return await self.connect(wait_s)

    def close(self) -> None:
        """Gives the port back."""
        self.port.close()


def _next_hello(nonce: int) -> tuple[int, bytes]:
    """Another nonce, and its hello as bytes: a delimiter to end any half frame, and no byte 3, which is a Ctrl-C to a
    board in its grace window."""
    while True:
        nonce = nonce % 0xFFFF + 1
        data = b"\0" + frames.encode(messages.hello(nonce))
        if b"\x03" not in data:
            return nonce, data
