"""A cable that fails: bytes between session and port are damaged, lost, repeated, held back, or not taken.

Both planes cross it. It never makes a run fail: SIM requests are repeated until they are answered, or the run is
blocked (LinkDownError).
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Sequence

from ascnode.errors import SessionTimeoutError
from ascnode.faults.noise import Noise, damaged, generator, hits
from ascnode.faults.schedule import Wire
from ascnode.session.session import Line

Injected = Callable[[str, str, str], None]
"""Told of (direction, effect, what was hit)."""


class Direction:
    """Frames one way: `passed` gives what arrives of one, with the delay of each in wall seconds."""

    def __init__(self, name: str, seed: int, injected: Injected) -> None:
        self.noises: Sequence[Noise] = ()
        self._name = name
        self._seed = seed
        self._injected = injected
        self._count = 0
        self._held: bytes | None = None

    def passed(self, frame: bytes) -> list[tuple[float, bytes]]:
        """What becomes of a frame, delimiter included, and of one that it overtakes."""
        self._count += 1
        copies = [(0.0, frame)]
        for noise in self.noises:
            rng = generator(self._seed, self._name, noise.effect, self._count)
            if hits(noise, rng):
                copies = [after for copy in copies for after in self._hit(noise, *copy, rng)]
        if self._held is not None and copies:
            copies.append((0.0, self._held))
            self._held = None
        return copies

    @property
    def quiet(self) -> bool:
        """Whether nothing is held back."""
        return self._held is None

    def _hit(
        self, noise: Noise, delay_s: float, frame: bytes, rng: random.Random
    ) -> list[tuple[float, bytes]]:
        spoiled = damaged(noise, frame, rng)
        if noise.effect != "bit_errors" or spoiled != frame:
            self._injected(self._name, noise.effect, f"frame {self._count}, {len(frame)} bytes")
        match noise.effect:
            case "drop" | "cut":
                return []
            case "duplicate":
                return [(delay_s, frame), (delay_s, frame)]
            case "delay":
                return [(delay_s + noise.delay_s, frame)]
            case "reorder" if self._held is None:
                self._held = frame
                return []
        return [(delay_s, spoiled)]


def noise_of(one: Wire) -> Noise:
    """What a fault of the schedule does to frames."""
    return Noise.model_validate(one.model_dump(include={"effect", "rate", "burst_bits", "delay_s"}))


class FaultyLine:
    """A port behind a cable that fails as `set` says; whole until then.

    `losses_left` ends a fault by itself once so many frames have been lost: what a cut of a second is where no time
    passes, since a board in lockstep waits.
    """

    def __init__(self, line: Line, seed: int = 0, injected: Injected | None = None) -> None:
        self.path = line.path
        self._line = line
        self.injected = injected or (lambda direction, effect, what: None)
        self.up = Direction("up", seed, self._count)
        self.down = Direction("down", seed, self._count)
        self.losses_left: int | None = None
        self._stalled_until = 0.0
        self._loop = asyncio.get_running_loop()
        self._rest = b""
        self._ready: deque[bytes] = deque()
        self._late: list[tuple[float, bytes]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def set(self, up: Sequence[Noise] = (), down: Sequence[Noise] = (), losses: int | None = None) -> None:
        """From now on these act on what goes to the board and what comes from it, until `losses` frames are lost."""
        self.up.noises, self.down.noises, self.losses_left = tuple(up), tuple(down), losses

    def obey(self, active: Sequence[Wire]) -> None:
        """These faults of a schedule act from now on, and no others; stalls apart."""
        up = [noise_of(one) for one in active if one.way != "down"]
        down = [noise_of(one) for one in active if one.way != "up"]
        losses = [one.losses for one in active if one.losses]
        self.set(up, down, min(losses) if losses else None)

    def stall(self, seconds: float) -> None:
        """The board's side takes no bytes for that long (wall time): flow control, not loss."""
        self._stalled_until = self._loop.time() + seconds
        self.injected("up", "stall", f"{seconds:g} s")

    def _count(self, direction: str, effect: str, what: str) -> None:
        self.injected(direction, effect, what)
        if self.losses_left is not None and effect in ("drop", "cut", "bit_errors", "burst"):
            self.losses_left -= 1
            if self.losses_left <= 0:
                self.set()

    # --- as a port

    async def send(self, data: bytes, deadline: float) -> None:
        """As Port.send; a chunk is one frame."""
        await self._room(deadline)
        for delay_s, frame in self.up.passed(data):
            if delay_s:
                self._loop.call_later(delay_s, self._send_late, frame)
            else:
                await self._line.send(frame, deadline)

    async def _room(self, deadline: float) -> None:
        left_s = self._stalled_until - self._loop.time()
        if left_s > 0:
            await asyncio.sleep(max(0.0, min(left_s, deadline - self._loop.time())))
        if self._stalled_until > self._loop.time():
            raise SessionTimeoutError(f"{self.path}: no room to write (the board does not read) in time")

    def _send_late(self, frame: bytes) -> None:
        task = self._loop.create_task(self._line.send(frame, self._loop.time() + 1))
        self._tasks.add(task)
        task.add_done_callback(self._sent_late)

    def _sent_late(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # a port that went away meanwhile says so to whoever asks next

    async def receive(self, deadline: float, what: str) -> bytes:
        """As Port.receive; a chunk is one frame or what is left of it."""
        while (data := self.take()) is None:
            due = min([deadline, *(at for at, _ in self._late)])
            try:
                self._arrived(await self._line.receive(due, what))
            except SessionTimeoutError:
                if self._loop.time() >= deadline:
                    raise
        return data

    def take(self) -> bytes | None:
        """The next frame if one is there."""
        while (data := self._line.take()) is not None:
            self._arrived(data)
        now = self._loop.time()
        self._ready.extend(frame for at, frame in self._late if at <= now)
        self._late = [late for late in self._late if late[0] > now]
        return self._ready.popleft() if self._ready else None

    def _arrived(self, data: bytes) -> None:
        if not self.down.noises and self.down.quiet:
            self._ready.append(self._rest + data)
            self._rest = b""
            return
        *frames, self._rest = (self._rest + data).split(b"\0")
        for frame in frames:
            for delay_s, copy in self.down.passed(frame + b"\0"):
                if delay_s:
                    self._late.append((self._loop.time() + delay_s, copy))
                else:
                    self._ready.append(copy)

    def replug(self, line: Line) -> None:
        """The same cable in another port; what was on its way is lost."""
        self._line, self.path = line, line.path
        self._rest = b""
        self._ready.clear()
        self._late.clear()

    def fail(self, why: str) -> None:
        """As Port.fail."""
        self._line.fail(why)

    def close(self) -> None:
        """Gives the port back."""
        for task in self._tasks:
            task.cancel()
        self._line.close()
