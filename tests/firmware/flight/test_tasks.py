"""Inference jobs: admission with its reasons, order, work in sub-steps, energy, expiry."""

import random
import struct

import pytest

from ascnode_fw.flight import layout as f_
from ascnode_fw.flight import tasks as t_
from ascnode_fw.wire import dictionary as d
from firmware.flight.bench import Bench, Model, counts

FAR_S = 1_000_000
CODE = {name: code for code, name in d.CODES}
SECOND = Model(macs=1000)  # a second at a clock (kHz) that equals cycles_per_mac


def _query(
    bench: Bench, deadline_s: int = FAR_S, priority: int = 1, job: int = 77, model: int = 0x12345678
) -> int:
    data = bytes(range(job & 0x7F, (job & 0x7F) + 64))
    return bench.command("query", struct.pack(">IIBI", job, model, priority, deadline_s) + data)


def _warm(bench: Bench) -> Bench:
    # Three periods with sunlight: out of SAFE, forecast made.
    bench.period(counts(array_w=420), times=3)
    return bench


def _at_point(point: int, work_s: float = 1.0, **by_name: int) -> Bench:
    """A bench on which nothing but the table limits the accelerator: `point` is its only one, a job takes work_s."""
    v = Bench().v
    clock_khz, power_pw = v[d.P_OP_CLOCK_KHZ + point], v[d.P_OP_PW + point]
    model = Model(macs=round(clock_khz * work_s))
    names = {"operating_points": 2, "clock_1": clock_khz, "power_1": power_pw, "cycles_per_mac": 1000}
    return _warm(Bench(model, None, **{**names, **by_name}))


def _results(bench: Bench) -> list[dict[str, int]]:
    return bench.reports(d.TM_RESULT)


