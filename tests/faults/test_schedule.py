"""Fault tables: what is accepted, what is refused and how; the noise that they ask for; the coverage table."""

import math
import random
import tomllib
from typing import Any

import pytest

from ascnode.errors import ScenarioError
from ascnode.faults.clock import Drift
from ascnode.faults.coverage import Coverage, expected_divergence, fault_name
from ascnode.faults.noise import Noise, burst, flip
from ascnode.faults.schedule import Clock, Injection, Schedule, Upset
from ascnode.faults.upsets import times_us

TOML = """
[[fault]]
kind = "radio"
way = "down"
effect = "drop"
rate = 0.2
start_s = 600
end_s = 1200
modes = ["DOWNLINK"]

[[fault]]
kind = "board"
effect = "power_cut"
write = 3
halves = 1
off_s = 20
node = "sat-0-0"

[[fault]]
kind = "upset"
target = "model"
per_hour = 10
end_s = 3600

[[fault]]
kind = "clock"
ppm = -20
"""


def test_tables_of_a_scenario_file_make_a_schedule() -> None:
    schedule = Schedule.of(tomllib.loads(TOML)["fault"], seed=5)
    assert [one.kind for one in schedule.faults] == ["radio", "board", "upset", "clock"]
    assert [number for number, _ in schedule.of_node("sat-0-0")] == [0, 1, 2, 3]
    assert [number for number, _ in schedule.of_node("sat-1-0")] == [0, 2, 3]
    assert schedule.seed_of(0) != schedule.seed_of(1) != Schedule(schedule.faults, 6).seed_of(1)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"kind": "gremlin"}, r"fault\[0\]: .*'gremlin'"),
        ({"effect": "drop"}, r"fault\[0\]: unable to extract tag"),
        ({"kind": "radio", "effect": "drop", "rate": 1.5}, r"fault\[0\]\.rate: .*less than or equal to 1"),
        ({"kind": "radio", "effect": "stall"}, r"fault\[0\]\.effect"),
        ({"kind": "radio", "effect": "drop", "colour": "red"}, r"fault\[0\]\.colour"),
        (
            {"kind": "sky", "effect": "eclipse", "start_s": 9, "end_s": 9},
            r"fault\[0\]: end_s = 9 is not after",
        ),
        ({"kind": "sky", "effect": "eclipse", "modes": ["PANIC"]}, r"fault\[0\]\.modes\.0"),
        ({"kind": "board", "effect": "reset", "off_s": 3}, r"takes no power away"),
        ({"kind": "board", "effect": "brown_out", "write": 3}, r"write is for power_cut"),
        ({"kind": "upset", "target": "plant", "per_hour": 3}, r"per_hour needs end_s"),
        ({"kind": "clock", "ppm": 3, "end_s": 5}, r"a clock drifts from start_s on"),
        ({"kind": "sensor", "sensor": "nose", "effect": "stuck"}, r"fault\[0\]\.sensor"),
    ],
)
def test_a_table_that_makes_no_sense_is_one_sentence_that_names_the_key(
    table: dict[str, Any], says: str
) -> None:
    with pytest.raises(ScenarioError, match=says) as caught:
        Schedule.of([table])
    assert "\n" not in str(caught.value)


# --- noise


@pytest.mark.parametrize("rate", [1e-4, 1e-2, 0.3])
def test_bits_flip_at_their_rate_and_independently(rate: float) -> None:
    bits, flipped, pairs = 0, 0, 0
    for seed in range(40):
        out = flip(bytes(4000), rate, random.Random(seed))
        word = int.from_bytes(out, "big")
        bits += 8 * len(out)
        flipped += word.bit_count()
        pairs += (word & word >> 1).bit_count()
    sigma = math.sqrt(bits * rate * (1 - rate))
    assert abs(flipped - bits * rate) < 4 * sigma
    assert abs(pairs - bits * rate**2) < 5 * math.sqrt(bits * rate**2) + 3


