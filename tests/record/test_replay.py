"""Replay: the recorded bytes drive a board again; the same firmware says the same, another one differs in words."""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from ascnode.boards.firmware import BOARD_ID_FILE, architecture, board_files, flight_files
from ascnode.boards.flash_image import build_image
from ascnode.boards.interpreter import find_interpreter
from ascnode.boards.runtime import find_runtime
from ascnode.boards.virtual import PROFILES, VirtualBoard
from ascnode.cli.replay import rig_of
from ascnode.errors import BoardError, ReplayError
from ascnode.record import rigs
from ascnode.record.packed import deflate
from ascnode.record.reader import open_record
from ascnode.record.replay import Replay, Replayed, boards_of
from ascnode.record.requests import Kept, requests
from ascnode.record.rigs import Rig
from ascnode.record.rows import Frame, Snapshot
from ascnode.scenario.provision import node_files
from ascnode.scenario.scenario import Scenario
from ascnode.session import messages
from ascnode_fw.plant import layout as p_
from ascnode_fw.plant.model import Plant
from ascnode_fw.wire import dictionary as d
from loop.demo_process import run
from record.flown import SMALL, flown
from record.old_records import version_3

needs_interpreter = pytest.mark.skipif(
    find_interpreter() is None, reason="no MicroPython interpreter on this machine"
)


def replayed(path: Path, board: str = "twin", name: str = "sat-0-0") -> Replayed:
    async def body() -> Replayed:
        with open_record(path) as reader:
            (one,) = boards_of(reader, name)
            async with rig_of(board, reader, one) as rig:
                return await Replay(reader, one, rig).fly()

    return asyncio.run(body())


@pytest.fixture
def changed(runs: Path, tmp_path: Path) -> Callable[..., Path]:
    """A copy of a record with something changed by SQL."""

    def change(sql: str, *values: object) -> Path:
        copy = tmp_path / "changed.sqlite"
        shutil.copy(runs / "small-0001.sqlite", copy)
        with sqlite3.connect(copy) as db:
            assert db.execute(sql, values).rowcount >= 1
        db.close()
        return copy

    return change


# --- the same firmware


@pytest.mark.parametrize("name", ["sat-0-0", "sat-18-5"])
def test_a_twin_says_again_what_was_recorded_to_the_last_byte(runs: Path, name: str) -> None:
    result = replayed(runs / "small-0001.sqlite", name=name)
    assert (result.difference, result.stopped, result.skipped) == ("", "", [])
    assert (result.steps, result.until_us) == (90, 90_000_000)
    with open_record(runs / "small-0001.sqlite") as reader:
        node = {board.name: board.node for board in reader.boards}[name]
        assert result.frames == reader.count("frames", f"node = {node} AND direction = 'down'")


@needs_interpreter
@pytest.mark.parametrize("board", ["virtual", "twin"])
def test_a_run_with_resets_cuts_and_upsets_is_replayed_to_its_end(boards_run: Path, board: str) -> None:
    reset = replayed(boards_run, board, "sat-0-0")
    assert (reset.difference, reset.stopped, reset.skipped) == ("", "", [])
    assert reset.until_us == 90_000_000
    cut = replayed(boards_run, board, "sat-18-5")
    assert (cut.difference, cut.stopped, cut.until_us) == ("", "", 90_000_000)
    # power failed within an exchange, which has not happened: its frames are there, its answer is not
    assert len(cut.skipped) == 1 and cut.skipped[0].startswith("exchange at ")
    assert cut.steps == 80  # off for ten of the ninety periods


@needs_interpreter
def test_what_twins_have_flown_a_board_repeats(runs: Path) -> None:
    result = replayed(runs / "small-0001.sqlite", "virtual")
    assert (result.difference, result.steps) == ("", 90)


@pytest.mark.deep  # minutes
def test_what_twins_have_flown_an_emulated_pico_repeats(tmp_path: Path) -> None:
    try:
        find_runtime("emulated")
    except BoardError as e:
        pytest.skip(str(e))
    text = SMALL.replace("duration_s = 90", "duration_s = 20").replace(
        "queries = 30\nend_s = 60", "queries = 3\nend_s = 9"
    )
    result = replayed(flown(tmp_path, "short-0001", text, None), "emulated")
    assert (result.difference, result.stopped, result.steps) == ("", "", 20)


# --- another firmware


