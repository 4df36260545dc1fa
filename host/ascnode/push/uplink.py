"""Telecommands to one node in its contacts: sent again until their reports come down, or no contact is left."""

from collections import Counter
from collections.abc import Sequence

from ascnode.errors import PushError
from ascnode.scenario.satellite import Command, Said, Satellite
from ascnode.session.telemetry import Packet
from ascnode.sky.plans import Window
from ascnode_fw.wire import dictionary as d
from ascnode_fw.wire.packet import TC_BYTES

_S = 1_000_000
_TRIES = 20  # of one telecommand, in contact


class NoContactError(PushError):
    """The flight is over, or the node does not answer, before the work is done."""


class Uplink:
    """A satellite, its contacts (s from, to), and how fast the ground sends."""

    def __init__(
        self, satellite: Satellite, windows: Sequence[Window], end_s: float, rate_bps: int, step_ms: int
    ) -> None:
        self.satellite = satellite
        self.contacts: set[int] = set()  # numbers of the windows that were used
        self.severe: Counter[int] = Counter()  # events of high severity, by number
        self.results: dict[int, Packet] = {}  # by job
        self._windows = list(windows)
        self._end_us = round(end_s * _S)
        self._rate_bps = rate_bps
        self._answer_us = max(3 * _S, 4 * step_ms * 1000)
        self._sequences: dict[int, int] = {}  # of telecommands that have gone up, by id()
        self._commands: list[Command] = []  # keeps them, so that no other gets the same id()
        satellite.gone_up = self._gone_up

    @property
    def now_s(self) -> float:
        """Where the node stands."""
        return self.satellite.now_us / _S

    def _gone_up(self, command: Command, sequence: int) -> None:
        self._sequences[id(command)] = sequence

    # --- time

    async def wait(self, seconds: float) -> list[Said]:
        """Time passes; what the node said. NoContactError when the flight is over."""
        if self.satellite.now_us >= self._end_us:
            raise NoContactError(f"{self.satellite.name}: the flight is over")
        until_us = min(self._end_us, self.satellite.now_us + round(seconds * _S))
        said = await self.satellite.advance(until_us)
        for one in said:
            self._note(one.packet)
        return said

    def _note(self, packet: Packet) -> None:
        if packet.kind == d.TM_RESULT:
            self.results[packet.fields["job"]] = packet
        elif packet.kind == d.TM_EVENT:
            self.severe[packet.fields["event"]] += packet.fields["severity"] >= d.HIGH

    async def contact(self) -> float:
        """Waits for the next contact, if there is none now; how long it lasts (s). NoContactError when none comes."""
        for number, (start_s, end_s) in enumerate(self._windows):
            if end_s - self.now_s > 1:
                if start_s > self.now_s:
                    await self.wait(start_s - self.now_s)
                self.contacts.add(number)
                return min(end_s, self._end_us / _S) - self.now_s
        raise NoContactError(f"{self.satellite.name}: no contact is left")

    # --- telecommands

    async def ask(self, name: str, *arguments: int, data: bytes = b"") -> tuple[int, list[Packet]]:
        """(code, what came down meanwhile): 0 when it was accepted, and completed unless it does so later."""
        for _ in range(_TRIES):
            await self.contact()
            command = self._send(0, name, *arguments, data=data)
            packets = [said.packet for said in await self.wait(self._answer_us / _S)]
            code = self._code(packets, self._sequences.get(id(command), -1))
            if code is not None:
                return code, packets
        raise NoContactError(f"{self.satellite.name}: no report of {name} in {_TRIES} tries")

    async def send(self, name: str, parts: Sequence[tuple[tuple[int, ...], bytes]]) -> int:
        """Sends as many as this contact takes, whatever becomes of them; how many that were."""
        left_s = await self.contact()
        at_us, sent = 0, 0
        for arguments, data in parts:
            took_us = round((TC_BYTES + len(data) + 4 * len(arguments)) / self._rate_bps * _S)
            if at_us + took_us > left_s * _S:
                break
            at_us += took_us
            self._send(at_us, name, *arguments, data=data)
            sent += 1
        await self.wait(at_us / _S + self._answer_us / _S)
        return sent

    def _send(self, after_us: int, name: str, *arguments: int, data: bytes = b"") -> Command:
        command = Command(name, arguments, data)
        self._commands.append(command)
        self.satellite.add(self.satellite.now_us + after_us, command)
        return command

    @staticmethod
    def _code(packets: Sequence[Packet], sequence: int) -> int | None:
        # A refusal, else the completion's; None when nothing was heard of it.
        reports = [
            packet
            for packet in packets
            if packet.kind in (d.TM_ACCEPT, d.TM_COMPLETE) and packet.fields["sequence"] == sequence
        ]
        return max((report.fields["code"] for report in reports), default=None)

    async def status(self, first: int = 0) -> Packet:
        """The node's update status, from a block on."""
        for _ in range(_TRIES):
            _, packets = await self.ask("update_status", first)
            found = [packet for packet in packets if packet.kind == d.TM_UPDATE]
            if found and found[-1].fields["first"] == first:
                return found[-1]
        raise NoContactError(f"{self.satellite.name}: no status came down in {_TRIES} tries")
