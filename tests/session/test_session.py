"""The talk with a board, over a real pseudo-terminal, against boards that behave and boards that do not."""

import asyncio
import os
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from ascnode.errors import BoardError, DictionaryMismatchError, SessionError, SessionTimeoutError
from ascnode.session import messages
from ascnode.session.port import WRITE_QUEUE_BYTES, Port
from ascnode.session.request import Patience
from ascnode.session.session import Session, _next_hello
from ascnode_fw import link
from ascnode_fw.wire import dictionary as d
from session.fake_board import FakeBoard, Handler, frame, make_twin

HELLO = messages.hello(_next_hello(0)[0])
Body = Callable[[FakeBoard, Session], Awaitable[None]]


@asynccontextmanager
async def talk(handler: Handler | None = None) -> AsyncIterator[tuple[FakeBoard, Session]]:
    board = FakeBoard(handler)
    session = Session(Port(board.path, asyncio.get_running_loop()))
    try:
        yield board, session
    finally:
        session.close()
        board.close()


def run(body: Body, handler: Handler | None = None) -> None:
    async def inner() -> None:
        async with talk(handler) as (board, session):
            await body(board, session)

    asyncio.run(asyncio.wait_for(inner(), 30))


def test_hello_gives_the_boards_identity() -> None:
    async def body(board: FakeBoard, session: Session) -> None:
        identity = await session.connect(2)
        assert identity.unique_id == make_twin().node.unique_id
        assert identity.dictionary == d.digest()
        assert identity.capabilities == {"sim", "software"}
        assert identity.credit == link.CREDIT_BYTES

    run(body)


def test_no_hello_holds_a_ctrl_c() -> None:
    # In the grace window after boot a byte 3 would interrupt the firmware.
    nonce, seen = 0, set()
    for _ in range(1000):
        nonce, data = _next_hello(nonce)
        seen.add(nonce)
        assert b"\x03" not in data
    assert len(seen) == 1000
    assert 0 not in seen


def test_the_answer_to_another_hello_is_not_taken_for_ours() -> None:
    twin = make_twin()

    async def body(board: FakeBoard, session: Session) -> None:
        for _ in range(3):
            board.write(frame(twin.handle(messages.hello(999))[0]))
        await session.connect(2)
        assert session.identity is not None
        assert session.identity.nonce == _next_hello(0)[0]

    run(body)


def test_another_dictionary_is_refused_with_both_hashes() -> None:
    twin = make_twin()

    def handler(body: bytes) -> list[bytes]:
        return [reply.replace(d.digest(), b"\x12\x34\x56\x78\x9a\xbc\xde\xf0") for reply in twin.handle(body)]

    async def body(board: FakeBoard, session: Session) -> None:
        with pytest.raises(DictionaryMismatchError, match=f"123456789abcdef0.*{d.digest().hex()}"):
            await session.connect(2)

    run(body, handler)


def test_a_silent_board_is_a_timeout_that_says_hello_was_waited_for() -> None:
    async def body(board: FakeBoard, session: Session) -> None:
        with pytest.raises(SessionTimeoutError, match=r"no hello within 0\.3 s"):
            await session.connect(0.3)
        assert board.heard[0] == HELLO

    run(body, lambda body: [])


def test_noise_before_and_between_frames_is_passed_over() -> None:
    async def body(board: FakeBoard, session: Session) -> None:
        board.write(b"MicroPython v1.29\r\n>>> \x00\xff\x00" + frame(b"\x04\x81short")[:-4] + b"\0")
        assert (await session.connect(2)).version

    run(body)


def test_an_exchange_that_never_ends_names_the_time_it_waited_for() -> None:
    twin = make_twin()

    def handler(body: bytes) -> list[bytes]:
        return [] if body[:2] == bytes((d.SIM, link.EXCHANGE)) else twin.handle(body)

    async def body(board: FakeBoard, session: Session) -> None:
        await session.connect(2)
        await session.begin(0)
        with pytest.raises(SessionTimeoutError, match=r"no end of the exchange to 60\.000 s"):
            await session.exchange(60_000_000, wait_s=0.2)

    run(body, handler)


def test_a_board_that_restarts_in_an_exchange_is_named() -> None:
    twins = [make_twin()]

    def handler(body: bytes) -> list[bytes]:
        if body[:2] == bytes((d.SIM, link.EXCHANGE)):
            twins[0] = make_twin()
        return twins[0].handle(body)

    async def body(board: FakeBoard, session: Session) -> None:
        await session.connect(2)
        await session.begin(0)
        await session.snapshot([4])
        with pytest.raises(SessionError, match="restarted"):
            await session.exchange(60_000_000)

    run(body, handler)


def test_a_refused_exchange_carries_the_boards_reason() -> None:
    async def body(board: FakeBoard, session: Session) -> None:
        await session.connect(2)
        with pytest.raises(SessionError, match="exchange before begin"):
            await session.exchange(1_000_000)

    run(body)


def test_a_port_that_goes_away_is_an_error_at_once() -> None:
    async def body(board: FakeBoard, session: Session) -> None:
        await session.connect(2)
        asyncio.get_running_loop().call_later(0.05, session.port.fail, "board x died")
        with pytest.raises(BoardError, match="board x died"):
            await session.exchange(1_000_000)
        with pytest.raises(BoardError, match="board x died"):
            await session.connect(1)

    run(body, lambda body: make_twin().handle(body) if body[:2] == HELLO[:2] else [])


