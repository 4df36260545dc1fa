"""Downlink queue: order, energy price, custody, overflow, and link time that is never exceeded."""

import random

import pytest

from ascnode_fw.flight import layout as f_
from ascnode_fw.flight import links as l_
from ascnode_fw.wire import dictionary as d
from firmware.flight.bench import PARAMETER, Bench, counts

HEADER_BYTES = 13  # of a telemetry packet
RESULT_BYTES = HEADER_BYTES + 31  # without an output
EVENT_BYTES = HEADER_BYTES + 7


def _ready(**by_name: int) -> Bench:
    """In contact, its boot's events and housekeeping sent."""
    bench = Bench(housekeeping_period=86_400)
    bench.open_contact()
    bench.period(times=8)
    assert bench.computer.links.held() == 0
    for name, value in by_name.items():
        bench.v[PARAMETER[name]] = value
    bench.heard.clear()
    bench.raw.clear()
    return bench


def _result(bench: Bench, job: int, deadline_s: int = 0, output: int = 10) -> int:
    """Puts an answer in the queue; its packet count."""
    bench.computer.telemetry.result(bytes(output), deadline_s, 1, 500, (job, 2, 3, 0, 5, 6, 7, 0, 0, 0))
    return bench.f[f_.TM_COUNT]


def _housekeeping(bench: Bench) -> None:
    bench.computer.housekeeping()


def _heard_jobs(bench: Bench) -> list[int]:
    return [packet.fields["job"] for _, packet in bench.heard if packet.kind == d.TM_RESULT]


# --- order


def test_reports_go_before_answers_and_answers_before_housekeeping() -> None:
    bench = _ready()
    _housekeeping(bench)
    _result(bench, 1)
    bench.computer.telemetry.event(d.EV_BOOT, 3)
    bench.period()
    assert [packet.kind for _, packet in bench.heard] == [d.TM_EVENT, d.TM_RESULT, d.TM_HOUSEKEEPING]


def test_answers_go_by_deadline_and_then_in_order() -> None:
    bench = _ready()
    for job, deadline_s in ((1, 900), (2, 300), (3, 300), (4, 20), (5, 901)):
        _result(bench, job, deadline_s)
    bench.period()
    assert _heard_jobs(bench) == [4, 2, 3, 1, 5]


def test_reports_go_in_the_order_they_were_made() -> None:
    bench = _ready()
    for value in range(30):
        bench.computer.telemetry.event(d.EV_SHED, value)
    bench.period()
    assert [packet.fields["value"] for _, packet in bench.heard] == list(range(30))


# --- link time


def test_packets_leave_at_the_ms_their_last_byte_does() -> None:
    bench = _ready(radio_rate=1000)
    bench.start_at(50, 250)
    for job in range(3):
        _result(bench, job, output=9)  # 53 bytes
    bench.period()
    assert [ms for ms, _ in bench.heard] == [50_303, 50_356, 50_409]


