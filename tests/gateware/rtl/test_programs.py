"""Random programs through the Verilog against the executor: every word of memory, the registers, every pause."""

import random
from collections.abc import Iterable

import numpy as np
import pytest

from ascnode_gateware.program.executor import JobRecord, execute
from ascnode_gateware.program.parameters import Channel
from ascnode_gateware.registers.table import ErrorCode
from ascnode_gateware.sim.addresses import address
from ascnode_gateware.sim.device import Ending
from gateware.program.programs import (
    IDENTITY_BLOCK,
    INPUT,
    OUTPUT,
    PROGRAM,
    WEIGHTS,
    copy_job,
    group_words,
    memory_with,
)
from gateware.program.random_jobs import random_program, random_ring
from gateware.rtl.host import Bare, Host, Pace, Words, check_end, compare_memory, random_pace

CHUNK = 25
SAMPLED, ALL = range(0, 150, CHUNK), range(1000, 6000, 5 * CHUNK)
NONE = np.zeros(0, np.uint32)


def bare(seed: int) -> Bare:
    return Bare(*random_program(seed), random_ring(seed))


def run_all(host: Host, seeds: Iterable[int]) -> None:
    """One after another; a reset before every third only, so that each finds what another has left."""
    for place, seed in enumerate(seeds):
        program, name = bare(seed), f"program {seed} at {random_pace(seed)}"
        expected = execute(program.memory, program.address, program.stream, ring=program.ring)
        host.load(program, random_pace(seed), reset=place % 3 == 0)
        watch = host.run()
        check_end(host, watch, expected, name)
        compare_memory(host.memory(), expected.memory, program.ring, name)


@pytest.mark.parametrize("first", SAMPLED)
def test_programs_leave_what_the_executor_leaves(host: Host, first: int) -> None:
    run_all(host, range(first, first + CHUNK))


@pytest.mark.deep
@pytest.mark.parametrize("first", ALL)
def test_many_programs_leave_what_the_executor_leaves(host: Host, first: int) -> None:
    run_all(host, range(first, first + 5 * CHUNK))


def test_every_pause_of_a_single_step_shows_the_memory_after_that_layer(host: Host) -> None:
    paused = 0
    for seed in range(200, 230):
        program, after = bare(seed), []

        def on_job(record: JobRecord, memory: Words, after: list[Words] = after) -> None:
            if record.job.layer_end:
                after.append(memory.copy())

        execute(program.memory, program.address, program.stream, on_job=on_job, ring=program.ring)
        host.load(program, random_pace(seed))
        for count, layer in enumerate(host.pauses(), start=1):
            assert layer == count
            name = f"program {seed} after layer {count}"
            compare_memory(host.memory(), after[count - 1], program.ring, name)
            paused += 1
        assert host.status("layer") == len(after)
    assert paused > 40


def test_an_aborted_program_leaves_no_trace_in_the_next(host: Host) -> None:
    rng, aborted = random.Random(1), 0
    for seed in range(300, 340):
        host.load(bare(seed), random_pace(seed), reset=seed == 300)
        if host.run(limit_cycles=rng.randrange(20, 5000)).ending is Ending.LIMIT:
            host.abort()
            assert (host.error(), host.status("busy"), host.status("done")) == (ErrorCode.ABORTED, 0, 0)
            aborted += 1
        program = bare(seed + 1)
        expected = execute(program.memory, program.address, program.stream, ring=program.ring)
        host.load(program, reset=False)
        check_end(host, host.run(), expected, f"program {seed + 1} after an abort")
        compare_memory(host.memory(), expected.memory, program.ring, f"program {seed + 1} after an abort")
    assert aborted > 20


@pytest.mark.parametrize("throttle", [0, 1, 64, 128, 255])
def test_throttle_takes_its_share_of_the_cycles_and_changes_no_result(host: Host, throttle: int) -> None:
    words = 32 * 40
    job = copy_job(cols_less_1=31, width=32, n_icg_less_1=39, layer_end=1)
    program = Bare(
        memory_with([job], {WEIGHTS: group_words(*[IDENTITY_BLOCK] * 40)}), PROGRAM, NONE, range(0)
    )
    expected = execute(program.memory, program.address, program.stream)
    host.load(program, Pace(throttle))
    check_end(host, host.run(), expected, f"throttled by {throttle}")
    compare_memory(host.memory(), expected.memory, program.ring, f"throttled by {throttle}")
    assert host.counters()["THROTTLED"] == pytest.approx(words * throttle / (256 - throttle), rel=0.05, abs=1)


