"""What a run puts in its record: every satellite as the sky and the node have it, queries as they come and go."""

import io
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from ascnode.boards.interpreter import Interpreter
from ascnode.cli import run as run_command
from ascnode.cli.run import Flight
from ascnode.errors import StoppedError
from ascnode.record.reader import Reader, open_record
from ascnode.record.requests import Kept
from ascnode.scenario.provision import bench_key, is_bench_key
from ascnode.scenario.scenario import Scenario
from ascnode.session import telemetry
from ascnode.sky.eclipse import illumination
from ascnode.sky.sun import sun_direction
from ascnode_fw import link
from ascnode_fw.node import load_keys
from ascnode_fw.wire import dictionary as d
from record.flown import SMALL
from scenario.flight import scenario


@pytest.fixture
def small(runs: Path) -> Iterator[Reader]:
    with open_record(runs / "small-0001.sqlite") as reader:
        yield reader


def test_satellites_are_in_sunlight_where_the_eclipse_model_has_half_the_disc(small: Reader) -> None:
    flown = Scenario.model_validate(small.scenario)
    for slot in small.slots():
        t_s = slot.end_us / 1e6
        places = flown.space.satellites.positions_km(flown.epoch, t_s)
        lit = illumination(places, sun_direction(flown.epoch, t_s))
        fleet = small.fleet_state(slot.number)
        assert fleet is not None
        clear = np.abs(lit - 0.5) > 0.1  # not in the midst of the penumbra
        np.testing.assert_array_equal(fleet.sunlit[clear], lit[clear] > 0.5)
        assert 0.5 < fleet.sunlit.mean() < 0.8 and clear.mean() > 0.98


def test_a_boards_satellite_is_as_its_own_housekeeping_says(small: Reader) -> None:
    boards = {board.node: board.satellite for board in small.boards}
    compared = 0
    for one in small.telemetry(name="housekeeping"):
        slot = small.slot_at(one.made_us)
        assert slot is not None
        fleet = small.fleet_state(slot.number)
        assert fleet is not None
        satellite = boards[one.node]
        assert fleet.board[satellite]
        assert abs(fleet.charge[satellite] - one.fields["charge"] / 1000) < 0.02
        assert abs(fleet.accelerator_k[satellite] - one.fields["accelerator"] / 100) < 4
        compared += 1
    assert compared > 0


def test_a_slots_load_is_what_its_boards_measure(small: Reader) -> None:
    # Both compute nodes are boards: idle they draw bus and idle power, and at work what housekeeping tells of it.
    flown = Scenario.model_validate(small.scenario)
    loads_w = [slot.load_w for slot in small.slots()]
    idle_w = 2 * flown.node.bus_load_w
    told_w = max(one.fields["load"] / 1000 for one in small.telemetry(name="housekeeping"))
    assert min(loads_w) >= 0.99 * idle_w
    assert max(loads_w) > 1.5 * idle_w
    assert max(loads_w) <= 2 * max(told_w, flown.node.bus_load_w + flown.node.operating_points[-1][1] + 25)


def test_every_user_is_served_by_the_satellite_that_its_query_went_up_to(small: Reader) -> None:
    planned = {tuple(pair) for pair in small.run["lasers"]}
    assert len(planned) == 2 * 1584  # a whole +grid: four ends a satellite
    for slot in small.slots():
        served = small.served(slot.number)
        assert served is not None
        assert np.count_nonzero(served.serving >= 0) == slot.users_served
        assert len(served.lasers) == slot.links
        assert {tuple(pair) for pair in served.lasers.tolist()} <= planned


def test_a_record_holds_the_bytes_of_every_packet_that_was_heard(small: Reader) -> None:
    for one in small.telemetry():
        decoded = telemetry.decode(one.packet)
        assert (decoded.name, decoded.fields, decoded.data) == (one.name, one.fields, one.data)
        assert decoded.time_us == one.made_us


def test_a_record_says_what_it_was_made_with(small: Reader) -> None:
    assert small.run["dictionary"] == d.digest().hex()
    assert small.scenario["constellation"]["name"] == "starlink-gen1-1"
    assert {"ascnode", "python", "numpy", "numba"} <= small.run["versions"].keys()
    assert (small.run["seed"], small.length_us) == (1, 90_000_000)


def test_a_nodes_files_are_kept_with_the_bench_key_and_no_other(small: Reader) -> None:
    files = Kept(small.snapshots(1)).files(0)
    assert load_keys(files["keys.bin"]) == {0: bench_key(1, 1)}
    assert is_bench_key(files["keys.bin"], 1, 1)
    assert not is_bench_key(files["keys.bin"], 1, 0)  # of another node
    assert not is_bench_key(files["keys.bin"], 2, 1)  # of another seed
    assert not is_bench_key(None, 1, 1)


def test_a_real_key_never_enters_a_record(tmp_path: Path) -> None:
    from ascnode.record.database import Record
    from ascnode.scenario.recording import record_flash

    key = b"\x00\x01" + bytes(range(32))
    with Record(tmp_path / "run.sqlite") as record:
        record_flash(record, 0, 0, 1, {"keys.bin": key, "params": b"x"}, {})
        record_flash(record, 0, 9, 1, {"keys.bin": key[::-1]}, {"keys.bin": key, "params": b"x"})
    with open_record(tmp_path / "run.sqlite") as reader:
        assert [(one.time_us, one.name, one.data) for one in reader.snapshots(0)] == [
            (0, "flash/params", b"x"),
            (9, "flash/params", None),
        ]
    assert key[2:] not in (tmp_path / "run.sqlite").read_bytes()


def test_hellos_and_credit_are_kept_apart_from_what_can_be_repeated(boards_run: Path) -> None:
    with open_record(boards_run) as reader:
        kinds = {one.body[:2] for one in reader.frames(0, table="link_frames")}
        assert bytes((d.LINK, link.HELLO)) in kinds and bytes((d.LINK, link.IDENTITY)) in kinds
        assert {one.body[0] for one in reader.frames(0)} == {d.SIM}
        begins = [one for one in reader.frames(0) if one.body[:2] == bytes((d.SIM, link.BEGIN))]
        assert [one.time_us for one in begins] == [0, 40_000_000]  # the reset


def test_a_run_stopped_by_ctrl_c_keeps_its_queries_as_they_stood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Impatient:
        def __init__(self, *_: object) -> None: ...

        def __enter__(self) -> "Impatient":
            return self

        def __exit__(self, *_: object) -> None: ...

        def update(self, sim_s: float, boards: object) -> None:
            if sim_s > 30:
                raise KeyboardInterrupt

    monkeypatch.setattr(run_command, "LiveView", Impatient)
    none: Interpreter | None = None
    with pytest.raises(StoppedError):
        Flight(scenario(tmp_path, SMALL), tmp_path / "run.sqlite", none, Console(file=io.StringIO())).fly()
    with open_record(tmp_path / "run.sqlite") as reader:
        assert not reader.whole and 30_000_000 < reader.newest_us < 90_000_000
        found = list(reader.queries())
        assert all(one.sent_us < reader.newest_us for one in found)
        assert {one.status for one in found} >= {"answered"}
        with sqlite3.connect(tmp_path / "run.sqlite") as db:
            assert db.execute("SELECT count(*) FROM nodes").fetchone() == (0,)
