"""A twin beside a board with an accelerator: it foresees what the board's does, and follows the board's log where that
went otherwise; a wrong answer is a difference all the same."""

import asyncio
import struct
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from ascnode.errors import ParityError, SessionError
from ascnode.scenario.hangar import ReferenceAccelerator
from ascnode.scenario.hardware import Hardware
from ascnode.scenario.payload import load_payload
from ascnode.scenario.provision import bench_key, node_files, unique_id
from ascnode.scenario.tables.work import Payload
from ascnode.session import messages, telemetry
from ascnode.session.commanding import Commander
from ascnode.session.messages import Done, Outcome
from ascnode.session.port import Port
from ascnode.session.session import Session
from ascnode.twin.engine import LoggedEngine, engine_of
from ascnode.twin.pair import Pair
from ascnode.twin.twin import Twin
from ascnode_fw import link
from ascnode_fw.accel import causes
from ascnode_fw.wire import dictionary as d
from session.fake_board import FakeBoard

PAYLOAD = load_payload(Payload(), Path())
FILES = node_files(Hardware(), PAYLOAD.image, 1, 0, 1000, PAYLOAD.program_image)
SUN = messages.environment(0, 1024, 1024, 0, 700)
WINDOW = struct.pack(">II", 0, 1 << 29)


def make_twin(answer: Callable[[bytes], bytes] = PAYLOAD.answer) -> Twin:
    return Twin(FILES, ReferenceAccelerator(PAYLOAD), unique_id(1, 0), engine_of(FILES, answer))


def fly(
    outcomes: list[Outcome],
    body: Callable[[Pair], Awaitable[None]],
    answer: Callable[[bytes], bytes] = PAYLOAD.answer,
) -> None:
    """A pair whose board's accelerator comes to these, one use after another."""

    async def run() -> None:
        board_twin = make_twin(answer)
        assert board_twin.engine is not None
        board_twin.engine.follow(outcomes)
        board = FakeBoard(board_twin.handle)
        session = Session(Port(board.path, asyncio.get_running_loop()))
        try:
            await session.connect()
            pair = Pair("board", session, make_twin(), 1_000_000)
            await pair.begin(0)
            await body(pair)
        finally:
            session.close()
            board.close()

    asyncio.run(run())


async def ask(pair: Pair, jobs: int, until_s: int) -> Done:
    commander = Commander(bench_key(1, 0))
    packets = [commander.packet("plan_add", d.PLAN_CONTACTS, data=WINDOW)]
    for job in range(jobs):
        data = PAYLOAD.images[job].tobytes()
        packets.append(commander.packet("query", job, PAYLOAD.model.model_id, 0, 100_000, data=data))
    events = [SUN, messages.radio_lock(0, True), *(messages.packet(10_000_000, one) for one in packets)]
    return await pair.exchange(until_s * 1_000_000, events, stop_on_custody=False)


async def reach(pair: Pair, until_s: int, events: Sequence[messages.Event] = ()) -> list[telemetry.Packet]:
    """The results on the way to that time, in as many exchanges as it takes."""
    done = await pair.exchange(until_s * 1_000_000, events, stop_on_custody=False)
    said = results(done)
    while done.stop != link.REACHED:
        done = await pair.exchange(until_s * 1_000_000, (), stop_on_custody=False)
        said += results(done)
    return said


def results(done: Done) -> list[telemetry.Packet]:
    packets = [telemetry.decode(output.packet) for output in done.outputs]
    return [packet for packet in packets if packet.kind == d.TM_RESULT]


def test_what_was_foreseen_needs_no_repetition() -> None:
    async def body(pair: Pair) -> None:
        done = await ask(pair, 3, 30)
        assert [outcome.measured for outcome in done.outcomes] == [PAYLOAD.cycles] * 3
        assert (pair.repeated, pair.mismatches) == (0, 0)

    fly([], body)