@pytest.mark.parametrize(("words", "passes", "groups"), [(1, 2, 2), (3, 5, 3), (5, 5, 5)])
@pytest.mark.parametrize("weights", [WEIGHTS, INPUT + 0x2000], ids=["other bank", "same bank"])
def test_any_throttle_changes_no_result(
    host: Host, words: int, passes: int, groups: int, weights: int
) -> None:
    """A pass's first pixel, which a throttle delays, may then meet any word that the fetcher reads."""
    rng = np.random.default_rng(words)
    job = copy_job(
        **{"cols_less_1": words - 1, "width": 512, "weights": weights, "out_step": groups},
        **{"n_icg_less_1": passes - 1, "n_ocg_less_1": groups - 1},
    )
    channels = (Channel(5, 2**30, -7, 0, -128, 127),) * 4
    blocks = rng.integers(0, 2**32, (groups, passes, 4)).tolist()
    constants = [word for group in blocks for word in group_words(*group, channels=channels)]
    pixels = rng.integers(0, 2**32, 64).tolist()
    memory = memory_with([job], {weights: constants, INPUT: pixels})
    output = slice(OUTPUT, OUTPUT + words * groups)
    expected = execute(memory, PROGRAM, NONE).memory[output]
    host.load(Bare(memory, PROGRAM, NONE, range(0)))
    for throttle in range(256):
        host.device.write(address("THROTTLE"), [throttle])
        host.device.write(OUTPUT, np.zeros(words * groups, np.uint32))
        host.run()
        found = host.device.read(OUTPUT, words * groups)
        np.testing.assert_array_equal(found, expected, err_msg=f"throttle {throttle}")


BESIDE, BESIDE_ALL = range(500, 540), range(7000, 8000)


def run_with_host_beside(host: Host, seed: int) -> int:
    """Any throttle; the host reads and writes what the run leaves alone, between a few cycles each; says how often."""
    rng, program = random.Random(f"beside {seed}"), bare(seed)
    expected = execute(program.memory, program.address, program.stream, ring=program.ring)
    kept = np.flatnonzero(program.memory == expected.memory)
    kept = kept[(kept < program.ring.start) | (kept >= program.ring.stop)]
    host.load(program, Pace(rng.randrange(256), random_pace(seed).cycles_per_word), reset=seed % 100 % 3 == 0)
    watch, most, times = host.run(limit_cycles=rng.randrange(1, 300)), rng.choice((5, 40, 2000)), 0
    while watch.ending is Ending.LIMIT:
        at, count = int(rng.choice(kept)), rng.randrange(1, 5)
        words = host.device.read(at, count)
        host.device.write(at, program.memory[at : at + 1])
        assert words[0] == program.memory[at], f"program {seed}: word {at:#06x} as the host reads it"
        watch, times = host.go_on(rng.randrange(1, most if times < 400 else 100_000)), times + 1
    name = f"program {seed} with the host beside it"
    check_end(host, watch, expected, name)
    compare_memory(host.memory(), expected.memory, program.ring, name)
    return times


def test_a_host_beside_a_run_disturbs_nothing_at_any_throttle(host: Host) -> None:
    assert sum(run_with_host_beside(host, seed) for seed in BESIDE) > 2000


@pytest.mark.deep
@pytest.mark.parametrize("first", BESIDE_ALL[::100])
def test_a_host_beside_many_runs_disturbs_nothing(host: Host, first: int) -> None:
    for seed in range(first, first + 100):
        run_with_host_beside(host, seed)


def test_a_program_that_lacks_its_stream_is_ended_by_the_watchdog(host: Host) -> None:
    seed = next(seed for seed in range(400, 500) if len(bare(seed).stream) > 64)
    program = bare(seed)
    host.load(Bare(program.memory, program.address, program.stream[:0], program.ring))
    assert host.run().ending is Ending.IDLE
    assert (host.error(), host.status("done")) == (ErrorCode.WATCHDOG, 0)


def test_a_flipped_bit_of_a_weight_is_found(host: Host) -> None:
    """The comparison can fail."""
    program = bare(3)
    expected = execute(program.memory, program.address, program.stream, ring=program.ring)
    job = next(record.job for record in expected.jobs if record.fetched_words and not record.job.stream)
    memory = program.memory.copy()
    memory[job.weights] ^= 1 << 20  # a bias, far from its lowest bit
    host.load(Bare(memory, program.address, program.stream, program.ring))
    host.run()
    with pytest.raises(AssertionError, match="words differ"):
        compare_memory(host.memory(), expected.memory, program.ring, "damaged")