def test_another_parameter_default_differs_as_the_node_begins(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = list(d.PARAMETERS)
    number, name, default, *rest = rows[d.P_HK_PERIOD_S]
    rows[d.P_HK_PERIOD_S] = (number, name, default + 15, *rest)
    monkeypatch.setattr(d, "PARAMETERS", tuple(rows))
    result = replayed(runs / "small-0001.sqlite")
    assert result.difference == (
        "after step 0 (t = 0.000 s): as it began, parameter housekeeping_period is 60 in the record and 75 on the board"
    )


def test_other_physics_differ_in_the_first_exchange_that_shows_them(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Plant.step

    def warmer(self: Plant) -> None:
        step(self)
        self.state[p_.T_RADIATOR_UK] += 1

    monkeypatch.setattr(Plant, "step", warmer)
    result = replayed(runs / "small-0001.sqlite")
    assert result.difference.startswith("after step 0 (t = 0.000 s): end of exchange: ")
    assert " in the record and " in result.difference and result.difference.endswith(" on the board")


@needs_interpreter
def test_a_board_with_another_firmware_differs(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def other_files(march: str) -> dict[str, bytes]:
        files = board_files(march)
        patch = b"from ascnode_fw.flight import power\npower.shed_level = lambda level, soc, v: 1\n"
        return {**files, "main.py": patch + files["main.py"]}

    monkeypatch.setattr(rigs, "board_files", other_files)
    result = replayed(runs / "small-0001.sqlite", "virtual")
    assert "in the record and" in result.difference and result.steps < 90


def test_an_answer_that_was_recorded_otherwise_is_named_by_field_and_values(
    changed: Callable[..., Path],
) -> None:
    with open_record(changed("UPDATE wall SET value = value")) as reader:
        frame = next(one for one in reader.frames(0) if one.direction == "down" and one.number > 3)
    steps = messages.parse_done(frame.body).steps
    at = 6 + 2  # after the SIM header, part and stop: the number of steps, two bytes
    body = frame.body[:at] + (steps + 1).to_bytes(2, "big") + frame.body[at + 2 :]
    path = changed("UPDATE frames SET body = ? WHERE node = 0 AND number = ?", body, frame.number)
    result = replayed(path)
    assert (
        f"end of exchange: steps is {steps + 1} in the record and {steps} on the board" in result.difference
    )


# --- what cannot be replayed is refused with the reason


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("UPDATE boards SET dictionary = '0011'", "recorded with dictionary 0011, and this ascnode speaks"),
        ("DELETE FROM snapshots WHERE name LIKE 'state/%'", "does not hold what sat-0-0 began with"),
        ("DELETE FROM snapshots WHERE name = 'flash/keys.bin'", "the key of sat-0-0 is not in the record"),
        ("DELETE FROM snapshots WHERE name = 'flash/plant.bin'", "cannot start from the recorded flash"),
        ("DELETE FROM snapshots WHERE name = 'state/links'", "other state than this firmware has"),
    ],
)
def test_a_record_without_what_replay_needs_is_refused(
    changed: Callable[..., Path], sql: str, reason: str
) -> None:
    path = changed(sql)
    with pytest.raises(ReplayError, match=reason):
        replayed(path)


def test_a_state_of_another_size_is_refused(changed: Callable[..., Path]) -> None:
    longer = deflate(bytes(4 * 200))
    path = changed("UPDATE snapshots SET data = ? WHERE name = 'state/flight'", longer)
    with pytest.raises(ReplayError, match=r"the state of sat-0-0 cannot be restored \(flight\)"):
        replayed(path)


def test_an_old_record_and_a_board_that_is_not_there_are_refused(tmp_path: Path, runs: Path) -> None:
    with pytest.raises(ReplayError, match="recorded with dictionary aabbccddeeff0011"):
        replayed(version_3(tmp_path / "old.sqlite"), name="sat-18-5")
    with pytest.raises(ReplayError, match="no board sat-9-9 in this run: there are sat-0-0, sat-18-5"):
        replayed(runs / "small-0001.sqlite", name="sat-9-9")
    with pytest.raises(ReplayError, match="there are twin, virtual"):
        replayed(runs / "small-0001.sqlite", "pigeon")


# --- a board on a port, which keeps its own flash


def node_flash(runs: Path, change: Callable[[dict[str, bytes]], dict[str, bytes]]) -> bytes:
    """The flash of a board that was made for the recorded run's first node, but for a change."""
    interpreter = find_interpreter()
    assert interpreter is not None  # the test needs one
    with open_record(runs / "small-0001.sqlite") as reader:
        files = Kept(reader.snapshots(0)).files(0)
        files[BOARD_ID_FILE] = bytes.fromhex(reader.boards[0].unique_id)
    content = change({**board_files(architecture(interpreter)), **files})
    return build_image(content, PROFILES["rp2040"].flash_blocks)


def on_a_port(runs: Path, folder: Path, change: Callable[[dict[str, bytes]], dict[str, bytes]]) -> Replayed:
    flash = folder / "desk.flash"
    flash.write_bytes(node_flash(runs, change))
    with VirtualBoard(flash, "rp2040") as board:
        board.power_on()
        return replayed(runs / "small-0001.sqlite", f"serial:{board.port}")


@needs_interpreter
def test_a_board_on_a_port_repeats_the_run_it_was_flashed_for(runs: Path, tmp_path: Path) -> None:
    result = on_a_port(runs, tmp_path, lambda files: files)
    assert (result.difference, result.stopped, result.steps) == ("", "", 90)


def other_key(files: dict[str, bytes]) -> dict[str, bytes]:
    scenario = Scenario()
    return {**files, "keys.bin": node_files(scenario.node, b"", 99, 0, 1000)["keys.bin"]}


def other_plant(files: dict[str, bytes]) -> dict[str, bytes]:
    node = Scenario().node.model_copy(update={"battery_wh": 123.0})
    return {**files, "plant.bin": node_files(node, b"", 1, 0, 1000)["plant.bin"]}


@needs_interpreter
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (flight_files, "this is a flight build: it has no SIM plane"),
        (other_key, "the board's key is not the bench's for sat-0-0"),
        (other_plant, "its plant is not the recorded node's: flash it for the run first"),
    ],
)
def test_a_board_on_a_port_that_cannot_repeat_it_is_refused(
    runs: Path, tmp_path: Path, change: Callable[[dict[str, bytes]], dict[str, bytes]], reason: str
) -> None:
    with pytest.raises(ReplayError, match=reason):
        on_a_port(runs, tmp_path, change)