def test_cycles_that_were_not_foreseen_are_followed_and_the_same_clock_is_foreseen_from_then_on() -> None:
    slow = Outcome(causes.OK, 0, 0, 4321)

    async def body(pair: Pair) -> None:
        done = await ask(pair, 3, 30)
        assert done.outcomes == (slow, slow, slow)
        assert [packet.fields["cycles"] for packet in results(done)] == [4321] * 3
        assert (pair.repeated, pair.mismatches) == (1, 0)
        await pair.exchange(600_000_000)
        assert (pair.repeated, pair.mismatches) == (1, 0)

    fly([slow, slow, slow], body)


def test_mending_a_failure_and_the_return_are_followed() -> None:
    log = [
        Outcome(causes.OK, 1 << causes.WEIGHTS, 3, 3391),
        Outcome(causes.HUNG, 1 << causes.HUNG, 0, 0),
        Outcome(causes.LINK, 0, 8, 0),
        Outcome(causes.OK, 0, 0, 0),
        Outcome(causes.OK, 0, 2, 3391),
    ]

    async def body(pair: Pair) -> None:
        commander = Commander(bench_key(1, 0), sequence=100)
        done = await ask(pair, 2, 30)
        engines = [packet.fields["engine"] for packet in results(done)]
        assert engines == [d.ENGINE_ACCELERATOR, d.ENGINE_FALL_BACK]
        assert [packet.data for packet in results(done)] == [
            PAYLOAD.answer(PAYLOAD.images[job].tobytes()) for job in range(2)
        ]
        for at_s, expected in ((1000, d.ENGINE_FALL_BACK), (2000, d.ENGINE_ACCELERATOR)):
            data = PAYLOAD.images[7].tobytes()
            query = commander.packet("query", at_s, PAYLOAD.model.model_id, 0, 100_000, data=data)
            said = await reach(pair, at_s)
            said += await reach(pair, at_s + 60, [messages.packet(at_s * 1_000_000, query)])
            result, *_ = [packet for packet in said if packet.fields["job"] == at_s]
            assert result.fields["engine"] == expected
        assert pair.mismatches == 0 and pair.repeated == 3

    fly(log, body)


def test_a_wrong_answer_of_the_boards_accelerator_stops_the_run() -> None:
    def wrong(data: bytes) -> bytes:
        output = bytearray(PAYLOAD.answer(data))
        output[3] ^= 1
        return bytes(output)

    async def body(pair: Pair) -> None:
        with pytest.raises(ParityError, match="queue crc"):
            await ask(pair, 1, 30)

    fly([], body, wrong)


def test_many_jobs_end_an_exchange_before_their_outcomes_outgrow_its_answer() -> None:
    twin = make_twin()
    twin.handle(messages.begin(0, 0, 4, 0))
    node = twin.node
    assert node.sim is not None
    for _ in range(link.OUTCOMES_MAX - 1):
        node.sim.outcome(twin.engine)  # type: ignore[arg-type]
    body = messages.exchange(1_000_000, [], 0, 1024)[-1]
    done = messages.whole_done(twin.handle(body))
    assert done.steps == 1 and not done.outcomes  # each exchange begins with none


def test_outcomes_that_are_cut_short_are_an_error() -> None:
    head = struct.pack(link.DONE_FORMAT, 0, 0, 60, 0, 60, 0, 0x12345678, 1, 5, 6, 0)
    outcome = struct.pack(link.OUTCOME_FORMAT, 3, 0x102, 7, 0x1234567)
    body = bytes((d.SIM, link.DONE, 0, 1, 0, 7)) + head + outcome
    assert messages.parse_done(body).outcomes == (Outcome(3, 0x102, 7, 0x1234567),)
    for size in range(len(body) - 7, len(body)):
        with pytest.raises(SessionError, match="cut short"):
            messages.parse_done(body[:size])


def test_a_node_without_a_program_has_no_engine_and_one_with_a_damaged_one_has_none_that_works() -> None:
    assert engine_of({"model.bin": b""}, PAYLOAD.answer) is None
    damaged = engine_of({"model.acc": b"ASAC"}, PAYLOAD.answer)
    assert isinstance(damaged, LoggedEngine) and damaged.cycles == 1
