"""Telecommands: acceptance and completion reports with their codes, malformed arguments, housekeeping that decodes."""

import random
import struct

import pytest

from ascnode.twin.store import MemoryStore
from ascnode_fw.flight import layout as f_
from ascnode_fw.flight.commands import execute
from ascnode_fw.wire import dictionary as d
from firmware.flight.bench import COMMAND, PARAMETER, Bench, counts, values

CODE = {name: code for code, name in d.CODES}
ROWS = {row[1]: row for row in d.COMMANDS}
QUERY = struct.pack(">IIBI", 77, 0x12345678, 1, 100_000) + bytes(64)
# One good set of arguments for each command.
GOOD = {
    "ping": b"",
    "set_param": struct.pack(">Hi", PARAMETER["housekeeping_period"], 33),
    "get_param": struct.pack(">H", PARAMETER["battery_capacity"]),
    "set_mode": b"\0",
    "cap_power": struct.pack(">I", 0x4321),
    "plan_clear": b"\1",
    "plan_add": struct.pack(">BIIII", 0, 100, 200, 300, 417),
    "query": QUERY,
    "custody": struct.pack(">HHH", 1, 2, 3),
}


def _bench(store: MemoryStore | None = None, **by_name: int) -> Bench:
    bench = Bench(None, store, **by_name)
    bench.period(counts(array_w=420), times=3)
    return bench


def _answers(bench: Bench) -> list[tuple[str, int, int, int]]:
    """(report, sequence, command, code) of the queued reports."""
    return [
        (packet.name, packet.fields["sequence"], packet.fields["command"], packet.fields["code"])
        for packet in bench.queued()
        if packet.kind in (d.TM_ACCEPT, d.TM_COMPLETE)
    ]


def test_every_command_of_the_dictionary_is_tried_here() -> None:
    updates = {name for name in ROWS if name.startswith("update_")}  # tests/push has them
    assert set(GOOD) == set(ROWS) - updates


@pytest.mark.parametrize("name", [name for name in GOOD if name != "query"])
def test_a_good_command_is_accepted_and_completed(name: str) -> None:
    bench = _bench()
    bench.sequence = 0x01234566
    assert bench.command(name, GOOD[name]) == d.OK
    number = COMMAND[name]
    assert _answers(bench) == [("acceptance", 0x01234567, number, 0), ("completion", 0x01234567, number, 0)]
    assert bench.f[f_.COMMANDS_REFUSED] == 0


def test_a_query_completes_with_its_job_under_its_own_sequence_number() -> None:
    bench = _bench()
    bench.sequence = 0x01234566
    bench.command("query", GOOD["query"])
    assert _answers(bench) == [("acceptance", 0x01234567, d.CMD_QUERY, 0)]
    bench.period(counts(array_w=420), times=3)
    assert _answers(bench)[1:] == [("completion", 0x01234567, d.CMD_QUERY, 0)]


def test_reports_carry_the_time_of_acceptance() -> None:
    bench = _bench()
    bench.start_at(0x01020304, 567)
    bench.command("ping")
    assert {packet.time_us for packet in bench.queued() if packet.kind == d.TM_ACCEPT} == {16_909_060_567_000}


@pytest.mark.parametrize("name", list(GOOD))
def test_arguments_of_every_wrong_length_are_refused_and_change_nothing(name: str) -> None:
    _, _, layout, _, rest = ROWS[name]
    fixed = struct.calcsize(layout)
    unit = {"plan_add": 8, "custody": 2}.get(name, 0)
    for size in range(200):
        fits = size == fixed if not rest else size >= fixed and unit and (size - fixed) % unit == 0
        if name == "query":
            fits = size == fixed + 64
        if name == "custody" and size == 0:
            fits = False
        if fits:
            continue
        bench = _bench()
        before = [bytes(buffer) for _, buffer, _ in bench.computer.buffers() if buffer is not bench.f]
        arguments = (GOOD[name] + bytes(200))[:size]
        assert bench.command(name, arguments) == CODE["bad arguments"], size
        assert len(_answers(bench)) == 1  # no completion
        after = [bytes(buffer) for _, buffer, _ in bench.computer.buffers() if buffer is not bench.f]
        assert after[:6] == before[:6]  # plans, parameters, jobs and inputs
        assert bench.f[f_.COMMANDS_REFUSED] == 1


