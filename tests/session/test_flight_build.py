"""A flight build has no SIM plane: no such frame has any effect; cable, radio and clock work."""

import asyncio
import random
import struct
from pathlib import Path

import pytest

from ascnode.boards.firmware import BOARD_ID_FILE, architecture, board_files, flight_files
from ascnode.boards.flash_image import build_image
from ascnode.boards.interpreter import find_interpreter
from ascnode.boards.virtual import PROFILES, VirtualBoard
from ascnode.models.image import compile_image
from ascnode.models.project import load_project_model
from ascnode.scenario.hardware import Hardware
from ascnode.scenario.provision import bench_key, node_files, unique_id
from ascnode.session import messages
from ascnode.session.commanding import Commander
from ascnode.session.frames import encode
from ascnode.session.port import Port
from ascnode.session.session import Session
from ascnode.session.telemetry import decode
from ascnode_fw import link
from ascnode_fw.plant import layout as p_
from ascnode_fw.wire import dictionary as d
from session.fake_board import make_twin

S = 1_000_000
CONTACT = struct.pack(">II", 0, 1 << 29)


def sim_frames(rng: random.Random, count: int) -> list[bytes]:
    """Frames of every kind: as a host sends them, with a session and without, cut and mutated."""
    upset = messages.poke(0, 0, p_.ENERGY_J, 12345)
    kinds = [
        messages.begin(77 * S, 9, 4, 1),
        *messages.exchange(3600 * S, [messages.environment(0, 1024, 1, 1, 1), upset], 0, 1024),
        messages.place(link.SNAPSHOT, 0, 0),
        messages.place(link.RESTORE, 0, 0, bytes(64)),
    ]
    frames = []
    for _ in range(count):
        body = bytearray(messages.numbered(rng.choice(kinds), rng.choice((0, 1, rng.randrange(1 << 16))), 1))
        for _ in range(rng.choice((0, 0, 1, 4))):
            body[rng.randrange(1, len(body))] = rng.randrange(256)
        frames.append(bytes(body[: rng.choice((len(body), rng.randrange(1, len(body))))]))
    return frames


def test_no_sim_frame_changes_anything_or_gets_an_answer() -> None:
    twin = make_twin()
    twin.node.fly()
    for _ in range(50):
        twin.node.step()
    before = twin.snapshot()
    for body in sim_frames(random.Random(4), 5000):
        assert twin.handle(body) == []
    assert twin.snapshot() == before
    assert twin.node.sim is None


def test_the_same_frames_do_change_a_bench_build() -> None:
    twin = make_twin()
    before = twin.snapshot()
    for body in sim_frames(random.Random(4), 50):
        twin.handle(body)
    assert twin.snapshot() != before


def test_its_hello_names_no_sim_plane_and_the_nonce_it_was_asked_with() -> None:
    twin = make_twin()
    twin.node.fly()
    identity = messages.parse_identity(twin.handle(messages.hello(0x1234))[0])
    assert identity.capabilities == {"software"}
    assert (identity.nonce, identity.number) == (0x1234, 0)


@pytest.fixture
def flight_board(tmp_path: Path) -> VirtualBoard:
    interpreter = find_interpreter()
    if interpreter is None:
        pytest.skip("no MicroPython interpreter on this machine")
    model = compile_image(load_project_model())
    files = flight_files(board_files(architecture(interpreter)))
    content = {**files, **node_files(Hardware(), model, 1, 0, 100), BOARD_ID_FILE: unique_id(1, 0)}
    (tmp_path / "flash.img").write_bytes(build_image(content, PROFILES["rp2040"].flash_blocks))
    return VirtualBoard(tmp_path / "flash.img", "rp2040", interpreter)


def test_a_flight_board_keeps_its_own_time_obeys_its_radio_and_no_sim_frame(
    flight_board: VirtualBoard,
) -> None:
    async def body() -> None:
        session = Session(Port(flight_board.port, asyncio.get_running_loop()))
        try:
            identity = await session.connect()
            assert "sim" not in identity.capabilities and "unix" in identity.capabilities
            commander = Commander(bench_key(1, 0))
            await session.transmit(commander.packet("plan_add", d.PLAN_CONTACTS, data=CONTACT))
            loop = asyncio.get_running_loop()
            for frame in sim_frames(random.Random(9), 300):
                await session.port.send(encode(frame), loop.time() + 5)
            await session.transmit(commander.packet("ping"))
            await session.listen(1.5)
            packets = [decode(packet) for packet in session.radio]
            done = [(p.fields["sequence"], p.fields["code"]) for p in packets if p.name == "completion"]
            assert done == [(1, 0), (2, 0)]
            # it has sent them at times of its own clock, and no frame has set that
            assert 0 <= min(p.time_us for p in packets) <= max(p.time_us for p in packets) < 20 * S
            assert (await session.connect()).sequence == 2
            assert flight_board.boots == 1
        finally:
            session.close()

    with flight_board:
        flight_board.power_on()
        asyncio.run(body())
