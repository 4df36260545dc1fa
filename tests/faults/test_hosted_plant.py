"""plant = "host": the plant steps in the host, the flight code is the same and does the same, bit for bit."""

import asyncio
from pathlib import Path

import pytest

from ascnode.boards.interpreter import find_interpreter
from ascnode.session import messages
from ascnode.twin.hosted import HostedPlant
from ascnode.twin.twin import Twin
from ascnode_fw.flight import layout as f_
from ascnode_fw.plant import layout as p_
from faults.flights import Orders, S, advance, alone, flight_state, paired

SECONDS = 900


def state(twin: Twin) -> dict[str, bytes]:
    names = [name for name, _, _ in twin.names()]
    return flight_state(list(zip(names, twin.snapshot(), strict=True)))


def on_board() -> tuple[dict[str, bytes], list[bytes], list[int], Twin]:
    """The same flight with the plant on the board."""
    flyer = alone()

    async def body() -> list[bytes]:
        await flyer.begin(0)
        dones = await advance(flyer, SECONDS * S, Orders().busy(SECONDS))
        return [output.packet for done in dones for output in done.outputs]

    packets = asyncio.run(body())
    return state(flyer.twin), packets, list(flyer.twin.node.plant.state), flyer.twin


def test_flight_state_packets_and_plant_are_those_of_a_plant_on_the_board() -> None:
    expected, packets, plant, twin = on_board()
    hosted = HostedPlant(alone(), twin._store.files["plant.bin"])

    async def body() -> list[bytes]:
        await hosted.begin(0)
        dones = await advance(hosted, SECONDS * S, Orders().busy(SECONDS))
        return [output.packet for done in dones for output in done.outputs]

    assert asyncio.run(body()) == packets
    assert state(hosted.twin) == expected
    assert list(hosted.plant.state) == plant
    f = hosted.twin.node.computer.f
    assert f[f_.JOBS_DONE] > 30
    assert hosted.steps == SECONDS
    # the board's own plant has not moved
    assert hosted.twin.node.plant.state[p_.ENERGY_J] == twin.node.plant_words[p_.INITIAL_J]


def test_a_brown_out_of_the_plant_in_the_host_is_told_as_one_on_the_board() -> None:
    # The battery empties in the dark; conditions come with the next period's words in both.
    def flown(flyer) -> dict[str, bytes]:  # type: ignore[no-untyped-def]
        plant = flyer.plant if isinstance(flyer, HostedPlant) else flyer.twin.node.plant

        async def body() -> None:
            await flyer.begin(0)
            plant.state[p_.ENERGY_J] = 2000
            await advance(flyer, 120 * S, [*Orders().contact(), messages.environment(S, 0, 0, 0, 0)])

        asyncio.run(body())
        return state(flyer.twin)

    board = alone()
    expected = flown(board)
    assert flown(HostedPlant(alone(), board.twin._store.files["plant.bin"])) == expected
    assert board.twin.node.plant.state[p_.UNSERVED_J] > 0


def test_a_plant_that_was_disturbed_gives_another_flight() -> None:
    expected, _, _, twin = on_board()
    hosted = HostedPlant(alone(), twin._store.files["plant.bin"])

    async def body() -> None:
        await hosted.begin(0)
        upset = messages.poke(50 * S, 0, p_.ENERGY_J, 1 << 15)
        events = sorted([*Orders().busy(SECONDS), upset], key=lambda event: event.time_us)
        await advance(hosted, SECONDS * S, events)

    asyncio.run(body())
    assert state(hosted.twin) != expected


@pytest.mark.skipif(find_interpreter() is None, reason="no MicroPython interpreter on this machine")
def test_a_board_with_its_plant_in_the_host_agrees_with_its_twin_and_with_the_plant_on_the_board(
    tmp_path: Path,
) -> None:
    expected, packets, _, twin = on_board()

    async def body() -> None:
        async with paired(tmp_path) as (pair, _):
            hosted = HostedPlant(pair, twin._store.files["plant.bin"])
            await hosted.begin(0)
            dones = await advance(hosted, SECONDS * S, Orders().busy(SECONDS))
            assert [output.packet for done in dones for output in done.outputs] == packets
            assert state(hosted.twin) == expected
            assert (pair.steps, pair.mismatches) == (SECONDS, 0)

    asyncio.run(body())