def _completions(bench: Bench) -> list[tuple[int, int, int]]:
    # (ms, sequence, code) of the queued completions of queries
    return [
        (packet.time_us // 1000, packet.fields["sequence"], packet.fields["code"])
        for packet in bench.queued()
        if packet.kind == d.TM_COMPLETE and packet.fields["command"] == d.CMD_QUERY
    ]


# --- admission


def test_a_job_that_can_be_done_is_accepted_and_waits() -> None:
    bench = _warm(Bench())
    assert _query(bench) == d.OK
    assert bench.computer.tasks.held() == 1
    assert bench.f[f_.JOBS_REFUSED] == 0


def _shed(bench: Bench) -> None:
    bench.command("set_mode", b"\2")
    bench.period()


def _hot(bench: Bench) -> None:
    bench.period(counts(accelerator_c=96, array_w=420))


def _dark(bench: Bench) -> None:
    bench.computer.eclipses.add(0, 3000)
    bench.period(counts(charge=0.61))


def _full(bench: Bench) -> None:
    for _ in range(t_.SLOTS):
        assert _query(bench) == d.OK


@pytest.mark.parametrize(
    ("before", "reason"),
    [(_shed, "load shed"), (_hot, "too hot"), (_dark, "battery reserve"), (_full, "queue full")],
)
def test_a_node_that_cannot_take_a_job_says_why(before: object, reason: str) -> None:
    bench = _warm(Bench())
    before(bench)  # type: ignore[operator]
    held = bytes(bench.computer.tasks.words)
    assert _query(bench) == CODE[reason]
    assert bytes(bench.computer.tasks.words) == held
    assert bench.f[f_.JOBS_REFUSED] == 1


def test_a_job_for_another_model_is_refused() -> None:
    assert _query(_warm(Bench()), model=0x12345679) == CODE["unknown model"]


@pytest.mark.parametrize("size", [0, 63, 65, 784])
def test_an_input_of_another_size_than_the_models_is_refused(size: int) -> None:
    bench = _warm(Bench())
    head = struct.pack(">IIBI", 1, 0x12345678, 0, FAR_S)
    assert bench.command("query", head + bytes(size)) == CODE["bad arguments"]


@pytest.mark.parametrize(
    "model",
    [Model(input_size=785), Model(output_size=53), Model(macs=(1 << 29) * 1000 // 3750 + 1000)],
    ids=["input", "output", "work"],
)
def test_a_model_too_large_for_slot_packet_or_clock_words_is_refused_not_crashed_on(model: Model) -> None:
    bench = _warm(Bench(model))
    head = struct.pack(">IIBI", 1, 0x12345678, 0, FAR_S)
    assert bench.command("query", head + bytes(model.input_size)) == CODE["out of limits"]


def test_the_largest_answer_that_fits_a_packet_comes_back_whole() -> None:
    bench = _warm(Bench(Model(output_size=52, input_size=52)))
    head = struct.pack(">IIBI", 1, 0x12345678, 0, FAR_S)
    assert bench.command("query", head + bytes(range(52))) == d.OK
    bench.period(counts(array_w=420), times=3)
    (packet,) = (packet for packet in bench.queued() if packet.kind == d.TM_RESULT)
    assert packet.data == bytes(range(1, 53))


@pytest.mark.parametrize(("job", "deadline_s"), [(1 << 30, FAR_S), (0, 1 << 30), ((1 << 32) - 1, 3)])
def test_numbers_past_30_bits_are_out_of_limits(job: int, deadline_s: int) -> None:
    assert _query(_warm(Bench()), deadline_s, job=job) == CODE["out of limits"]


def test_a_deadline_that_the_work_cannot_meet_is_refused() -> None:
    bench = _at_point(2, work_s=7.5)
    now_s = bench.f[f_.NOW_S]
    assert _query(bench, now_s + 7) == CODE["deadline cannot be met"]
    assert _query(bench, now_s + 8) == d.OK


def test_an_idle_node_reckons_with_the_point_that_it_would_start_at() -> None:
    # 665 million cycles: 5 s at the fastest point, 33 s at the slowest.
    bench = _warm(Bench(Model(macs=665_000), cycles_per_mac=1000))
    assert bench.f[f_.OP] == 0
    assert _query(bench, bench.f[f_.NOW_S] + 7) == d.OK


def test_a_lower_cap_makes_a_later_promise() -> None:
    bench = _warm(Bench(Model(macs=665_000), cycles_per_mac=1000))
    bench.command("cap_power", struct.pack(">I", 100_000))
    assert _query(bench, bench.f[f_.NOW_S] + 7) == CODE["deadline cannot be met"]


def test_work_ahead_counts_towards_the_deadline_but_less_urgent_work_does_not() -> None:
    bench = _at_point(3)
    now_s = bench.f[f_.NOW_S]
    for _ in range(5):
        assert _query(bench, now_s + 100, priority=1) == d.OK
    assert _query(bench, now_s + 100, priority=2) == d.OK
    assert _query(bench, now_s + 5, priority=2) == CODE["deadline cannot be met"]  # five are ahead of it
    assert _query(bench, now_s + 2, priority=0) == d.OK  # none is
    bench.period(counts(array_w=420))
    for _ in range(3):
        assert _query(bench, now_s + 100, priority=0) == d.OK


def test_the_running_job_is_ahead_of_everything() -> None:
    bench = _at_point(3, work_s=4)
    now_s = bench.f[f_.NOW_S]
    _query(bench, now_s + 100, priority=9)
    bench.period(counts(array_w=420))  # a quarter of it is done
    assert _query(bench, now_s + 7, priority=0) == CODE["deadline cannot be met"]
    assert _query(bench, now_s + 9, priority=0) == d.OK


def test_the_energy_barrier_rises_with_the_queue() -> None:
    # 30 W for 200 s is 6 kJ a job; what is spare decides how many are taken, and priority does not help.
    bench = _at_point(2, work_s=200, charge_reserve=870)
    bench.computer.plan = lambda: None  # type: ignore[method-assign] # the forecast that an idle node would make
    spare_j = bench.f[f_.SPARE_J] = 27_000
    accepted = 0
    while _query(bench, priority=accepted % 3) == d.OK:
        accepted += 1
    assert accepted == spare_j // 6000
    assert _query(bench, priority=0) == CODE["battery reserve"]


def test_the_energy_of_a_long_queue_is_counted_whole() -> None:
    # 180 W for half an hour is 324 kJ, not what a cut-off estimate would say.
    bench = _at_point(6, work_s=1800, charge_reserve=0)
    bench.computer.plan = lambda: None  # type: ignore[method-assign] # the forecast that an idle node would make
    bench.f[f_.SPARE_J] = 300_000
    assert _query(bench) == CODE["battery reserve"]
    bench.f[f_.SPARE_J] = 330_000
    assert _query(bench) == d.OK


def test_a_full_table_overwrites_nothing() -> None:
    bench = _at_point(1, work_s=1000)
    for job in range(t_.SLOTS):
        assert _query(bench, job=job) == d.OK
    before = bytes(bench.computer.tasks.inputs), bytes(bench.computer.tasks.words)
    assert _query(bench, job=99, priority=0) == CODE["queue full"]
    assert (bytes(bench.computer.tasks.inputs), bytes(bench.computer.tasks.words)) == before


# --- order


def test_jobs_run_by_priority_then_deadline_then_arrival() -> None:
    bench = _at_point(4, work_s=0.9)
    base = bench.f[f_.NOW_S] + 500
    jobs = [(1, 7, 3), (2, 7, 3), (3, 2, 9), (4, 7, 1), (5, 2, 4), (6, 0, 90), (7, 2, 4)]
    for job, priority, deadline_s in jobs:
        assert _query(bench, base + deadline_s, priority, job) == d.OK
    bench.period(counts(array_w=420), times=8)
    assert [fields["job"] for fields in _results(bench)] == [6, 5, 7, 3, 4, 1, 2]


def test_a_running_job_is_not_put_aside_for_a_more_urgent_one() -> None:
    bench = _at_point(4, work_s=2.5)
    _query(bench, priority=5, job=1)
    bench.period(counts(array_w=420))
    _query(bench, priority=0, job=2)
    bench.period(counts(array_w=420), times=5)
    assert [fields["job"] for fields in _results(bench)] == [1, 2]


def test_a_slot_that_was_freed_does_not_jump_the_queue() -> None:
    # The first slot is the first to be free; what is put there came last.
    bench = _at_point(4, work_s=0.7)
    for job in (1, 2, 3):
        _query(bench, job=job)
    bench.period(counts(array_w=420))
    _query(bench, job=4)
    bench.period(counts(array_w=420), times=4)
    assert [fields["job"] for fields in _results(bench)] == [1, 2, 3, 4]


# --- work


def test_completions_fall_on_the_ms_that_the_work_takes() -> None:
    bench = _at_point(3, work_s=0.3337)
    start_ms = bench.now_ms
    for job in range(7):
        _query(bench, job=job)
    bench.period(counts(array_w=420), times=4)
    # each job's last ms is begun, so that 7 jobs take 7 * 334 ms
    assert [ms for ms, _, _ in _completions(bench)] == [start_ms + 334 * (i + 1) for i in range(7)]


def test_a_clock_that_changes_on_the_way_moves_the_completion_by_its_share() -> None:
    # 250,000 kcycles: 2 s at 80 MHz do 160,000, then 1 s at 20 MHz 20,000; 70,000 are left for 133 MHz.
    bench = _warm(Bench(Model(macs=250_000), cycles_per_mac=1000))
    start_ms = bench.now_ms
    _query(bench)
    for budget_pw, periods in ((60_000, 2), (12_000, 1), (180_000, 2)):
        bench.v[d.P_GOV_SUSTAINABLE_PW] = budget_pw
        bench.v[d.P_GOV_K_PU] = 0  # the heat budget is the sustainable power alone
        bench.period(counts(array_w=420), times=periods)
    ((ms, _, code),) = _completions(bench)
    assert (ms, code) == (start_ms + 3000 + -(-70_000 // 133), d.OK)


@pytest.mark.parametrize("control_period", [10, 100, 730, 1000, 10_000])
def test_completion_times_do_not_depend_on_the_control_period(control_period: int) -> None:
    bench = _at_point(4, work_s=12.3456, control_period=control_period)
    start_ms = bench.now_ms
    _query(bench)
    for _ in range(13_000 // control_period + 2):
        bench.period(counts(array_w=420))
    ((ms, _, _),) = _completions(bench)
    assert ms - start_ms == 12_346


def test_cycles_are_macs_times_cycles_per_mac_and_energy_is_power_times_time() -> None:
    bench = _warm(
        Bench(Model(macs=98_765), cycles_per_mac=4321, governor_sustainable=60_000, governor_k_under=0)
    )
    _query(bench)
    bench.period(counts(array_w=420), times=8)
    (fields,) = _results(bench)
    assert fields["operating_point"] == 3
    assert fields["work"] == 98_765 * 4321 // 1000
    assert fields["duration"] == -(-(98_765 * 4321 // 1000) // 80)
    assert fields["energy"] == pytest.approx(60 * fields["duration"], abs=fields["duration"] // 1000 + 1)


def test_no_time_is_lost_between_jobs_and_none_is_invented() -> None:
    # Busy time is the sum of the jobs' own; the draw of a period is that of its busy share, the rest idles.
    bench = _at_point(5, work_s=0.6, accelerator_idle=2000)
    for job in range(3):
        _query(bench, job=job)
    drawn = []
    for _ in range(3):
        bench.period(counts(array_w=420))
        drawn.append(bench.f[f_.ACCEL_PW])
    assert drawn == [135_000, 2000 + 133_000 * 800 // 1000, 0]
    assert bench.f[f_.ACCEL_ON] == 0
    assert bench.f[f_.BUSY_MS] == sum(fields["duration"] for fields in _results(bench)) == 1800


def test_a_job_of_almost_no_work_is_done_in_the_first_ms() -> None:
    bench = _at_point(6, work_s=0.00001)
    start_ms = bench.now_ms
    _query(bench)
    bench.period(counts(array_w=420))
    assert _completions(bench)[0][0] - start_ms in (0, 1)


def test_a_job_for_years_keeps_the_node_going() -> None:
    # The largest work at the slowest clock that can be set: 17 years in 1000 cycles at 1 kHz.
    bench = _warm(Bench(operating_points=2, clock_1=1, power_1=1))
    bench.computer.tasks.add(bench.f, (1, 1, 0, (1 << 30) - 1), 1, t_.WORK_MAX, memoryview(bytes(64)))
    bench.period(counts(array_w=420), times=10)
    left = bench.computer.tasks.words[t_.WORK_KC]
    assert left == t_.WORK_MAX - 10
    assert _completions(bench) == []


def test_energy_sums_stay_within_their_words() -> None:
    bench = _at_point(6, work_s=0.5)
    bench.f[f_.JOB_J], bench.f[f_.JOB_MJ] = (1 << 30) - 1, 999
    _query(bench)
    bench.period(counts(array_w=420), times=2)
    assert 0 <= bench.f[f_.JOB_J] < 1 << 30
    assert 0 <= bench.f[f_.JOB_MJ] < 1000


def test_a_point_without_a_clock_that_the_ground_turns_on_does_not_stop_the_node() -> None:
    # The ground raises the number of points first and sets the eighth then: in between it has neither clock nor power.
    bench = _warm(Bench())
    _query(bench)
    for parameter, value in ((d.P_OP_COUNT, 8), (d.P_OP_CLOCK_KHZ + 7, 150_000), (d.P_OP_PW + 7, 250_000)):
        assert bench.command("set_param", struct.pack(">Hi", parameter, value)) == d.OK
        bench.period(counts(array_w=420), times=2)
    assert [fields["code"] for fields in _results(bench)] == [d.OK]


# --- expiry


def test_a_job_whose_deadline_passes_is_given_up_and_says_so() -> None:
    bench = _at_point(2, work_s=5)
    deadline_s = bench.f[f_.NOW_S] + 6
    _query(bench, deadline_s, job=41)
    bench.period(counts(array_w=420), times=2)
    bench.command("set_mode", b"\2")  # no power for it any more
    bench.period(counts(array_w=420), times=10)
    (fields,) = _results(bench)
    assert (fields["job"], fields["code"], fields["duration"]) == (41, d.EXPIRED, 2000)
    assert _completions(bench) == [(deadline_s * 1000, 1, d.EXPIRED)]
    assert (bench.f[f_.JOBS_EXPIRED], bench.f[f_.JOBS_DONE]) == (1, 0)
    assert bench.computer.tasks.held() == 0
    assert bench.model.runs == []


def test_an_answer_that_is_ready_at_its_deadline_counts() -> None:
    bench = _at_point(2, work_s=3)
    _query(bench, bench.f[f_.NOW_S] + 4)
    bench.period(counts(array_w=420), times=3)
    assert [code for _, _, code in _completions(bench)] == [d.OK]


def test_many_jobs_expire_at_once() -> None:
    bench = _at_point(1, work_s=10)
    deadline_s = bench.f[f_.NOW_S] + 400
    for job in range(9):
        assert _query(bench, deadline_s, job=job) == d.OK
    bench.command("set_mode", b"\2")
    bench.start_at(deadline_s)
    bench.period()
    assert bench.f[f_.JOBS_EXPIRED] == 9
    assert bench.computer.tasks.held() == 0


# --- conservation


def test_every_job_is_answered_refused_or_expired_and_none_twice() -> None:
    rng = random.Random(8)
    bench = _warm(Bench(Model(macs=60_000)))
    bench.open_contact()
    accepted, refused = set(), 0
    for job in range(600):
        deadline_s = bench.f[f_.NOW_S] + rng.choice((3, 20, 90))
        if _query(bench, deadline_s, rng.randrange(3), job) == d.OK:
            accepted.add(job)
        else:
            refused += 1
        for _ in range(rng.randrange(4)):
            _period_with_custody(bench)
    for _ in range(200):
        _period_with_custody(bench)
    answers = [packet.fields for _, packet in bench.heard if packet.kind == d.TM_RESULT]
    assert sorted(fields["job"] for fields in answers) == sorted(accepted)
    done = sum(fields["code"] == d.OK for fields in answers)
    assert (bench.f[f_.JOBS_DONE], bench.f[f_.JOBS_EXPIRED]) == (done, len(answers) - done)
    assert bench.f[f_.JOBS_REFUSED] == refused
    assert done > 100 and refused > 20 and len(answers) > done


def _period_with_custody(bench: Bench) -> None:
    # The ground hears what is sent in a period, and takes it over before the next.
    before = len(bench.heard)
    bench.period(counts(array_w=420))
    for _, packet in bench.heard[before:]:
        bench.computer.links.take_over(packet.count)