@needs_interpreter
def test_a_board_that_cannot_be_reset_from_here_is_replayed_up_to_the_reset(boards_run: Path) -> None:
    async def body() -> Replayed:
        with open_record(boards_run) as reader:
            (one,) = boards_of(reader, "sat-0-0")
            async with rig_of("twin", reader, one) as rig:
                return await Replay(reader, one, without_restarts(rig)).fly()

    result = asyncio.run(body())
    assert result.difference == ""
    assert (result.until_us, result.stopped) == (
        40_000_000,
        "the node was reset then, and this board cannot be from here",
    )


def without_restarts(rig: Rig) -> Rig:
    rig.restarts = False
    return rig


# --- frames to requests


def frame(number: int, direction: str, body: bytes) -> Frame:
    return Frame(0, number, 1_000_000 * number, direction, body)


def test_frames_become_requests_with_their_answers() -> None:
    begin, more = (
        messages.begin(0, 0, 4, 0),
        messages.exchange(10_000_000, [messages.radio_lock(0, True)] * 200, 0, 1024),
    )
    assert len(more) == 2
    whole = [
        *[(b"up", body) for body in more],
        (b"down", b"\x01\x83" + bytes(4)),
        (b"down", b"\x01\x82" + bytes(4)),
    ]
    rows = [(b"up", begin), (b"down", b"\x01\x81" + bytes(8)), *whole, (b"up", more[0]), (b"up", begin)]
    found = list(requests(frame(i, way.decode(), body) for i, (way, body) in enumerate(rows)))
    assert [(len(one.frames), len(one.answer), one.begins) for one in found] == [
        (1, 1, True),
        (len(more), 2, False),
        (1, 0, False),  # died with it
        (1, 0, True),
    ]


def test_the_flash_at_a_begin_is_what_changed_up_to_then() -> None:
    kept = Kept(
        [
            Snapshot(0, 0, "flash/params", b"one"),
            Snapshot(0, 0, "flash/keys.bin", b"key"),
            Snapshot(0, 0, "state/plant", b"warm"),
            Snapshot(0, 50, "flash/params", b"two"),
            Snapshot(0, 50, "flash/sequence0", b"64"),
            Snapshot(0, 90, "flash/sequence0", None),
        ]
    )
    assert kept.files(49) == {"params": b"one", "keys.bin": b"key"}
    assert kept.files(50) == {"params": b"two", "keys.bin": b"key", "sequence0": b"64"}
    assert kept.files(99) == {"params": b"two", "keys.bin": b"key"}
    assert kept.state == {"plant": b"warm"}


# --- the command


def test_the_command_says_the_same_or_the_difference_and_tells_by_its_status(
    runs: Path, changed: Callable[..., Path]
) -> None:
    status, out, error = run(runs, "replay", "small-0001", "--folder", ".", "--board", "twin")
    assert (status, error) == (0, "")
    assert [line.partition(" (")[0] for line in out.splitlines()] == [
        "sat-0-0: the same, byte for byte",
        "sat-18-5: the same, byte for byte",
    ]
    path = changed("DELETE FROM frames WHERE node = 0 AND number = 3")
    status, out, error = run(runs, "replay", path, "--board", "twin", "--node", "sat-0-0")
    assert (status, error) == (1, "") and out.startswith("sat-0-0 differs after step "), out
    status, out, error = run(runs, "replay", "small-0001", "--folder", ".", "--board", "serial:/dev/null")
    assert (status, out) == (1, "") and "name it with --node (sat-0-0, sat-18-5)" in error
