"""A node of real firmware under a sky of the tests' own: twin alone or board with twin, orders and light included."""

import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from ascnode.boards.interpreter import find_interpreter
from ascnode.boards.virtual import VirtualBoard
from ascnode.models.project import load_project_model
from ascnode.record.database import Record
from ascnode.scenario.hangar import Hangar
from ascnode.scenario.payload import load_payload
from ascnode.scenario.provision import bench_key
from ascnode.scenario.scenario import Scenario
from ascnode.scenario.tables.space import ConstellationTable
from ascnode.session import messages
from ascnode.session.commanding import Commander
from ascnode.session.messages import Done, Event
from ascnode.twin.alone import TwinAlone
from ascnode.twin.pair import Pair
from ascnode_fw.wire import dictionary as d
from session.fake_board import make_twin

S = 1_000_000
ONE_BOARD = Scenario(constellation=ConstellationTable(name="starlink-gen1-1", boards=(0,)))
MODEL_ID = load_project_model().model_id
INPUT_BYTES = make_twin().node.accelerator.input_size


class Stepped(Protocol):
    """What a flight steps."""

    async def exchange(
        self, until_us: int, events: Sequence[Event] = (), stop_on_custody: bool = True
    ) -> Done: ...


class Orders:
    """The ground: signs telecommands in order."""

    def __init__(self) -> None:
        self.commander = Commander(bench_key(ONE_BOARD.seed, 0))

    def order(self, time_us: int, name: str, *arguments: int, data: bytes = b"") -> Event:
        return messages.packet(time_us, self.commander.packet(name, *arguments, data=data))

    def contact(self, time_us: int = 0) -> list[Event]:
        """Light, lock, and a contact as long as any test."""
        plan = self.order(time_us, "plan_add", d.PLAN_CONTACTS, data=struct.pack(">II", 0, 1 << 29))
        return [messages.environment(time_us, 1024, 1024, 0, 700), messages.radio_lock(time_us, True), plan]

    def query(self, time_us: int, job: int) -> Event:
        data = bytes((job + i) & 0xFF for i in range(INPUT_BYTES))
        deadline_s = time_us // S + 900
        return self.order(time_us, "query", job, MODEL_ID, 1, deadline_s, data=data)

    def busy(self, seconds: int) -> list[Event]:
        """Work, changing light and orders for that long, in order of time."""
        events = self.contact()
        for t in range(10, seconds, 10):
            events.append(messages.environment(t * S, 1024 if t % 200 < 120 else 0, 1000, t % 700, 300))
            events.append(self.query(t * S + 250_000, t))
            if t % 50 == 0:
                events.append(self.order(t * S + 400_000, "cap_power", 0 if t % 100 else 90_000))
        return events


async def advance(
    stepped: Stepped, until_us: int, events: Sequence[Event] = (), batch: int = 8
) -> list[Done]:
    """Exchanges until that time, a few events at a time: what is not applied goes up with the next one."""
    left = list(events)
    dones: list[Done] = []
    while not dones or dones[-1].now_us < until_us:
        some = left[:batch]
        horizon_us = until_us if len(left) <= batch else max(left[batch].time_us, 1)
        if dones:
            horizon_us = max(horizon_us, dones[-1].now_us + 1)
        dones.append(await stepped.exchange(min(until_us, horizon_us), some))
        del left[: dones[-1].applied]
    return dones


def alone(seed: int = 1) -> TwinAlone:
    return TwinAlone("twin", make_twin(ONE_BOARD.seed if seed == 1 else seed))


@asynccontextmanager
async def paired(folder: Path) -> AsyncIterator[tuple[Pair, VirtualBoard]]:
    """A board in a process with its twin."""
    with Record(folder / "run.sqlite") as record:
        async with Hangar(
            ONE_BOARD, load_payload(ONE_BOARD.payload, Path()), find_interpreter(), record
        ) as hangar:
            (pair,), (board,) = hangar.flyers, hangar.boards
            assert isinstance(pair, Pair)
            yield pair, board


def flight_state(twin_buffers: Sequence[tuple[str, bytes]]) -> dict[str, bytes]:
    """What flight software holds: all but the plant, the host's words, and the CRC of all that."""
    return {name: data for name, data in twin_buffers if name not in ("plant", "node", "sensors")}