def test_the_ends_of_the_rate_flip_nothing_and_everything() -> None:
    assert flip(b"\x0f\xf0", 0.0, random.Random(1)) == b"\x0f\xf0"
    assert flip(b"\x0f\xf0", 1.0, random.Random(1)) == b"\xf0\x0f"


def test_a_burst_stays_within_its_bits() -> None:
    for seed in range(200):
        word = int.from_bytes(burst(bytes(64), 20, random.Random(seed)), "big")
        assert word.bit_length() - (word & -word).bit_length() < 20
    assert burst(b"", 20, random.Random(1)) == b""


def test_upset_times_are_a_poisson_process() -> None:
    upset = Upset(kind="upset", target="plant", per_hour=100, start_s=100, end_s=36_100)
    counts = [len(times_us(upset, seed)) for seed in range(30)]
    assert abs(sum(counts) / 30 - 1000) < 4 * math.sqrt(1000 / 30)
    times = times_us(upset, 1)
    assert times == sorted(times) == times_us(upset, 1)
    assert times[0] >= 100_000_000 and times[-1] < 36_100_000_000


# --- coverage


def injection(kind: str, mode: str) -> Injection:
    return Injection(0, "sat", kind, "up", "drop", mode)


def test_the_table_shows_fault_by_mode_by_outcome_and_what_was_never_tried() -> None:
    drop = Schedule.of([{"kind": "radio", "effect": "drop"}]).faults[0]
    one, other = Coverage(), Coverage()
    one.note_run(
        drop,
        [injection("radio", "SAFE"), injection("radio", "SAFE"), injection("sky", "COMPUTE")],
        "tolerated",
    )
    other.note("radio drop", "SAFE", "failed")
    other.note("board reset", "COMPUTE", "recovered", 3)
    one.merge(other)
    assert one.rows() == [
        ("board reset", "", "", "3 recovered", ""),
        ("radio drop", "1 tolerated, 1 failed", "", "", ""),
    ]
    assert one.gaps(["radio drop"]) == [("radio drop", mode) for mode in ("CHARGE", "COMPUTE", "DOWNLINK")]
    with pytest.raises(ValueError, match="PANIC"):
        one.note("radio drop", "PANIC", "failed")


def test_only_an_upset_that_the_twin_does_not_share_may_make_it_differ() -> None:
    tables: list[dict[str, Any]] = [
        {"kind": "radio", "effect": "bit_errors", "rate": 0.1},
        {"kind": "wire", "effect": "drop"},
        {"kind": "board", "effect": "reset"},
        {"kind": "sensor", "sensor": "cell", "effect": "noisy"},
        {"kind": "sky", "effect": "gateway"},
        {"kind": "clock", "ppm": 5},
        {"kind": "upset", "target": "queue", "common": True},
        {"kind": "upset", "target": "queue"},
    ]
    faults = Schedule.of(tables).faults
    assert [bool(expected_divergence(one)) for one in faults] == [False] * 7 + [True]
    assert fault_name(faults[0]) == "radio bit_errors"
    assert fault_name(faults[5]) == "clock drift"
    assert fault_name(faults[7]) == "upset queue"


def test_a_noise_is_checked_like_a_table() -> None:
    with pytest.raises(ValueError, match="rate"):
        Noise(effect="drop", rate=-1)


@pytest.mark.parametrize("ppm", [-100_000, -30, 30, 100_000])
def test_a_clock_that_is_read_at_a_time_is_never_put_before_it(ppm: int) -> None:
    # or a run that waits for that time would never see it come
    drift = Drift([Clock(kind="clock", ppm=ppm, start_s=5)])
    times = [*range(4_999_990, 5_000_100), *range(600_000_000, 600_000_100)]
    for time_us in times:
        assert time_us <= drift.sky_us(drift.board_us(time_us)) <= time_us + 1