def test_a_slow_link_takes_the_time_of_all_its_bytes_across_periods() -> None:
    # 44 bytes at 30 B/s: 1,467 ms each, whatever the periods are.
    bench = _ready(radio_rate=30, worth_result=1 << 29)
    bench.start_at(100)
    for job in range(5):
        _result(bench, job, output=0)
    bench.period(times=9)
    assert [ms - 100_000 for ms, _ in bench.heard] == [-(-44_000 * (i + 1) // 30) for i in range(5)]


@pytest.mark.parametrize(("rate", "control_period"), [(7, 10), (99, 10), (150, 10), (333, 100), (30, 2500)])
def test_no_rate_and_period_lose_link_time(rate: int, control_period: int) -> None:
    bench = _ready(
        radio_rate=rate, control_period=control_period, custody_timeout=86_400, worth_result=1 << 29
    )
    start_ms = bench.now_ms
    for job in range(12):
        _result(bench, job, output=job)
    sent_bytes = 12 * RESULT_BYTES + sum(range(12))
    while len(bench.heard) < 12:
        bench.period()
        assert bench.now_ms - start_ms < 2_000_000 // rate * 1000
    assert bench.heard[-1][0] - start_ms == pytest.approx(sent_bytes * 1000 / rate, abs=1)


def test_no_packet_leaves_before_its_predecessor_or_after_the_period() -> None:
    rng = random.Random(6)
    bench = _ready(radio_rate=120, worth_result=1 << 29)
    last_ms = 0
    for _ in range(600):
        for _ in range(rng.randrange(3)):
            if rng.random() < 0.5:
                _result(bench, 1, rng.randrange(1000), rng.randrange(52))
            else:
                bench.computer.telemetry.event(d.EV_SHED, 1)
        start_ms, first = bench.now_ms, len(bench.heard)
        bench.period()
        for ms, _ in bench.heard[first:]:
            assert max(last_ms, start_ms) <= ms <= start_ms + 1000
            last_ms = ms
    assert len(bench.heard) > 400


@pytest.mark.parametrize("rate", [25, 444, 4000, 100_000])
def test_bytes_sent_never_exceed_rate_times_contact_time(rate: int) -> None:
    rng = random.Random(rate)
    bench = Bench(radio_rate=rate, worth_result=1 << 29, worth_housekeeping=1 << 29)
    windows = [(100 + 40 * i, 100 + 40 * i + rng.randrange(1, 30)) for i in range(20)]
    for window in windows:
        bench.computer.contacts.add(*window)
    bench.f[f_.RADIO_LOCK] = 1
    bench.start_at(90, 430)  # periods lie across the windows' edges
    for _ in range(900):
        while bench.computer.links.held() < 40:
            _result(bench, 1, 0, rng.randrange(52))
        before = len(bench.heard)
        bench.period()
        for _, packet in bench.heard[before:]:
            bench.computer.links.take_over(packet.count)
    for start_s, end_s in windows:
        inside = [
            len(raw)
            for (ms, _), raw in zip(bench.heard, bench.raw, strict=True)
            if start_s * 1000 <= ms <= end_s * 1000
        ]
        assert sum(inside) <= rate * (end_s - start_s)
        if rate <= 444:  # it had enough to send: nearly all of the time was used, but for a part of a period
            assert sum(inside) >= rate * (end_s - start_s - 1) - 96
    outside = [
        ms
        for ms, _ in bench.heard
        if not any(start_s * 1000 <= ms <= end_s * 1000 for start_s, end_s in windows)
    ]
    assert outside == []


def test_nothing_is_sent_without_lock_or_outside_the_plan() -> None:
    bench = Bench()
    bench.computer.contacts.add(20, 30)
    _result(bench, 1)
    for now_s, lock, sends in ((10, 1, False), (22, 0, False), (30, 1, False), (22, 1, True)):
        bench.start_at(now_s)
        bench.f[f_.RADIO_LOCK] = lock
        bench.computer.contacts.words[1] = 0  # the test turns time back
        bench.period()
        assert bool(bench.heard) is sends
        assert (bench.f[f_.EXTRA_PW] > 0) is sends


def test_the_transmitter_draws_for_the_time_it_sends() -> None:
    # 20 W; over the whole run energy is bytes / rate * power, however they fall into periods.
    rng = random.Random(7)
    bench = _ready(radio_rate=70, worth_result=1 << 29)
    drawn_mj = 0
    for period in range(400):
        if period < 300 and rng.random() < 0.6:
            _result(bench, 1, 0, rng.randrange(52))
        before = len(bench.heard)
        bench.period()
        for _, packet in bench.heard[before:]:
            bench.computer.links.take_over(packet.count)
        assert 0 <= bench.f[f_.EXTRA_PW] <= 20_000
        drawn_mj += bench.f[f_.EXTRA_PW]
    assert bench.computer.links.held() == 0
    sent = sum(map(len, bench.raw))
    # a period's transmission is rounded up to a ms: 20 mJ
    assert sent * 1000 / 70 * 20 <= drawn_mj <= sent * 1000 / 70 * 20 + 400 * 20


def test_an_idle_transmitter_draws_nothing() -> None:
    bench = _ready()
    bench.period()
    assert bench.f[f_.EXTRA_PW] == 0


# --- what a byte is worth


def _sent_kinds(bench: Bench) -> set[int]:
    bench.computer.telemetry.event(d.EV_BOOT, 3)
    _result(bench, 1)
    _housekeeping(bench)
    before = len(bench.heard)
    bench.period(counts(array_w=300))
    return {packet.kind for _, packet in bench.heard[before:]}


@pytest.mark.parametrize(
    ("radio_load", "kinds"),
    # uJ/B is mW over kB/s: an answer is worth 30,000, housekeeping 6,000
    [
        (24_000, {d.TM_EVENT, d.TM_RESULT, d.TM_HOUSEKEEPING}),
        (24_004, {d.TM_EVENT, d.TM_RESULT}),
        (120_000, {d.TM_EVENT, d.TM_RESULT}),
        (120_004, {d.TM_EVENT}),
        ((1 << 20) - 1, {d.TM_EVENT}),
    ],
)
def test_what_is_worth_less_than_its_energy_waits(radio_load: int, kinds: set[int]) -> None:
    bench = _ready()
    bench.v[d.P_RADIO_PW] = radio_load
    assert _sent_kinds(bench) == kinds


@pytest.mark.parametrize(
    ("mode", "kinds"), [(2, {d.TM_EVENT, d.TM_RESULT}), (1, {d.TM_EVENT})], ids=["charge", "safe"]
)
def test_shedding_makes_every_byte_dearer(mode: int, kinds: set[int]) -> None:
    bench = _ready()
    bench.command("set_mode", bytes((mode,)))
    bench.period(counts(array_w=300))
    assert _sent_kinds(bench) == kinds


def test_what_waited_is_sent_when_energy_is_cheap_again() -> None:
    bench = _ready()
    bench.v[d.P_RADIO_PW] = 130_000
    _sent_kinds(bench)
    assert bench.computer.links.held() == 2
    bench.v[d.P_RADIO_PW] = 20_000
    bench.period()
    assert {packet.kind for _, packet in bench.heard[-2:]} == {d.TM_RESULT, d.TM_HOUSEKEEPING}


# --- custody


def test_an_answer_is_kept_until_the_ground_has_taken_it_over() -> None:
    bench = _ready()
    count = _result(bench, 7)
    bench.period()
    assert bench.computer.links.held() == 1
    bench.command("custody", (count ^ 1).to_bytes(2, "big"))  # another packet's
    assert count in [packet.count for packet in bench.queued()]
    bench.command("custody", count.to_bytes(2, "big"))
    assert count not in [packet.count for packet in bench.queued()]
    bench.period(times=60)
    assert _heard_jobs(bench) == [7]


def test_reports_and_housekeeping_are_not_kept() -> None:
    bench = _ready()
    bench.computer.telemetry.event(d.EV_BOOT, 3)
    _housekeeping(bench)
    bench.period()
    assert bench.computer.links.held() == 0


def test_one_command_takes_over_many() -> None:
    bench = _ready()
    numbers = [_result(bench, job) for job in range(9)]
    bench.period()
    bench.command("custody", b"".join(number.to_bytes(2, "big") for number in numbers[:8]))
    assert [packet.count for packet in bench.queued() if packet.kind == d.TM_RESULT] == numbers[8:]


def test_an_answer_is_sent_again_after_the_timeout_and_given_up_after_the_tries() -> None:
    bench = _ready(custody_timeout=20, custody_tries=4)
    bench.start_at(1000)
    count = _result(bench, 7)
    bench.period(times=200)
    times = [ms // 1000 for ms, packet in bench.heard if packet.kind == d.TM_RESULT]
    assert times == [1000, 1020, 1040, 1060]
    (gone,) = [(ms, packet) for ms, packet in bench.heard if packet.kind == d.TM_EVENT]
    assert gone[0] // 1000 == 1080
    assert (gone[1].fields["event"], gone[1].fields["value"]) == (d.EV_CUSTODY_GIVEN_UP, count)
    assert bench.computer.links.held() == 0


def test_tries_are_not_used_up_out_of_contact() -> None:
    bench = _ready(custody_timeout=5, custody_tries=2)
    _result(bench, 7)
    bench.period()
    bench.f[f_.RADIO_LOCK] = 0
    bench.period(times=500)
    bench.f[f_.RADIO_LOCK] = 1
    bench.period()
    assert _heard_jobs(bench) == [7, 7]


def test_an_answer_taken_over_while_it_waits_to_be_repeated_is_not_repeated() -> None:
    bench = _ready(custody_timeout=5)
    count = _result(bench, 7)
    bench.period()
    bench.f[f_.RADIO_LOCK] = 0
    bench.period(times=10)
    bench.computer.links.take_over(count)
    bench.f[f_.RADIO_LOCK] = 1
    bench.period(times=10)
    assert _heard_jobs(bench) == [7]
    assert bench.computer.links.held() == 0


# --- overflow


def _fill(bench: Bench, priority: int, deadline_s: int = 0) -> None:
    links = bench.computer.links
    while links.held() < l_.SLOTS:
        links.push(bench.f, memoryview(bytes(20)), priority, deadline_s, 0)


def _priorities(bench: Bench) -> list[int]:
    words = bench.computer.links.words
    return sorted(words[i + l_.PRIORITY] for i in range(0, len(words), l_.WORDS) if words[i])


def test_a_full_queue_lets_the_least_urgent_packet_go_and_counts_it() -> None:
    bench = Bench()
    _fill(bench, l_.HOUSEKEEPING)
    for wanted in range(1, 4):
        bench.computer.links.push(bench.f, memoryview(bytes(20)), l_.RESULT, 9, 1)
        assert bench.f[f_.DROPPED] == wanted
    assert _priorities(bench) == [l_.RESULT] * 3 + [l_.HOUSEKEEPING] * (l_.SLOTS - 3)


def test_a_full_queue_of_equals_drops_the_newcomer() -> None:
    bench = Bench()
    _fill(bench, l_.RESULT, 9)
    before = bytes(bench.computer.links.words)
    bench.computer.links.push(bench.f, memoryview(bytes(20)), l_.RESULT, 9, 1)
    bench.computer.links.push(bench.f, memoryview(bytes(20)), l_.HOUSEKEEPING, 0, 0)
    assert bytes(bench.computer.links.words) == before
    assert bench.f[f_.DROPPED] == 2


def test_of_answers_the_one_with_the_latest_deadline_gives_way() -> None:
    bench = Bench()
    for deadline_s in range(500, 500 + l_.SLOTS):
        bench.computer.links.push(bench.f, memoryview(bytes(20)), l_.RESULT, deadline_s, 1)
    bench.computer.links.push(bench.f, memoryview(bytes(20)), l_.RESULT, 77, 1)
    words = bench.computer.links.words
    deadlines = sorted(words[i + l_.DEADLINE_S] for i in range(0, len(words), l_.WORDS))
    assert deadlines == [77, *range(500, 500 + l_.SLOTS - 1)]
    assert bench.f[f_.DROPPED] == 1


def test_dropped_packets_are_told_with_the_next_housekeeping() -> None:
    bench = Bench(housekeeping_period=10)
    bench.period()
    _fill(bench, l_.HOUSEKEEPING)
    bench.computer.links.push(bench.f, memoryview(bytes(20)), l_.HOUSEKEEPING, 0, 0)
    bench.period(times=10)
    dropped = [value for name, value in _events_in(bench) if name == "downlink queue full"]
    assert len(dropped) == 1 and dropped[0] >= 1


def _events_in(bench: Bench) -> list[tuple[str, int]]:
    # what waits is partly filler that does not decode
    links = bench.computer.links
    names = {row[0]: row[1] for row in d.EVENTS}
    out = []
    for slot in range(l_.SLOTS):
        packet = bytes(links.packet(slot))
        if len(packet) == EVENT_BYTES and packet[12] == d.TM_EVENT:
            event = int.from_bytes(packet[13:15], "big")
            out.append((names[event], int.from_bytes(packet[16:20], "big", signed=True)))
    return out


def test_waiting_and_sent_packets_are_counted_right_through_everything() -> None:
    rng = random.Random(9)
    bench = Bench(custody_timeout=3, custody_tries=2, radio_rate=500)
    bench.computer.contacts.add(0, 1 << 29)
    links = bench.computer.links
    for _ in range(3000):
        bench.f[f_.RADIO_LOCK] = rng.randrange(2)
        kind = rng.randrange(4)
        if kind == 0:
            _result(bench, 1, rng.randrange(9))
        elif kind == 1:
            bench.computer.telemetry.event(d.EV_BOOT, 3)
        elif kind == 2:
            links.take_over(bench.f[f_.TM_COUNT] - rng.randrange(30))
        bench.period()
        states = [links.words[i] for i in range(0, len(links.words), l_.WORDS)]
        assert (links.counters[1], links.counters[2]) == (states.count(1), states.count(2))
        assert 0 <= links.counters[0] < 96_000