@pytest.mark.parametrize("number", [0, len(d.COMMANDS) + 1, 77, 255])
def test_an_unknown_command_is_refused_by_its_code(number: int) -> None:
    bench = _bench()
    execute(bench.computer, number, 5, memoryview(b""))
    assert _answers(bench) == [("acceptance", 5, number, CODE["unknown command"])]


# --- parameters


def test_a_parameter_that_was_set_is_in_force_and_stored() -> None:
    store = MemoryStore({})
    bench = _bench(store)
    parameter = PARAMETER["temperature_target"]
    assert bench.command("set_param", struct.pack(">Hi", parameter, 34_321)) == d.OK
    assert bench.v[parameter] == 34_321
    assert bench.command("get_param", struct.pack(">H", parameter)) == d.OK
    assert bench.reports(d.TM_PARAM) == [{"parameter": parameter, "value": 34_321}]
    assert "params" in store.files


@pytest.mark.parametrize(
    ("parameter", "value", "reason"),
    [
        (len(d.PARAMETERS), 1, "unknown parameter"),
        (0xFFFF, 1, "unknown parameter"),
        (PARAMETER["charge_safe"], 1001, "out of limits"),
        (PARAMETER["charge_safe"], -1, "out of limits"),
        (PARAMETER["control_period"], 0, "out of limits"),
        (PARAMETER["radio_rate"], 0, "out of limits"),
        (PARAMETER["operating_points"], 9, "out of limits"),
        (PARAMETER["cycles_per_mac"], 0, "out of limits"),
    ],
)
def test_a_parameter_that_is_unknown_or_out_of_limits_stays(parameter: int, value: int, reason: str) -> None:
    bench = _bench()
    before = bytes(bench.v)
    assert bench.command("set_param", struct.pack(">Hi", parameter, value)) == CODE[reason]
    assert bytes(bench.v) == before


def test_a_flash_that_fails_is_told() -> None:
    class Full(MemoryStore):
        def write(self, name: str, data: bytes) -> None:
            raise OSError(28)

    bench = _bench(Full({}))
    before = bytes(bench.v)
    parameter = PARAMETER["housekeeping_period"]
    assert bench.command("set_param", struct.pack(">Hi", parameter, 33)) == CODE["not stored"]
    assert bytes(bench.v) == before
    assert ("parameter not stored", parameter) in bench.events()


def test_an_unknown_parameter_is_not_reported() -> None:
    bench = _bench()
    assert bench.command("get_param", struct.pack(">H", 500)) == CODE["unknown parameter"]
    assert bench.reports(d.TM_PARAM) == []


# --- modes, caps, plans, custody


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("set_mode", b"\3"),
        ("set_mode", b"\xff"),
        ("cap_power", struct.pack(">I", 1 << 20)),
        ("cap_power", struct.pack(">I", (1 << 32) - 1)),
        ("plan_clear", b"\2"),
        ("plan_add", struct.pack(">BII", 0, 1 << 30, (1 << 30) + 5)),
        ("plan_add", struct.pack(">BII", 1, 5, 1 << 30)),
    ],
)
def test_arguments_beyond_their_limits_are_refused(name: str, arguments: bytes) -> None:
    assert _bench().command(name, arguments) == CODE["out of limits"]


def test_a_window_for_a_plan_that_does_not_exist_is_refused() -> None:
    assert _bench().command("plan_add", struct.pack(">BII", 2, 5, 6)) == CODE["bad arguments"]


@pytest.mark.parametrize("plan", [0, 1])
def test_windows_go_into_the_plan_that_was_named(plan: int) -> None:
    bench = _bench()
    assert bench.command("plan_add", struct.pack(">BIIII", plan, 100, 161, 300, 417)) == d.OK
    inside = [[each.within(t) for t in (100, 161, 416)] for each in bench.computer.plans]
    assert inside[plan] == [True, False, True]
    assert inside[1 - plan] == [False] * 3


@pytest.mark.parametrize(
    "windows", [[(100, 161), (99, 300)], [(100, 100)], [(10 * i, 10 * i + 5) for i in range(1, 50)]]
)
def test_windows_that_find_no_place_are_refused(windows: list[tuple[int, int]]) -> None:
    data = b"\0" + b"".join(struct.pack(">II", *window) for window in windows)
    assert _bench().command("plan_add", data) == CODE["plan full"]


