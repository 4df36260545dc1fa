"""Packets of a run over TCP and UDP, into files, and of a run that goes on."""

import asyncio
import socket
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from spacepackets.ccsds.spacepacket import SpacePacketHeader
from typer.testing import CliRunner

from ascnode.cli.main import app
from ascnode.errors import AscnodeError, RecordError
from ascnode.ground import outlets, stream
from ascnode.ground.air import Air, with_apid
from ascnode.ground.outlets import TcpOutlet
from ascnode.ground.stream import Pace, await_boards, await_clients, following, play, recorded
from ascnode.ground.ways import Ways, Wish
from ascnode.record.catalogue import process_mark
from ascnode.record.database import Record
from ascnode.record.reader import open_record
from ascnode.record.rows import Frame
from ascnode.scenario.provision import bench_key
from ascnode_fw.wire import dictionary as d
from ascnode_fw.wire.auth import Signer
from ascnode_fw.wire.packet import unpack_tc
from ground.flown import made, packets, record
from ground.wires import BOARDS, WAIT_S, free_ports, of_board, read_socket


@pytest.fixture(autouse=True)
def _flown() -> None:
    record()  # it needs an event loop of its own


async def read_all(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        return await asyncio.wait_for(reader.read(-1), WAIT_S)
    finally:
        writer.close()


async def send_to(wish: Wish, speed: float | None = None, commands: bool = False) -> int:
    reader, _ = await await_boards(record(), 0.0)
    async with Ways(wish, BOARDS, lambda text: None) as ways:
        await await_clients(ways.ports, WAIT_S, lambda text: None)
        return await play(recorded(reader, BOARDS), ways, Pace(speed), commands, lambda time_us, count: None)


def test_each_board_has_a_port_and_each_client_gets_every_byte() -> None:
    port = free_ports()

    async def body() -> list[Any]:
        clients = [read_all(port + node) for node in (0, 1, 2, 2)]
        sending = asyncio.ensure_future(send_to(Wish(tcp=port)))
        await asyncio.sleep(0.05)
        return await asyncio.gather(sending, *clients)

    count, *received = asyncio.run(body())
    assert received == [of_board(node) for node in (0, 1, 2, 2)]
    assert count == sum(not packet.up for packet in packets())


def test_one_port_tells_boards_apart_by_apid(tmp_path: Path) -> None:
    asyncio.run(send_to(Wish(file=tmp_path / "all.bin", one_port=True)))
    data = (tmp_path / "all.bin").read_bytes()
    down = [packet for packet in packets() if not packet.up]
    for packet in down:
        mine, data = data[: len(packet.data)], data[len(packet.data) :]
        header = SpacePacketHeader.unpack(mine)
        assert header.apid == 0x2A5 + packet.node
        header.apid = 0x2A5
        assert header.pack() + mine[6:] == packet.data
    assert data == b""


def test_files_hold_each_boards_packets_and_none_is_overwritten(tmp_path: Path) -> None:
    asyncio.run(send_to(Wish(file=tmp_path / "tm.bin")))
    assert {path.name for path in tmp_path.iterdir()} == {f"tm-{name}.bin" for name in BOARDS.values()}
    for node, name in BOARDS.items():
        assert (tmp_path / f"tm-{name}.bin").read_bytes() == of_board(node)
    with pytest.raises(AscnodeError, match=r"tm-sat-0-0\.bin exists: name another file"):
        asyncio.run(send_to(Wish(file=tmp_path / "tm.bin")))


def test_udp_carries_a_packet_a_datagram() -> None:
    port = free_ports()
    received: dict[int, list[bytes]] = {}

    class Ear(asyncio.DatagramProtocol):
        def __init__(self, node: int) -> None:
            self.heard = received.setdefault(node, [])

        def datagram_received(self, data: bytes, addr: object) -> None:
            self.heard.append(data)

    async def body() -> None:
        loop = asyncio.get_running_loop()
        ears = [
            await loop.create_datagram_endpoint(lambda node=node: Ear(node), ("127.0.0.1", port + node))
            for node in BOARDS
        ]
        count = await send_to(Wish(udp=("127.0.0.1", port)), speed=1e4)
        async with asyncio.timeout(WAIT_S):
            while sum(map(len, received.values())) < count:
                await asyncio.sleep(0.01)
        for transport, _ in ears:
            transport.close()

    asyncio.run(body())
    for node in BOARDS:
        assert received[node] == [one.data for one in packets() if one.node == node and not one.up]


def test_telecommands_are_those_that_the_board_took_as_they_were_signed(tmp_path: Path) -> None:
    asyncio.run(send_to(Wish(file=tmp_path / "tm.bin"), commands=True))
    for node, name in BOARDS.items():
        signer, sequences = Signer(bench_key(7, node)), []
        for packet in (one for one in packets() if one.node == node and one.up):
            assert signer.signed(memoryview(packet.data))
            sequences.append(unpack_tc(memoryview(packet.data)).sequence)
        assert len(sequences) > 20
        assert sequences == sorted(set(sequences))
        both = b"".join(one.data for one in packets() if one.node == node)
        assert (tmp_path / f"tm-{name}.bin").read_bytes() == both


def test_packets_of_a_board_are_in_order_of_time() -> None:
    for node in BOARDS:
        times = [one.time_us for one in packets() if one.node == node]
        assert times == sorted(times)


# --- clients that do not read, come late, or not at all


def test_a_client_that_does_not_read_loses_whole_packets_and_others_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outlets, "CLIENT_BYTES", 1 << 16)
    monkeypatch.setattr(outlets, "STALL_S", 0.05)
    packet, told = made(d.TM_RESULT, bytes(range(200))), []

    async def body() -> tuple[int, bytes]:
        port = TcpOutlet("127.0.0.1", 0, "board", told.append)
        await port.open()
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(("127.0.0.1", port.port))
        quick = asyncio.ensure_future(read_all(port.port))
        while len(port._clients) < 2:
            await asyncio.sleep(0.01)
        for number in range(40_000):
            port.send(packet)
            if number % 64 == 0:
                await port.room()
                await asyncio.sleep(0)
        closing = asyncio.ensure_future(port.close())
        late = await asyncio.to_thread(read_socket, slow)
        await closing
        return len(await quick), late

    quick, late = asyncio.run(body())
    assert quick == 40_000 * len(packet)
    assert 0 < len(late) < quick
    assert late == packet * (len(late) // len(packet))  # whole ones
    assert any("reads too slowly: packets are dropped for it" in text for text in told)
    dropped = 40_000 - len(late) // len(packet)
    assert any(text.endswith(f"{dropped:,} dropped") for text in told)


def test_a_client_that_leaves_disturbs_nobody() -> None:
    async def body() -> bytes:
        port = TcpOutlet("127.0.0.1", 0, "board", lambda text: None)
        await port.open()
        stays = asyncio.ensure_future(read_all(port.port))
        _, writer = await asyncio.open_connection("127.0.0.1", port.port)
        while len(port._clients) < 2:
            await asyncio.sleep(0.01)
        writer.transport.abort()
        for _ in range(200):
            port.send(made(d.TM_PARAM, bytes(6)))
            await port.room()
            await asyncio.sleep(0)
        await port.close()
        return await stays

    assert asyncio.run(body()) == 200 * made(d.TM_PARAM, bytes(6))


def test_a_port_that_is_taken_is_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(AscnodeError, match=f"cannot listen at 127.0.0.1:{port}"):
            asyncio.run(send_to(Wish(tcp=port)))


def test_nobody_coming_is_told_with_where_and_how_long(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_ports()
    monkeypatch.setitem(globals(), "WAIT_S", 0.05)
    with pytest.raises(
        AscnodeError, match=rf"no client came within 0\.05 s to 127\.0\.0\.1:{port} \(sat-0-0\)"
    ):
        asyncio.run(send_to(Wish(tcp=port)))


def test_time_passes_at_the_speed_that_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(stream.asyncio, "sleep", sleep)
    monkeypatch.setattr(stream.time, "monotonic", lambda: 1000.0)

    async def body(pace: Pace) -> None:
        for time_us in (60_000_000, 61_000_000, 64_000_000):
            await pace.until(time_us)

    asyncio.run(body(Pace(8.0)))
    assert waits == [0.0, 0.125, 0.5]
    asyncio.run(body(Pace(None)))
    assert len(waits) == 3


# --- a run that goes on


def test_a_growing_record_is_followed_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "POLL_S", 0.01)
    with sqlite3.connect(record()) as db:
        boards = db.execute("SELECT * FROM boards").fetchall()
        frames = db.execute("SELECT * FROM frames ORDER BY time_us, node, number").fetchall()
    columns = ",".join("?" * len(boards[0]))

    async def grow(path: Path) -> None:
        with Record(path) as growing:
            growing.values("wall", {"process": process_mark()})
            growing.add("boards", *boards[0])
            growing._db.executemany(f"INSERT INTO boards VALUES ({columns})", boards[1:])
            for at in range(0, len(frames), 40):
                for frame in frames[at : at + 40]:
                    growing.add("frames", *frame)
                growing.commit()
                await asyncio.sleep(0.005)
            growing.values("figures", {"answered": 1})

    async def body() -> list[Any]:
        path = tmp_path / "growing.sqlite"
        growth = asyncio.ensure_future(grow(path))
        reader, nodes = await await_boards(path, WAIT_S)
        found = [one async for one in following(reader, list(nodes), lambda text: None)]
        await growth
        return found

    found = asyncio.run(body())
    assert sorted(found) == sorted(packets())
    for node in BOARDS:
        assert [one for one in found if one.node == node] == [one for one in packets() if one.node == node]


def test_a_run_that_was_cut_off_ends_the_following_with_a_word(tmp_path: Path) -> None:
    with sqlite3.connect(record()) as db, sqlite3.connect(tmp_path / "cut.sqlite") as cut:
        db.backup(cut)
        cut.execute("DELETE FROM figures")
        cut.execute("UPDATE wall SET value = '[1, 0]' WHERE key = 'process'")
    told: list[str] = []

    async def body() -> int:
        nodes = list(BOARDS)
        reader = open_record(tmp_path / "cut.sqlite")
        return len([one async for one in following(reader, nodes, told.append)])

    assert asyncio.run(body()) == len(packets())
    assert told == [
        f"{tmp_path / 'cut.sqlite'} grows no more: the run has stopped without its closing figures"
    ]


# --- what makes no sense


def test_a_record_without_boards_has_no_packets(tmp_path: Path) -> None:
    with Record(tmp_path / "none.sqlite") as empty:
        empty.values("figures", {"answered": 0})
    with pytest.raises(AscnodeError, match="has no boards: simulated nodes send no packets"):
        asyncio.run(await_boards(tmp_path / "none.sqlite", 5.0))


def test_a_frame_that_was_cut_names_itself() -> None:
    done = bytes((d.SIM, 0x82)) + bytes(10)
    with pytest.raises(RecordError, match="frame 7 of node 3 does not decode"):
        Air(3).feed(Frame(3, 7, 0, "down", done))


def test_an_apid_past_the_last_is_refused() -> None:
    assert with_apid(made(d.TM_PARAM, bytes(6)), 0x7FE - 0x2A5)[:2] == b"\x0f\xfe"
    with pytest.raises(RecordError, match="APID 2047 does not fit"):  # that of idle packets
        with_apid(made(d.TM_PARAM, bytes(6)), 0x7FF - 0x2A5)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--speed", "max"], "say where the packets go"),
        (["--udp", "localhost"], "'localhost' is no address"),
        (["--udp", "localhost:99999"], "'localhost:99999' is no address"),
        (["--tcp", "20000", "--speed", "fast"], "--speed is 'fast': it is a number above 0, or max"),
        (["--tcp", "20000", "--speed", "0"], "--speed is '0'"),
        (["--tcp", "20000", "--node", "sat-9-9"], "no board is called sat-9-9: sat-0-0, sat-3-5, sat-5-1"),
        (["--tcp", "65535", "--wait", "0"], "port 65535 and 1 more is above 65535"),
    ],
)
def test_bad_input_is_one_sentence(arguments: list[str], sentence: str) -> None:
    result = CliRunner().invoke(app, ["stream", str(record()), *arguments])
    assert result.exit_code == 1
    assert sentence in str(result.exception)


def test_a_record_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["stream", str(tmp_path / "x.sqlite"), "--tcp", "20000"])
    assert isinstance(result.exception, RecordError)
