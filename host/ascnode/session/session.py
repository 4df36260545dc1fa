"""The talk with one board: hello, lockstep exchanges, state; every wait has a deadline and says what it waited for.

A SIM frame that the cable loses, damages, repeats or holds back changes nothing: requests are numbered, repeated until
they are answered, and obeyed once (ascnode_fw.link).
"""

import asyncio
import struct
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from ascnode.errors import DictionaryMismatchError, LinkDownError, SessionError, SessionTimeoutError
from ascnode.session import frames, messages
from ascnode.session.messages import Done, Event, Identity
from ascnode.session.request import Patience, Request
from ascnode_fw import link
from ascnode_fw.wire import dictionary as d
from ascnode_fw.wire.frame import MAX_BODY

HELLO_S = 10.0
REPLY_S = 30.0  # an exchange may hold a thousand steps and some inferences on a slow machine
HELLO_EVERY_S = 0.5
_HELLO_EVERY_MOST_S = 20.0  # each costs a slow board time
RADIO_PACKETS = 4096  # that a board on its own may send before they are taken

# An exchange is not asked for again before this many times what its span took so far.
_SLACK = 4.0

# So many identities in a row that do not know of our requests are a board that has restarted.
_DOUBTS = 3

Listener = Callable[[str, bytes], None]


class Line(Protocol):
    """Bytes to and from a board: a Port, or what spoils one for a test."""

    path: str

    async def send(self, data: bytes, deadline: float) -> None:
        """Queues bytes, waiting for room."""

    async def receive(self, deadline: float, what: str) -> bytes:
        """The next chunk."""

    def take(self) -> bytes | None:
        """The next chunk if one is there."""

    def fail(self, why: str) -> None:
        """The board is gone."""

    def close(self) -> None:
        """Gives the port back."""