def test_windows_that_are_over_make_room_also_when_the_radio_never_had_lock() -> None:
    bench = _bench()
    add = b"".join(struct.pack(">II", 100 + 10 * i, 107 + 10 * i) for i in range(48))
    assert bench.command("plan_add", b"\0" + add) == d.OK
    bench.start_at(5000)
    bench.period()
    assert bench.command("plan_add", b"\0" + struct.pack(">II", 6000, 6100)) == d.OK


def test_a_cap_is_kept_and_lifted() -> None:
    bench = _bench()
    bench.command("cap_power", struct.pack(">I", 0xFFFFF))
    assert bench.f[f_.CAP_PW] == 0xFFFFF
    bench.command("cap_power", bytes(4))
    assert bench.f[f_.CAP_PW] == 0


# --- hostile


def test_no_arguments_whatsoever_raise_anything() -> None:
    rng = random.Random(10)
    bench = Bench()
    words = counts(array_w=420)
    bench.open_contact()
    for turn in range(6000):
        name = rng.choice(list(GOOD))
        if turn % 20 == 0:  # else one wild order would stand for the rest
            bench.command("set_mode", b"\0")
            bench.command("cap_power", bytes(4))
            bench.params.values[:] = values()
        arguments = bytearray(GOOD[name])
        for _ in range(rng.randrange(3)):
            if arguments:
                arguments[rng.randrange(min(len(arguments), 12))] = rng.choice((0, 1, 2, 0x7F, 0x80, 0xFF))
        if rng.random() < 0.1:
            arguments = arguments[: rng.randrange(len(arguments) + 1)]
        execute(bench.computer, COMMAND[name], rng.randrange(1, 1 << 30), memoryview(bytes(arguments)))
        bench.period(words)
    assert bench.f[f_.COMMANDS_REFUSED] > 500
    assert bench.f[f_.JOBS_DONE] > 100


# --- telemetry


def test_housekeeping_says_what_the_sensors_said() -> None:
    bench = _bench()
    bench.command("cap_power", struct.pack(">I", 200_000))
    bench.command("query", QUERY)
    bench.start_at(600)
    bench.period(counts(charge=0.777, array_w=321.0, load_w=123.4, accelerator_c=45.6, radiator_c=-32.1))
    fields = bench.reports(d.TM_HOUSEKEEPING)[-1]
    assert fields["charge"] == pytest.approx(777, abs=4)
    assert fields["array"] == pytest.approx(321_000, abs=256)
    assert fields["load"] == pytest.approx(123_400, abs=256)
    assert fields["accelerator"] == pytest.approx(31_875, abs=9)
    assert fields["radiator"] == pytest.approx(24_105, abs=9)
    assert (fields["mode"], fields["cap"], fields["jobs_queued"]) == (d.COMPUTE, 200_000, 1)
    assert fields["packets_queued"] == bench.computer.links.held() - 1
    assert fields["commands_refused"] == fields["jobs_refused"] == fields["jobs_done"] == 0


def test_housekeeping_comes_once_a_period_of_its_own() -> None:
    bench = Bench(housekeeping_period=7)
    bench.open_contact()
    bench.period(times=50)
    times = [packet.time_us // 1_000_000 for _, packet in bench.heard if packet.kind == d.TM_HOUSEKEEPING]
    assert times == list(range(0, 49, 7))


def test_every_packet_is_numbered_on() -> None:
    bench = Bench(housekeeping_period=3)
    bench.open_contact()
    bench.f[f_.TM_COUNT] = 0x3FFA
    bench.period(times=40)
    numbers = [packet.count for _, packet in bench.heard]
    assert sorted(numbers) == sorted((0x3FFB + i) & 0x3FFF for i in range(len(numbers)))
    assert len(numbers) > 10


def test_throttled_time_is_told_in_seconds() -> None:
    bench = Bench(control_period=500, housekeeping_period=10, governor_sustainable=30_000, governor_k_under=0)
    bench.period(counts(array_w=420), times=4)
    bench.computer.tasks.add(bench.f, (1, 1, 0, 10_000), 1, 1 << 28, memoryview(bytes(64)))
    bench.period(counts(array_w=420), times=40)
    assert bench.reports(d.TM_HOUSEKEEPING)[-1]["throttled"] == pytest.approx(18, abs=1)
