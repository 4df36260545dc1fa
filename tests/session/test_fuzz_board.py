"""Hostile bytes to a real board: 10,000 seeded mutations of valid frames through the pseudo-terminal."""

import asyncio
import random
import struct
from pathlib import Path

import pytest

from ascnode.boards.interpreter import find_interpreter
from ascnode.record.database import Record
from ascnode.scenario.hangar import Hangar
from ascnode.scenario.payload import load_payload
from ascnode.scenario.provision import bench_key
from ascnode.scenario.scenario import Scenario
from ascnode.scenario.tables.space import ConstellationTable
from ascnode.session import messages
from ascnode.session.commanding import Commander
from ascnode.session.frames import encode
from ascnode.twin.pair import Pair
from ascnode_fw import link
from ascnode_fw.wire import dictionary as d

pytestmark = pytest.mark.skipif(
    find_interpreter() is None, reason="no MicroPython interpreter on this machine"
)

MUTATIONS = 10_000
ONE_BOARD = Scenario(constellation=ConstellationTable(name="starlink-gen1-1", boards=(0,)))


def seeds() -> list[bytes]:
    commander = Commander(bench_key(ONE_BOARD.seed, 0))
    packets = [
        commander.packet("ping"),
        commander.packet("set_param", d.P_HK_PERIOD_S, 30),
        commander.packet("query", 7, 1234, 1, 99, data=bytes(64)),
        commander.packet("plan_add", 0, data=struct.pack(">II", 10, 20)),
    ]
    events = [messages.environment(0, 1024, 1024, 0, 9), messages.radio_lock(0, True)]
    events += [messages.packet(1_000_000, packet) for packet in packets]
    return [
        messages.hello(4321),
        messages.begin(0, 0, 4, 0),
        *messages.exchange(5_000_000, events, link.STOP_ON_CUSTODY, 1024),
        messages.place(link.SNAPSHOT, 0, 0),
        *(bytes((d.FLIGHT,)) + packet for packet in packets),
    ]


def mutated(rng: random.Random, body: bytes) -> bytes:
    """A frame that is not one that was sent; a quarter carry a CRC that fits, so that what lies behind is reached."""
    if rng.random() < 0.25:
        return encode(bytes(_damage(rng, bytearray(body))) or b"\x01")
    return bytes(_damage(rng, bytearray(encode(body))))


def _damage(rng: random.Random, data: bytearray) -> bytearray:
    for _ in range(rng.choice((1, 1, 2, 8))):
        at = rng.randrange(len(data)) if data else 0
        match rng.randrange(5):
            case 0 if data:
                data[at] ^= 1 << rng.randrange(8)
            case 1 if data:
                data[at] = rng.randrange(256)
            case 2:
                data.insert(at, rng.choice((0, 0, 3, 255, rng.randrange(256))))
            case 3 if data:
                del data[at]
            case 4:
                del data[at:]
    return data


def test_a_board_survives_ten_thousand_mutated_frames(tmp_path: Path) -> None:
    async def body() -> None:
        with Record(tmp_path / "run.sqlite") as record:
            async with Hangar(
                ONE_BOARD, load_payload(ONE_BOARD.payload, Path()), find_interpreter(), record
            ) as hangar:
                (pair,) = hangar.flyers
                assert isinstance(pair, Pair)
                session = pair.session
                session.listener = None
                rng, bodies = random.Random(11), seeds()
                loop = asyncio.get_running_loop()
                for number in range(MUTATIONS):
                    await session.port.send(mutated(rng, rng.choice(bodies)), loop.time() + 20)
                    while session.port.take() is not None:
                        pass
                    if number % 50 == 0:
                        await asyncio.sleep(0)
                identity = await session.reconnect(30)
                assert identity.dictionary == d.digest()
                await session.begin(0)
                assert (await session.exchange(60_000_000)).steps == 60
                assert hangar.boards[0].boots == 1

    asyncio.run(body())