class Session:
    """Frames to and from one board over a port.

    `listener(direction, body)` is told of every frame, "up" to the board and "down" from it: of SIM frames once each
    and in order, however often the cable made them come; of all others as often as they went.
    """

    def __init__(
        self, port: Line, listener: Listener | None = None, patience: Patience | None = None
    ) -> None:
        self.port = port
        self.identity: Identity | None = None
        self.listener = listener
        self.patience = patience or Patience()
        self.resent = 0  # requests, or what of them had not been confirmed, that went out again
        self.nonce = 0
        self.radio: deque[bytes] = deque(maxlen=RADIO_PACKETS)
        self._deframer = frames.Deframer()
        self._bodies: deque[bytes] = deque()
        self._loop = asyncio.get_running_loop()
        self._number = 0
        self._credit = link.CREDIT_BYTES
        self._open: tuple[Request, str] | None = None
        self._now_us = 0
        self._pace = 0.0  # wall time (s) that a simulated us takes

    @property
    def damaged(self) -> int:
        """Frames from the board that came damaged and were dropped."""
        return self._deframer.bad

    # --- frames

    def _tell(self, direction: str, body: bytes) -> None:
        if self.listener:
            self.listener(direction, body)

    async def _receive(self, deadline: float, what: str) -> bytes:
        while not self._bodies:
            try:
                data = await self.port.receive(deadline, what)
            except SessionTimeoutError as e:
                said = self._deframer.trailing_text
                raise SessionTimeoutError(f"{e}; the board said: {said[-200:]}" if said else str(e)) from None
            self._bodies.extend(self._deframer.feed(data))
        body = self._bodies.popleft()
        if body[0] == d.FLIGHT:
            self.radio.append(body[1:])
        if body[0] != d.SIM:
            self._tell("down", body)
        return body

    # --- requests

    async def _ask(
        self, bodies: Sequence[bytes], wait_s: float, what: str, first_s: float = 0.0
    ) -> list[bytes]:
        # The answer's frames. A request that is given up stays open: the board may have obeyed it.
        if self._open:
            raise SessionError(
                f"{self.port.path}: still without the {self._open[1]}: call again(), or reconnect() to drop it"
            )
        self._number = self._number % link.NUMBERS + 1
        self._open = Request(bodies, self.nonce, self._number), what
        return await self._until_answered(wait_s, first_s)

    async def _until_answered(self, wait_s: float, first_s: float) -> list[bytes]:
        assert self._open
        request, what = self._open
        deadline = self._loop.time() + wait_s * self.patience.slower
        patience_s = max(first_s, self.patience.first_s)
        for _ in range(self.patience.tries):
            try:
                answer = await self._attempt(request, min(deadline, self._loop.time() + patience_s), what)
            except SessionTimeoutError as e:
                why = e
                if self._loop.time() >= deadline:
                    break
                self.resent += 1
                patience_s = max(patience_s, min(2 * patience_s, self.patience.most_s))
                continue
            self._open = None
            return answer
        raise LinkDownError(str(why))

    async def _attempt(self, request: Request, deadline: float, what: str) -> list[bytes]:
        # Sends what the board has not confirmed, within its credit, and hears it out.
        at = request.taken
        while (answer := request.answer) is None:
            if request.refusal is not None:
                self._open = None
                raise SessionError(
                    f"{self.port.path}: the board refused the request for the {what}: {request.refusal}"
                )
            at = max(at, request.taken)
            waiting = sum(len(frame) for frame in request.frames[request.taken : at])
            if at < len(request.frames) and (
                at == request.taken or waiting + len(request.frames[at]) <= self._credit
            ):
                await self._send(request, at, deadline, again=at < request.told)
                at += 1
            else:
                await self._hear(request, deadline, what)
        for body in answer:
            self._tell("down", body)
        return answer

    async def _send(self, request: Request, at: int, deadline: float, again: bool) -> None:
        body = request.frames[at]
        # A delimiter first, when half a frame may have been lost on the way.
        await self.port.send((b"\0" if again else b"") + frames.encode(body), deadline)
        if at == request.told:
            request.told += 1
            self._tell("up", body)  # the board has it: a twin can work beside it

    async def _hear(self, request: Request, deadline: float, what: str) -> None:
        body = await self._receive(deadline, what)
        if request.heard(body) or body[:2] != bytes((d.LINK, link.IDENTITY)):
            return
        identity = messages.parse_identity(body)
        if identity.nonce == self.nonce and (request.name[1] - identity.number) % link.NUMBERS <= 1:
            request.doubts = 0
            return
        # Said after a reset; or long ago, and held back by the cable: the answers to more hellos tell.
        request.doubts += 1
        if request.doubts > _DOUBTS:
            raise SessionError(f"{self.port.path}: the board restarted before the {what}")
        await self.port.send(b"\0" + frames.encode(messages.hello(self.nonce)), deadline)
        self._tell("up", messages.hello(self.nonce))

    # --- hello

    async def connect(self, wait_s: float = HELLO_S) -> Identity:
        """Says hello until the board answers; DictionaryMismatchError when it speaks another dictionary."""
        wait_s *= self.patience.slower
        deadline = self._loop.time() + wait_s
        every_s = min(HELLO_EVERY_S * self.patience.slower, _HELLO_EVERY_MOST_S)
        self.nonce, hello = _next_hello(self.nonce)
        while True:
            await self.port.send(hello, deadline)
            self._tell("up", messages.hello(self.nonce))
            try:
                self.identity = await self._hello(min(deadline, self._loop.time() + every_s))
            except SessionTimeoutError:
                if self._loop.time() >= deadline:
                    raise SessionTimeoutError(f"{self.port.path}: no hello within {wait_s:g} s") from None
                continue
            if self.identity.nonce == self.nonce:
                break
            # The board is in a later session, of a host that came before this one.
            self.nonce, hello = _next_hello(self.identity.nonce)
        self._open = None
        self._number = self.identity.number
        self._credit = self.identity.credit
        if self.identity.dictionary != d.digest():
            raise DictionaryMismatchError(
                f"{self.port.path}: the board's dictionary is {self.identity.dictionary.hex()}, this host's "
                f"{d.digest().hex()}: flash the firmware of this version"
            )
        return self.identity

    async def _hello(self, deadline: float) -> Identity:
        # Ours, or else that of the session that the board holds to. A refusal was meant for another host.
        other: Identity | None = None
        while True:
            try:
                body = await self._receive(deadline, "hello")
            except SessionTimeoutError:
                if other:
                    return other
                raise
            if body[:2] == bytes((d.LINK, link.IDENTITY)):
                identity = messages.parse_identity(body)
                if identity.nonce == self.nonce:
                    return identity
                if identity.nonce:
                    other = identity

    async def to_repl(self) -> None:
        """Asks the board to leave the firmware for its REPL."""
        body = bytes((d.LINK, link.TO_REPL)) + b"repl"
        await self.port.send(frames.encode(body), self._loop.time() + REPLY_S)
        self._tell("up", body)

    # --- radio of a board on its own

    async def transmit(self, packet: bytes) -> None:
        """Sends a packet to the board's radio at once; what the board's radio sends gathers in `radio`."""
        body = bytes((d.FLIGHT,)) + packet
        await self.port.send(frames.encode(body), self._loop.time() + REPLY_S)
        self._tell("up", body)

    async def listen(self, seconds: float) -> None:
        """Takes in what a board on its own sends, for that long."""
        end = self._loop.time() + seconds
        while self._loop.time() < end:
            try:
                await self._receive(end, "radio")
            except SessionTimeoutError:
                return

    # --- time

    async def begin(
        self, now_us: int, age_days: int = 0, cause: int = 4, boots: int = 0, hosted: bool = False
    ) -> int:
        """Starts the board afresh at a time, its plant in the host if `hosted`; the CRC of its state then."""
        frame = messages.begin(now_us, age_days, cause, boots, hosted)
        (body,) = await self._ask([frame], REPLY_S, "answer to begin")
        self._now_us = now_us
        return int(struct.unpack_from(">I", body, link.SIM_BYTES)[0])

    async def exchange(
        self,
        until_us: int,
        events: Sequence[Event] = (),
        stop_on_custody: bool = True,
        wait_s: float = REPLY_S,
    ) -> Done:
        """Advances the board through events (in order of time) towards a time.

        Done.applied says how many of them took effect; the rest were too late for the last period and have to come
        with the next exchange. LinkDownError when the answer does not come through: again() asks on.
        """
        flags = link.STOP_ON_CUSTODY if stop_on_custody else 0
        max_body = self.identity.max_body if self.identity else MAX_BODY
        bodies = messages.exchange(until_us, events, flags, max_body)
        what = f"end of the exchange to {until_us / 1e6:.3f} s"
        start_us, start_s, resent = self._now_us, self._loop.time(), self.resent
        first_s = min(self.patience.most_s, _SLACK * self._pace * (until_us - start_us))
        done = messages.whole_done(await self._ask(bodies, wait_s, what, first_s))
        self._now_us = done.now_us
        if (
            done.now_us > start_us and resent == self.resent
        ):  # what was repeated says nothing of the pace (P. Karn)
            self._pace = (self._pace + (self._loop.time() - start_s) / (done.now_us - start_us)) / 2
        return done

    async def request(self, frames: Sequence[bytes], wait_s: float = REPLY_S) -> list[bytes]:
        """SIM frames as they are, but for session and number, as one request; the frames of its answer."""
        return await self._ask(frames, wait_s, "answer to a replayed request")

    async def again(self, wait_s: float = REPLY_S) -> Done:
        """After a LinkDownError of an exchange, when the cable is whole again: the answer to that exchange."""
        if not self._open:
            raise SessionError(f"{self.port.path}: no exchange is open")
        done = messages.whole_done(await self._until_answered(wait_s, 0.0))
        self._now_us = done.now_us
        return done

    # --- state

    async def snapshot(self, sizes: Sequence[int]) -> list[bytes]:
        """The board's buffers, of these sizes in bytes."""
        return [await self._buffer(i, size) for i, size in enumerate(sizes)]

    async def _buffer(self, index: int, size: int) -> bytes:
        data = b""
        while len(data) < size:
            frame = messages.place(link.SNAPSHOT, index, len(data))
            (body,) = await self._ask([frame], REPLY_S, "chunk of the board's state")
            buffer, offset, chunk = messages.parse_chunk(body)
            if buffer != index or offset != len(data) or not chunk:
                raise SessionError(
                    f"{self.port.path}: asked for buffer {index} at {len(data)}, got {buffer} at {offset}"
                )
            data += chunk
        return data

    async def restore(self, buffers: Sequence[bytes]) -> None:
        """Writes the board's buffers, from the first on."""
        for index, data in enumerate(buffers):
            await self.restore_buffer(index, data)

    async def restore_buffer(self, index: int, data: bytes) -> None:
        """Writes one of the board's buffers."""
        for at in range(0, len(data), link.CHUNK_MAX):
            frame = messages.place(link.RESTORE, index, at, data[at : at + link.CHUNK_MAX])
            await self._ask([frame], REPLY_S, "answer to a restore")

    async def reconnect(self, wait_s: float = HELLO_S) -> Identity:
        """After a reset: forgets half a frame and says hello again."""
        self._deframer = frames.Deframer()
        self._bodies.clear()
        return await self.connect(wait_s)

    def moved(self, port: Line) -> "Session":
        """A session over another port, with this one's patience and listener, whose hello comes after this one's."""
        other = Session(port, self.listener, self.patience)
        other.nonce = self.nonce
        other.resent = self.resent
        return other

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
