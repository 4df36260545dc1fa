"""A cable that fails: whatever it does, a run gives what it gives over a whole one, or says that the link is down."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ascnode.boards.interpreter import find_interpreter
from ascnode.errors import LinkDownError, SessionError
from ascnode.faults.noise import Noise
from ascnode.faults.wire import Direction, FaultyLine
from ascnode.record.database import Record
from ascnode.scenario.hangar import Hangar
from ascnode.scenario.payload import load_payload
from ascnode.scenario.provision import bench_key
from ascnode.scenario.scenario import Scenario
from ascnode.scenario.tables.space import ConstellationTable
from ascnode.session import messages
from ascnode.session.commanding import Commander
from ascnode.session.messages import Done, Event
from ascnode.session.port import Port
from ascnode.session.request import Patience
from ascnode.session.session import Session
from ascnode.twin.pair import Pair
from ascnode.twin.twin import Twin
from ascnode_fw import link
from ascnode_fw.wire import dictionary as d
from session.fake_board import FakeBoard, frame, make_twin

S = 1_000_000
QUICK = Patience(first_s=0.02, most_s=0.08, tries=40)
SIZES = [len(buffer) for buffer in make_twin().snapshot()]


class Bench:
    """A node of real firmware behind a pseudo-terminal, a cable that may fail, and its host."""

    def __init__(self, seed: int = 1, patience: Patience = QUICK) -> None:
        self.twin: Twin = make_twin()
        self.board = FakeBoard(lambda body: self.twin.handle(body))
        self.injected: list[tuple[str, str, str]] = []
        self.line = FaultyLine(
            Port(self.board.path, asyncio.get_running_loop()), seed, lambda *what: self.injected.append(what)
        )
        self.heard: list[tuple[str, bytes]] = []
        self.session = Session(self.line, lambda *what: self.heard.append(what), patience)

    async def fly(self) -> list[Done]:
        """Begin, then exchanges with events of many frames and answers of many parts."""
        commander = Commander(bench_key(1, 0))
        await self.session.begin(0)
        plan = struct.pack(">II", 0, 1 << 29)
        opening = [
            messages.environment(0, 1024, 1024, 0, 700),
            messages.radio_lock(0, True),
            messages.packet(0, commander.packet("plan_add", d.PLAN_CONTACTS, data=plan)),
            messages.packet(0, commander.packet("set_param", d.P_RADIO_BPS, 100_000)),
        ]
        dones = [await self.session.exchange(5 * S, opening)]
        asked = [messages.packet(6 * S, commander.packet("get_param", number % 40)) for number in range(16)]
        dones.append(await self.session.exchange(20 * S, asked))
        light = [messages.environment(i * S // 2, i, i, 0, 9) for i in range(30, 150)]
        dones.append(await self.session.exchange(60 * S, light))
        return dones

    def close(self) -> None:
        self.session.close()
        self.board.close()


@asynccontextmanager
async def bench(seed: int = 1, patience: Patience = QUICK) -> AsyncIterator[Bench]:
    one = Bench(seed, patience)
    try:
        await one.session.connect(5)
        yield one
    finally:
        one.close()


def run(body) -> None:  # type: ignore[no-untyped-def]
    async def inner() -> None:
        async with bench() as one:
            await body(one)

    asyncio.run(asyncio.wait_for(inner(), 60))


def whole() -> tuple[list[Done], list[bytes], list[tuple[str, bytes]]]:
    """What the flight gives over a cable without faults."""

    async def inner() -> tuple[list[Done], list[bytes], list[tuple[str, bytes]]]:
        async with bench() as one:
            return await one.fly(), one.twin.snapshot(), one.heard

    return asyncio.run(inner())


WHOLE = whole()


def test_the_flight_has_events_of_many_frames_and_answers_of_many_parts() -> None:
    dones, _, heard = WHOLE
    kinds = [body[1] for direction, body in heard if direction == "down" and body[0] == d.SIM]
    assert kinds.count(link.PART) >= 1
    assert sum(direction == "up" for direction, _ in heard) > len(dones) + 1


noises = st.lists(
    st.one_of(
        st.builds(Noise, effect=st.just("bit_errors"), rate=st.floats(1e-5, 1e-3)),
        st.builds(
            Noise,
            effect=st.sampled_from(["burst", "drop", "duplicate", "reorder"]),
            rate=st.floats(0.01, 0.6),
            burst_bits=st.integers(1, 300),
        ),
        st.builds(Noise, effect=st.just("delay"), rate=st.floats(0.01, 0.5), delay_s=st.floats(0.001, 0.1)),
    ),
    max_size=4,
)


def _of_the_sky(heard: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    return [(direction, body) for direction, body in heard if body[0] == d.SIM]


def _flight_under(seed: int, up: list[Noise], down: list[Noise]) -> bool:
    """Whether it came through; then it gave what it gives without faults."""

    async def inner() -> bool:
        async with bench(seed, Patience(0.01, 0.04, 14)) as one:
            one.line.set(up, down)
            try:
                dones = await one.fly()
            except LinkDownError:
                return False
            assert dones == WHOLE[0]
            assert one.twin.snapshot() == WHOLE[1]
            # What is recorded, and what a twin gets, does not tell of the cable; LINK frames do.
            assert _of_the_sky(one.heard) == _of_the_sky(WHOLE[2])
            return True

    return asyncio.run(asyncio.wait_for(inner(), 60))


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 1 << 16), noises, noises)
def test_any_mix_of_faults_gives_the_outcome_of_a_whole_cable_or_a_link_that_is_down(
    seed: int, up: list[Noise], down: list[Noise]
) -> None:
    _flight_under(seed, up, down)


@pytest.mark.deep
@settings(max_examples=600, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 1 << 30), noises, noises)
def test_any_mix_of_faults_in_many_draws(seed: int, up: list[Noise], down: list[Noise]) -> None:
    _flight_under(seed, up, down)


@pytest.mark.parametrize("way", ["up", "down", "both"])
@pytest.mark.parametrize(
    "noise",
    [
        Noise(effect="bit_errors", rate=2e-4),
        Noise(effect="burst", rate=0.3, burst_bits=40),
        Noise(effect="drop", rate=0.3),
        Noise(effect="duplicate"),
        Noise(effect="reorder", rate=0.4),
        Noise(effect="delay", rate=0.5, delay_s=0.05),
    ],
    ids=lambda noise: noise.effect,
)
def test_each_fault_is_overcome_and_is_told(noise: Noise, way: str) -> None:
    async def inner() -> None:
        async with bench(seed=3) as one:
            one.line.set([noise] * (way != "down"), [noise] * (way != "up"))
            assert await one.fly() == WHOLE[0]
            assert one.twin.snapshot() == WHOLE[1]
            assert {(direction, effect) for direction, effect, _ in one.injected} >= {
                (direction, noise.effect) for direction in (("up", "down") if way == "both" else (way,))
            }

    asyncio.run(asyncio.wait_for(inner(), 60))


def test_without_a_fault_nothing_is_injected_and_nothing_is_sent_again() -> None:
    async def body(one: Bench) -> None:
        assert await one.fly() == WHOLE[0]
        assert (one.injected, one.session.resent, one.session.damaged) == ([], 0, 0)

    run(body)


def test_a_cut_cable_is_a_link_that_is_down_and_says_what_was_waited_for() -> None:
    async def inner() -> None:
        async with bench(patience=Patience(0.01, 0.02, 3)) as one:
            await one.session.begin(0)
            one.line.set([Noise(effect="cut")])
            with pytest.raises(LinkDownError, match=r"no end of the exchange to 60\.000 s"):
                await one.session.exchange(60 * S)
            assert one.session.resent == 3

    asyncio.run(inner())


@pytest.mark.parametrize("way", ["up", "down"])
def test_an_exchange_that_was_given_up_is_finished_when_the_cable_is_whole(way: str) -> None:
    # Cut upward the board has not heard of it; cut downward it has obeyed, and must not again.
    async def inner() -> None:
        async with bench(patience=Patience(0.01, 0.02, 3)) as one:
            await one.session.begin(0)
            cut = [Noise(effect="cut")]
            one.line.set(cut if way == "up" else (), cut if way == "down" else ())
            with pytest.raises(LinkDownError):
                await one.session.exchange(60 * S)
            with pytest.raises(SessionError, match=r"still without the end of the exchange to 60\.000 s"):
                await one.session.exchange(61 * S)
            one.line.set()
            done = await one.session.again()
            assert (done.steps, done.now_us) == (60, 60 * S)
            assert (await one.session.exchange(61 * S)).steps == 1

    asyncio.run(inner())


def test_a_cut_that_loses_three_frames_is_over_by_itself() -> None:
    async def body(one: Bench) -> None:
        await one.session.begin(0)
        one.line.set([Noise(effect="cut")], losses=3)
        assert (await one.session.exchange(60 * S)).steps == 60
        assert len(one.injected) == 3

    run(body)


def test_a_stalled_flow_loses_nothing_and_is_waited_for() -> None:
    async def body(one: Bench) -> None:
        await one.session.begin(0)
        one.line.stall(0.3)
        start = asyncio.get_running_loop().time()
        assert (await one.session.exchange(60 * S)).steps == 60
        assert asyncio.get_running_loop().time() - start > 0.25
        assert one.injected == [("up", "stall", "0.3 s")]

    run(body)


def test_the_same_seed_spoils_the_same_frames() -> None:
    def arrived(seed: int) -> list[list[tuple[float, bytes]]]:
        way = Direction("up", seed, lambda *what: None)
        way.noises = [Noise(effect="bit_errors", rate=1e-3), Noise(effect="drop", rate=0.3)]
        return [way.passed(bytes([number]) * 100) for number in range(200)]

    assert arrived(5) == arrived(5) != arrived(6)
    lost = sum(not frames for frames in arrived(5))
    assert 40 < lost < 80  # 30 % of 200, within three standard deviations


# --- sessions


def test_a_hello_that_the_cable_held_back_does_not_end_the_session() -> None:
    async def body(one: Bench) -> None:
        await one.session.begin(0)
        stale = one.session.nonce
        await one.session.reconnect()
        await one.session.begin(0)
        await one.session.exchange(10 * S)
        await one.line.send(b"\0" + frame(messages.hello(stale)), asyncio.get_running_loop().time() + 1)
        assert (await one.session.exchange(20 * S)).steps == 10

    run(body)


def test_frames_of_an_earlier_session_are_not_obeyed() -> None:
    async def body(one: Bench) -> None:
        await one.session.begin(0)
        late = messages.numbered(messages.exchange(99 * S, [], 0, 1024)[0], one.session.nonce, 2)
        await one.session.reconnect()
        await one.session.begin(0)
        await one.line.send(frame(late), asyncio.get_running_loop().time() + 1)
        assert (await one.session.exchange(20 * S)).steps == 20

    run(body)


def test_a_boots_hello_that_comes_late_is_not_taken_for_a_restart() -> None:
    async def body(one: Bench) -> None:
        boot = frame(make_twin().handle(messages.begin(0, 0, 4, 0))[0])
        assert boot
        await one.session.begin(0)
        await one.session.exchange(5 * S)
        said = bytearray(make_twin().handle(messages.hello(7))[0])
        said[2:4] = bytes(2)  # as after a boot
        one.board.write(frame(bytes(said)))
        assert (await one.session.exchange(20 * S)).steps == 15

    run(body)


def test_answers_to_a_hello_that_come_late_are_not_taken_for_a_restart() -> None:
    async def body(one: Bench) -> None:
        answer = frame(one.twin.handle(messages.hello(one.session.nonce))[0])  # before the first request
        await one.session.begin(0)
        for second in range(1, 5):
            await one.session.exchange(second * S)
        one.board.write(answer)
        assert (await one.session.exchange(20 * S)).steps == 16

    run(body)


def test_a_host_that_comes_later_gets_a_session_above_the_last_ones() -> None:
    async def inner() -> None:
        one = Bench()
        try:
            for nonce in range(1, 9):
                one.twin.handle(messages.hello(nonce))
            identity = await one.session.connect(5)
            assert identity.nonce > 8
            assert (await one.session.begin(0)) > 0
        finally:
            one.close()

    asyncio.run(inner())


def test_numbers_go_on_from_the_highest_to_one() -> None:
    async def body(one: Bench) -> None:
        await one.session.begin(0)
        one.session._number = one.twin.node.sim.number = link.NUMBERS - 1  # type: ignore[union-attr]
        for second in range(1, 5):
            assert (await one.session.exchange(second * S)).steps == 1
        assert one.session._number == 3

    run(body)


def test_a_refused_request_is_refused_again_and_the_next_one_is_obeyed() -> None:
    async def body(one: Bench) -> None:
        with pytest.raises(SessionError, match="exchange before begin"):
            await one.session.exchange(S)
        await one.session.begin(0)
        too_many: list[Event] = [messages.environment(0, 1, 1, 1, 1)] * 300
        with pytest.raises(SessionError, match="too many"):
            await one.session.exchange(S, too_many)
        assert (await one.session.exchange(3 * S)).steps == 3

    run(body)


# --- a board in a process


@pytest.mark.skipif(find_interpreter() is None, reason="no MicroPython interpreter on this machine")
@pytest.mark.parametrize("seed", [1, 2])
def test_a_board_and_its_twin_agree_over_a_bad_cable(tmp_path: Path, seed: int) -> None:
    scenario = Scenario(constellation=ConstellationTable(name="starlink-gen1-1", boards=(0,)))
    noises = [
        Noise(effect=effect, rate=0.15, delay_s=0.03) for effect in ("drop", "duplicate", "reorder", "delay")
    ]
    noises.append(Noise(effect="bit_errors", rate=2e-4))

    async def inner() -> None:
        with Record(tmp_path / "run.sqlite") as record:
            async with Hangar(
                scenario, load_payload(scenario.payload, Path()), find_interpreter(), record
            ) as hangar:
                (pair,) = hangar.flyers
                assert isinstance(pair, Pair)
                pair.session.patience = QUICK
                line = FaultyLine(pair.session.port, seed)
                pair.session.port = line
                await pair.begin(0)
                line.set(noises, noises)
                for minute in range(1, 40):
                    await pair.exchange(minute * 60 * S, [messages.environment(0, minute, 1024, 0, 9)])
                assert (pair.steps, pair.mismatches) == (39 * 60, 0)
                assert pair.session.resent > 10
                assert hangar.boards[0].boots == 1

    asyncio.run(asyncio.wait_for(inner(), 100))
