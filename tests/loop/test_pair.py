"""A board with its twin beside it: real firmware in a MicroPython process against the same firmware in CPython."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ascnode.boards.interpreter import find_interpreter
from ascnode.errors import ParityError
from ascnode.record.database import Record
from ascnode.scenario.hangar import Hangar
from ascnode.scenario.payload import load_payload
from ascnode.scenario.provision import bench_key
from ascnode.scenario.scenario import Scenario
from ascnode.scenario.tables.space import ConstellationTable
from ascnode.session import messages
from ascnode.session.commanding import Commander
from ascnode.twin.pair import Pair
from ascnode_fw.flight import layout as f_
from ascnode_fw.plant import layout as p_

pytestmark = pytest.mark.skipif(
    find_interpreter() is None, reason="no MicroPython interpreter on this machine"
)

ONE_BOARD = Scenario(constellation=ConstellationTable(name="starlink-gen1-1", boards=(0,)))
SUN = messages.environment(0, 1024, 1024, 0, 700)


@asynccontextmanager
async def a_hangar(folder: Path) -> AsyncIterator[Hangar]:
    with Record(folder / "run.sqlite") as record:
        async with Hangar(
            ONE_BOARD, load_payload(ONE_BOARD.payload, Path()), find_interpreter(), record
        ) as hangar:
            yield hangar


@asynccontextmanager
async def one_pair(folder: Path) -> AsyncIterator[Pair]:
    async with a_hangar(folder) as hangar:
        (pair,) = hangar.flyers
        assert isinstance(pair, Pair)
        await pair.begin(0)
        yield pair


def test_board_and_twin_agree_over_an_hour(tmp_path: Path) -> None:
    async def body() -> None:
        async with one_pair(tmp_path) as pair:
            done = await pair.exchange(3_600_000_000, [SUN])
            assert (done.steps, pair.steps, pair.mismatches) == (3600, 3600, 0)
            assert (
                pair.twin.node.plant.state[p_.T_RADIATOR_UK]
                != pair.twin.node.plant_words[p_.INITIAL_RADIATOR_UK]
            )

    asyncio.run(body())


@pytest.mark.parametrize("at_s", [0, 137, 599])
def test_a_twin_whose_physics_differs_from_some_step_on_is_named_by_step_field_and_values(
    tmp_path: Path, at_s: int
) -> None:
    async def body() -> None:
        async with one_pair(tmp_path) as pair:
            node = pair.twin.node
            step = node.plant.step

            def wrong() -> None:
                step()
                if node.computer.f[f_.NOW_S] >= at_s:
                    node.plant.state[p_.T_RADIATOR_UK] += 1

            node.plant.step = wrong  # type: ignore[method-assign]
            with pytest.raises(ParityError) as caught:
                await pair.exchange(600_000_000, [SUN])
            board = (await pair.session.snapshot([4 * p_.STATE_WORDS]))[0]
            value = int.from_bytes(board[4 * p_.T_RADIATOR_UK :][:4], "little")
            assert f"step {at_s + 1} (t = {at_s + 1}.000 s)" in str(caught.value)
            assert f"plant: t_radiator uK is {value} on the board and {value + 1} on its twin" in str(
                caught.value
            )
            assert pair.mismatches == 1

    asyncio.run(body())


def test_an_upset_on_the_board_alone_is_caught_and_named(tmp_path: Path) -> None:
    # A bit of the battery's energy flips on the board at 250 s; the twin is kept from hearing of it.
    async def body() -> None:
        async with one_pair(tmp_path) as pair:
            handle = pair.twin.handle
            upset = messages.poke(250_000_000, 0, p_.ENERGY_J, 1 << 4)
            pair.twin.handle = lambda frame: handle(_without(frame, upset.pack()))  # type: ignore[method-assign]
            with pytest.raises(
                ParityError, match=r"step 251 .*plant: energy 2\^k J is \d+ on the board and \d+"
            ):
                await pair.exchange(400_000_000, [SUN, upset])

    asyncio.run(body())


def _without(frame: bytes, event: bytes) -> bytes:
    # The exchange as it would be with an event of no effect in the place of that one.
    head, found, tail = frame.partition(event)
    return head + event[:6] + b"\xff" + event[7:] + tail if found else frame


def test_a_difference_that_does_not_repeat_is_said_to_be_one(tmp_path: Path) -> None:
    async def body() -> None:
        async with one_pair(tmp_path) as pair:
            node = pair.twin.node
            tick, once = node.computer.tick, [True]

            def tick_once_wrong() -> None:
                tick()
                if once and node.computer.f[f_.NOW_S] == 100:
                    once.clear()
                    node.computer.f[f_.CAP_PW] = 5

            node.computer.tick = tick_once_wrong  # type: ignore[method-assign]
            with pytest.raises(ParityError, match=r"power cap pw is 0 on the board and 5 .*they agree"):
                await pair.exchange(200_000_000, [SUN])

    asyncio.run(body())


def test_after_a_reset_the_session_reconnects_and_the_plant_goes_on(tmp_path: Path) -> None:
    """A reset loses the flight computer's memory, not the battery's charge, nor what was commanded before."""

    async def body() -> None:
        async with a_hangar(tmp_path) as hangar:
            (pair,), (board,) = hangar.flyers, hangar.boards
            assert isinstance(pair, Pair)
            await pair.begin(0)
            commander = Commander(bench_key(ONE_BOARD.seed, 0))
            ping = messages.packet(0, commander.packet("ping"))
            await pair.exchange(1_000_000_000, [SUN, ping])
            energy_j = pair.twin.node.plant.state[p_.ENERGY_J]
            board.reset()
            identity = await pair.resume(1_000_000_000, cause=1, boots=1)
            assert pair.twin.node.plant.state[p_.ENERGY_J] == energy_j
            assert pair.twin.node.computer.f[f_.BOOTS] == 1
            # the counter's mark was reserved 64 ahead: what was sent before is refused, what follows it is not
            assert identity.sequence == 64
            await pair.exchange(1_010_000_000, [SUN, ping])
            assert pair.twin.node.computer.f[f_.COMMANDS_REFUSED] == 1
            commander.sequence = identity.sequence
            await pair.exchange(1_020_000_000, [messages.packet(0, commander.packet("ping"))])
            assert pair.twin.node.computer.f[f_.COMMANDS_REFUSED] == 1
            assert pair.mismatches == 0

    asyncio.run(body())


def test_the_escape_frame_leaves_the_board_at_its_repl(tmp_path: Path) -> None:
    async def body() -> None:
        async with a_hangar(tmp_path) as hangar:
            (pair,) = hangar.flyers
            assert isinstance(pair, Pair)
            await pair.session.to_repl()
            heard = b""
            while b">>> " not in heard:
                heard += await pair.session.port.receive(asyncio.get_running_loop().time() + 5, "prompt")
            await pair.session.port.send(b"print(6 * 7)\r", asyncio.get_running_loop().time() + 5)
            while b"42" not in heard:
                heard += await pair.session.port.receive(asyncio.get_running_loop().time() + 5, "answer")

    asyncio.run(body())
