"""One board of a run with its twin: the events ahead of it, and what its radio says."""

import itertools
from bisect import insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from ascnode.errors import SessionError
from ascnode.scenario.ledger import Account
from ascnode.session import messages, telemetry
from ascnode.session.commanding import Commander
from ascnode.session.messages import Done, Event
from ascnode_fw import link
from ascnode_fw.wire import dictionary as d

# Events of one exchange must fit the board's buffer.
_EVENT_ROOM = link.EVENTS_MAX - 256
_BATCH = 64
_BATCH_START = 8
_OVERHEAD = 64  # of a signed telecommand and its event header
_PLAN_BYTES = 320  # of windows in one telecommand


class Stepper(Protocol):
    """A board with its twin, or a twin alone."""

    async def exchange(
        self, until_us: int, events: Sequence[Event] = (), stop_on_custody: bool = True
    ) -> Done:
        """Advances through events towards a time."""


@dataclass(frozen=True)
class Command:
    """A telecommand that waits to go up; it is signed when it does, so that numbers rise in order of arrival."""

    name: str
    arguments: tuple[int, ...] = ()
    data: bytes = b""
    account: Account | None = None


class Said(NamedTuple):
    """A packet as the neighbour, or the ground, took it from the board's radio."""

    sent_us: int
    packet: telemetry.Packet
    raw: bytes

    @property
    def size(self) -> int:
        """Bytes of the packet."""
        return len(self.raw)


Taken = Callable[[int], int | None]
"""For the time at which a board sends (us): when the mesh or the ground has the packet; None when nobody hears it."""


GoneUp = Callable[[Command, int], None]
"""Told of every telecommand that a board has got, with its sequence number."""


