"""The packets of a run, played in time to where they are wanted, or passed on while the run goes."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from pathlib import Path

from ascnode.errors import AscnodeError, RecordError
from ascnode.ground.air import Air, AirPacket, in_order, with_apid
from ascnode.ground.outlets import TcpOutlet, Tell
from ascnode.ground.ways import Ways
from ascnode.record.catalogue import INTERRUPTED, state_of
from ascnode.record.reader import Reader, open_record

POLL_S = 0.2
START_S = 60.0  # for a run that has just begun to have its boards
BATCH = 64  # packets between two looks at who has room

Progress = Callable[[int, int], None]
"""Told of the simulated time (us) and the packets so far."""


class Pace:
    """Simulated time against the monotonic clock; without a speed there is no waiting."""

    def __init__(self, speed: float | None) -> None:
        self.speed = speed
        self._start: tuple[float, int] | None = None

    async def until(self, time_us: int) -> None:
        """Waits until that time has come; the first one has."""
        if self.speed is None:
            return
        now = time.monotonic()
        start_s, start_us = self._start = self._start or (now, time_us)
        await asyncio.sleep(start_s + (time_us - start_us) / 1e6 / self.speed - now)


async def play(
    packets: AsyncIterator[AirPacket],
    ways: Ways,
    pace: Pace,
    commands: bool,
    progress: Progress,
) -> int:
    """Sends every packet its way; how many there were. Telecommands go with them if they are wanted."""
    count = 0
    async for packet in packets:
        if packet.up and not commands:
            continue
        await pace.until(packet.time_us)
        way = ways.by_node[packet.node]
        data = with_apid(packet.data, way.apid_offset) if way.apid_offset else packet.data
        for outlet in way.outlets:
            outlet.send(data)
        count += 1
        progress(packet.time_us, count)
        if pace.speed is None and count % BATCH == 0:
            for outlet in ways.outlets:
                await outlet.room()
            await asyncio.sleep(0)
    return count


async def recorded(reader: Reader, nodes: Iterable[int]) -> AsyncIterator[AirPacket]:
    """All packets of a run that is over, in order of time."""
    for packet in in_order({node: reader.frames(node) for node in nodes}):
        yield packet


async def following(reader: Reader, nodes: Sequence[int], tell: Tell) -> AsyncIterator[AirPacket]:
    """The packets of a run that goes on, as its record grows, until it has ended or its process is gone.

    Boards advance beside each other, so order of time holds for each of them and not over all.
    """
    airs = {node: Air(node) for node in nodes}
    expected = dict.fromkeys(nodes, 0)
    while True:
        over = reader.whole
        found: list[AirPacket] = []
        for node, air in airs.items():
            for frame in reader.frames(node, expected[node]):
                found += air.feed(frame)
                expected[node] = frame.number + 1
        for packet in sorted(found, key=lambda one: one.time_us):
            yield packet
        if over:
            return
        if not found and state_of(reader) == INTERRUPTED:
            tell(f"{reader.path} grows no more: the run has stopped without its closing figures")
            return
        await asyncio.sleep(POLL_S)


async def await_clients(outlets: Sequence[TcpOutlet], wait_s: float, tell: Tell) -> None:
    """Waits for a client at each port; AscnodeError when none has come to any."""
    if not outlets or not wait_s:
        return
    where = ", ".join(f"{one.host}:{one.port} ({one.name})" for one in outlets)
    tell(f"Waiting {wait_s:g} s at most for a client at each of {where}")
    waits = [asyncio.ensure_future(one.connected.wait()) for one in outlets]
    done, late = await asyncio.wait(waits, timeout=wait_s)
    for wait in late:
        wait.cancel()
    if not done:
        raise AscnodeError(f"no client came within {wait_s:g} s to {where}")


async def await_boards(path: Path, wait_s: float) -> tuple[Reader, dict[int, str]]:
    """A record, and its boards; of a run that is about to begin once it has them. AscnodeError when there are none."""
    deadline = time.monotonic() + wait_s
    while True:
        late = time.monotonic() >= deadline
        try:
            reader = open_record(path)
        except RecordError:
            if late:
                raise
            await asyncio.sleep(POLL_S)
            continue
        if boards := reader.boards:
            return reader, {board.node: board.name for board in boards}
        over = reader.whole or late
        reader.close()
        if over:
            raise AscnodeError(f"{path} has no boards: simulated nodes send no packets")
        await asyncio.sleep(POLL_S)