def test_no_such_port_is_one_sentence() -> None:
    async def inner() -> None:
        with pytest.raises(BoardError, match="cannot open /dev/no-such-port"):
            Port("/dev/no-such-port", asyncio.get_running_loop())

    asyncio.run(inner())


def test_a_port_in_use_is_refused() -> None:
    async def body(board: FakeBoard, session: Session) -> None:
        with pytest.raises(BoardError, match="cannot open"):
            Port(board.path, asyncio.get_running_loop())

    run(body)


def test_more_events_than_a_frame_holds_all_take_effect() -> None:
    # 150 events of 17 bytes do not fit one frame of 1,024 bytes: the rest goes ahead in frames of their own.
    async def body(board: FakeBoard, session: Session) -> None:
        await session.connect(2)
        await session.begin(0)
        events = [messages.environment(i * 1_000_000, i, 1024, 0, 7) for i in range(150)]
        done = await session.exchange(150_000_000, events, stop_on_custody=False)
        assert (done.applied, done.steps, done.now_us) == (150, 150, 150_000_000)
        exchanges = [b for b in board.heard if b[:2] == bytes((d.SIM, link.EXCHANGE))]
        assert len(exchanges) == 3
        assert max(map(len, board.heard)) <= 1024

    run(body)


def test_events_that_come_too_late_for_the_last_period_are_left() -> None:
    async def body(board: FakeBoard, session: Session) -> None:
        await session.connect(2)
        await session.begin(0)
        events = [messages.radio_lock(t, True) for t in (0, 8_000_000, 9_000_001, 9_500_000)]
        done = await session.exchange(10_000_000, events)
        assert (done.applied, done.now_us) == (2, 10_000_000)

    run(body)


def test_credit_keeps_what_is_under_way_within_the_boards_buffer() -> None:
    # The board takes events of 2,400 bytes in frames and acknowledges each only later: never more than its credit
    # may be on the way.
    credit = 1500
    held: list[bytes] = []
    twin = make_twin()

    def handler(body: bytes) -> list[bytes]:
        if body[:2] == HELLO[:2]:
            reply = bytearray(twin.handle(body)[0])
            struct.pack_into(">H", reply, 2 + 18, credit)
            return [bytes(reply)]
        return twin.handle(body)

    async def body(board: FakeBoard, session: Session) -> None:
        await session.connect(2)
        await session.begin(0)
        session.patience = Patience(first_s=5.0)  # what is asked for again comes on top
        board.pause()
        events = [messages.environment(i * 1_000_000, i, 1024, 0, 7) for i in range(150)]
        flight = asyncio.ensure_future(session.exchange(150_000_000, events, stop_on_custody=False))
        await asyncio.sleep(0.2)
        held.append(os.read(board.master, 65536))
        assert 0 < len(held[0]) <= credit + 16
        board._deframer.push(held[0])
        while (waiting := board._deframer.pop()) is not None:
            for reply in board.handler(bytes(waiting)):
                board.write(frame(reply))
        asyncio.get_running_loop().add_reader(board.master, board._read)
        assert (await flight).applied == 150

    run(body, handler)


def test_both_directions_full_stall_and_lose_nothing() -> None:
    """A board that floods and does not read: the host's queues stay bounded, and all of it arrives in order."""

    async def body(board: FakeBoard, session: Session) -> None:
        port = session.port
        board.pause()
        flood = b"".join(struct.pack(">I", i) for i in range(500_000))
        board.write(flood)
        uphill = b"".join(struct.pack("<I", i) for i in range(100_000))
        sending = asyncio.ensure_future(_send_all(port, uphill))
        await asyncio.sleep(0.3)
        assert not sending.done()
        assert len(port._out) <= 2 * WRITE_QUEUE_BYTES
        assert len(port._chunks) <= Port.READ_CHUNKS
        upstream = bytearray()
        asyncio.get_running_loop().add_reader(
            board.master, lambda: upstream.extend(os.read(board.master, 65536))
        )
        received = bytearray()
        while len(received) < len(flood):
            received += await port.receive(asyncio.get_running_loop().time() + 5, "flood")
        await sending
        while len(upstream) < len(uphill):
            await asyncio.sleep(0.01)
        assert received == flood
        assert upstream == uphill

    run(body, lambda body: [])


async def _send_all(port: Port, data: bytes) -> None:
    for at in range(0, len(data), 1000):
        await port.send(data[at : at + 1000], asyncio.get_running_loop().time() + 10)


def test_a_board_that_never_reads_is_a_timeout() -> None:
    async def body(board: FakeBoard, session: Session) -> None:
        board.pause()
        with pytest.raises(SessionTimeoutError, match="does not read"):
            for _ in range(1000):
                await session.port.send(b"x" * 1000, asyncio.get_running_loop().time() + 0.2)

    run(body, lambda body: [])


def test_a_snapshot_restored_brings_the_same_answer_again() -> None:
    async def body(board: FakeBoard, session: Session) -> None:
        await session.connect(2)
        await session.begin(0)
        await session.exchange(100_000_000)
        sizes = [len(buffer) for buffer in make_twin().snapshot()]
        before = await session.snapshot(sizes)
        first = await session.exchange(300_000_000)
        assert await session.snapshot(sizes) != before
        await session.restore(before)
        again = await session.exchange(300_000_000)
        assert (again.crc, again.now_us, again.steps) == (first.crc, first.now_us, first.steps)

    run(body)