class Satellite:
    """Keeps the queue of events in order of (time, arrival) and advances the board through them.

    `taken` says how long light takes to whoever takes a packet over: custody of answers ends there, so the mesh's next
    satellite keeps what it has taken, and the board forgets it.
    """

    def __init__(self, number: int, name: str, stepper: Stepper, commander: Commander) -> None:
        self.number = number
        self.name = name
        self.now_us = 0
        self.taken: Taken = lambda sent_us: None
        self.gone_up: GoneUp = lambda command, sequence: None
        self.faulty = False  # its scenario has faults for it
        self._stepper = stepper
        self._commander = commander
        self._queue: list[tuple[int, int, Event | Command]] = []
        self._order = itertools.count()
        self._asked: dict[int, Account] = {}  # by the telecommand's sequence number
        self._open: dict[int, Account] = {}  # by job number
        self._up: set[int] = set()  # jobs whose telecommand has gone up
        self._standing: dict[str, list[Command]] = {}  # what a board that restarts has to be told again
        self._rebooted: tuple[int, int] | None = None
        self._forgotten: list[int] = []  # jobs that a board had when it restarted
        self._said: list[Said] = []
        # Where the radio talks much an exchange ends early: what was signed for later would be signed again.
        self._batch = _BATCH_START

    # --- what lies ahead

    def add(self, time_us: int, what: Event | Command) -> None:
        """Puts an event, or a telecommand that arrives at that time, in the queue."""
        insort(self._queue, (time_us, next(self._order), what))

    def plan(self, plan: int, windows: Sequence[tuple[float, float]]) -> None:
        """Loads a plan before the run begins; windows widened to whole seconds."""
        data = np.array([(int(start), -int(-end // 1)) for start, end in windows], dtype=">u4").tobytes()
        parts = [data[at : at + _PLAN_BYTES] for at in range(0, len(data), _PLAN_BYTES)]
        commands = [Command("plan_clear", (plan,)), *(Command("plan_add", (plan,), part) for part in parts)]
        self._standing[f"plan {plan}"] = commands
        for command in commands:
            self.add(0, command)

    def ask(self, arrival_us: int, account: Account, model_id: int, data: bytes) -> None:
        """A query that reaches the board."""
        query = account.query
        arguments = (query.job, model_id, query.priority, query.deadline_s)
        self._open[query.job] = account
        self.add(arrival_us, Command("query", arguments, data, account))

    def held(self) -> list[Account]:
        """The queries that reached it and whose end the ground does not know."""
        return list(self._open.values())

    # --- time

    async def advance(self, until_us: int) -> list[Said]:
        """To that time; what was taken over from its radio on the way."""
        while self.now_us < until_us:
            first = self._commander.sequence
            batch, horizon_us = self._next(until_us)
            done = await self._stepper.exchange(horizon_us, [self._event(*item) for item in batch])
            # What was not applied goes up again later, under the numbers that follow the last applied one.
            self._commander.sequence = first
            del self._queue[: done.applied]
            for _, what in batch[: done.applied]:
                self._gone_up(what)
            self._batch = min(_BATCH, 2 * done.applied + _BATCH_START)
            self.now_us = done.now_us
            for output in done.outputs:
                self._sent(output)
            self._tell_again()
        said, self._said = self._said, []
        return said

    def _event(self, time_us: int, what: Event | Command) -> Event:
        if isinstance(what, Event):
            return what
        return messages.packet(time_us, self._commander.packet(what.name, *what.arguments, data=what.data))

    def _gone_up(self, what: Event | Command) -> None:
        if isinstance(what, Command):
            self._commander.sequence += 1
            self.gone_up(what, self._commander.sequence)
            if what.account is not None:
                self._asked[self._commander.sequence] = what.account
                self._up.add(what.account.query.job)
            elif what.name == "cap_power":
                self._standing[what.name] = [what]

    def _next(self, until_us: int) -> tuple[list[tuple[int, Event | Command]], int]:
        # What comes before that time and fits one exchange, and the time it allows to advance to.
        batch: list[tuple[int, Event | Command]] = []
        room = _EVENT_ROOM
        for time_us, _, what in self._queue[: self._batch]:
            if time_us >= until_us:
                break
            room -= len(what.data) + _OVERHEAD
            if room < 0 or len(batch) == self._batch - 1:
                return batch, max(time_us, self.now_us + 1)
            batch.append((time_us, what))
        return batch, until_us

    # --- a board that restarts

    def rebooted(self, time_us: int, sequence: int) -> None:
        """The board has restarted in this exchange, and holds that sequence number for used."""
        self._rebooted = time_us, sequence

    def _tell_again(self) -> None:
        # Its memory is lost: queries, plans and caps with it.
        if self._rebooted is None:
            return
        (time_us, self._commander.sequence), self._rebooted = self._rebooted, None
        self._forgotten += [job for job in self._open if job in self._up]
        for command in itertools.chain.from_iterable(self._standing.values()):
            self.add(time_us, command)

    def lost(self) -> list[Account]:
        """The queries that it had when it restarted, and of which it has said nothing that came down since."""
        jobs, self._forgotten = self._forgotten, []
        return [self._open.pop(job) for job in jobs if job in self._open]

    # --- what its radio sends

    def _sent(self, output: messages.Output) -> None:
        taken_us = self.taken(output.time_us)
        if taken_us is None:
            return  # sent at the last moment of a contact: nobody heard it, custody will repeat it
        try:
            packet = telemetry.decode(output.packet)
        except SessionError:
            if not self.faulty:
                raise
            return  # an upset spoiled it where it waited
        self._said.append(Said(output.time_us, packet, output.packet))
        if packet.kind == d.TM_RESULT:
            self.add(2 * taken_us - output.time_us, Command("custody", (), packet.count.to_bytes(2, "big")))

    def refused(self, packet: telemetry.Packet) -> Account | None:
        """The query that an acceptance report says was refused."""
        if packet.kind == d.TM_ACCEPT and packet.fields["code"]:
            account = self._asked.get(packet.fields["sequence"])
            return self._open.pop(account.query.job, None) if account else None
        return None

    def result_of(self, packet: telemetry.Packet) -> Account | None:
        """The query that a result ends; None for another packet, a second copy, or a job that never went up."""
        if packet.kind != d.TM_RESULT or packet.fields["job"] not in self._up:
            return None
        return self._open.pop(packet.fields["job"], None)


def cause_of(code: int) -> str:
    """Why a node has no answer, in the dictionary's words."""
    return "refused: " + telemetry.CODE_NAMES.get(code, f"code {code}")
