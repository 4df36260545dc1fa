"""Predicted cycles: the rules under Time in docs/accelerator.md, with the latencies that the RTL adds."""

import time

import numpy as np
import pytest

from ascnode_gateware.program.executor import ExecutionError, execute
from ascnode_gateware.program.job import Job, Opcode
from ascnode_gateware.program.parameters import Channel
from ascnode_gateware.program.timing import Prediction, predict
from ascnode_gateware.program.timing_model import StreamSource, Timing
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
from gateware.program.random_jobs import Sizes, random_program, random_ring

NO_STREAM = np.zeros(0, np.uint32)
PLAIN = Channel(0, 2**30, -3, 0, -128, 127)
FIRST_PIXEL = 2 + 12 + 12 + 4  # from START: header, parameters and a block, a word a cycle


def _predict(jobs: list[Job], channel: Channel = PLAIN) -> Prediction:
    passes = max(job.passes * (job.n_ocg_less_1 + 1) for job in jobs)
    words = group_words(*[IDENTITY_BLOCK] * passes, channels=(channel,) * 4) * (jobs[0].n_ocg_less_1 + 1)
    return predict(memory_with(jobs, {WEIGHTS: words}), PROGRAM, NO_STREAM)


def test_one_pass_takes_a_cycle_a_word_then_drains_two_an_output() -> None:
    job = copy_job(cols_less_1=99, width=100, layer_end=1)
    prediction = _predict([job])
    (cycles,) = prediction.jobs
    assert cycles.first_pixel == FIRST_PIXEL
    drain_begins = FIRST_PIXEL + 100 - 1 + 6
    assert cycles.end == drain_begins + 6 + 8 * 100
    assert prediction.layer_ends == (cycles.end + 1,)
    assert prediction.stalls == prediction.cycles - 100


@pytest.mark.parametrize(("words", "cycles"), [(1, 4), (3, 4), (4, 5), (5, 6), (64, 65)])
def test_a_pass_takes_a_cycle_more_than_its_words_and_four_at_least(words: int, cycles: int) -> None:
    def end(passes: int) -> int:
        return _predict([copy_job(cols_less_1=words - 1, width=512, n_icg_less_1=passes - 1)]).jobs[0].end

    assert end(21) - end(11) == 10 * cycles


@pytest.mark.parametrize(("throttle", "cycles"), [(128, 2), (192, 4), (255, 256)])
def test_a_throttled_pass_takes_so_much_longer(throttle: int, cycles: int) -> None:
    """A word in 2, 4 or 256 cycles; the cycle between two passes falls into one that is taken anyway."""

    def end(passes: int) -> int:
        job = copy_job(cols_less_1=63, width=64, n_icg_less_1=passes - 1)
        words = group_words(*[IDENTITY_BLOCK] * passes, channels=(PLAIN,) * 4)
        memory = memory_with([job], {WEIGHTS: words})
        return predict(memory, PROGRAM, NO_STREAM, throttle=throttle).jobs[0].end

    assert end(21) - end(11) == 10 * 64 * cycles


def test_weights_in_the_pixels_bank_cost_their_words() -> None:
    def end(passes: int, **fields: int) -> int:
        job = copy_job(cols_less_1=31, width=32, n_icg_less_1=passes - 1, **fields)
        return _predict([job]).jobs[0].end

    assert end(21, input=0x0) - end(11, input=0x0) == 10 * (32 + 1 + 4)
    padding = {"input": 0x0, "iy0": -5}
    assert end(21, **padding) - end(11, **padding) == 10 * (32 + 1)  # what is not read waits for nobody


def test_a_third_group_waits_for_the_first_ones_drain() -> None:
    def end(groups: int) -> int:
        return _predict([copy_job(cols_less_1=63, width=64, n_ocg_less_1=groups - 1, out_step=8)]).jobs[0].end

    drain_with_latency = 8 * 64 + 7
    assert end(2) - end(1) == end(6) - end(5) == drain_with_latency


@pytest.mark.parametrize(("output", "delays"), [(0x800, 0), (0x5200, 3 * 63)])
def test_drains_hide_behind_long_groups_but_for_their_writes_to_the_pixels_bank(
    output: int, delays: int
) -> None:
    job = copy_job(cols_less_1=63, width=64, n_icg_less_1=19, n_ocg_less_1=3, out_step=4, output=output)
    (cycles,) = _predict([job]).jobs
    expected = FIRST_PIXEL + 4 * 20 * (64 + 1) - 2 + delays + 6 + 6 + 8 * 64
    assert cycles.end == pytest.approx(expected, abs=3)  # a write of each drain may fall between two passes


def test_a_left_shift_costs_a_cycle_an_output_and_one_for_each_bit() -> None:
    job = copy_job(cols_less_1=49, width=50)
    slow = _predict([job], Channel(0, 2**30, 7, 0, -128, 127)).jobs[0].end
    assert slow - _predict([job]).jobs[0].end == (7 + 1) * 4 * 50


def test_a_barrier_waits_for_the_last_write() -> None:
    first = copy_job(cols_less_1=99, width=100)
    free = _predict([first, copy_job(output=0x5400)]).jobs
    held = _predict([first, copy_job(output=0x5400, barrier=1)]).jobs
    assert free[1].first_pixel < free[0].end
    assert held[1].first_pixel == held[0].end + 2


def test_load_waits_for_drains_and_reads_514_words() -> None:
    load = Job(Opcode.LOAD, weights=0x3400)
    prediction = _predict(
        [copy_job(cols_less_1=99, width=100), load, copy_job(add=1, skip=OUTPUT, output=OUTPUT)]
    )
    run, table, add = prediction.jobs
    assert table.first_pixel > run.end
    assert table.end == table.first_pixel + 514 - 1
    assert add.end - add.first_pixel == 8 - 1 + 6 + 10 + 16 * 8


def test_the_stream_bounds_what_it_feeds() -> None:
    groups = 40
    job = copy_job(stream=1, cols_less_1=0, n_icg_less_1=124, n_ocg_less_1=groups - 1, out_step=groups)
    words = group_words(*[IDENTITY_BLOCK] * 125, channels=(PLAIN,) * 4) * groups
    memory = memory_with([job], {})
    source = StreamSource(cycles_per_word=8, extra_words=1)
    slow = predict(memory, PROGRAM, np.array(words, np.uint32), ring_blocks=8, source=source)
    assert slow.cycles == pytest.approx(len(words) * 8 * 65 / 64, rel=0.01)


def test_reading_ahead_hides_the_stream_behind_resident_jobs() -> None:
    resident = copy_job(cols_less_1=199, width=200, period=7, n_icg_less_1=39)
    streamed = copy_job(stream=1, n_icg_less_1=39, output=0x5400)
    words = group_words(*[IDENTITY_BLOCK] * 40, channels=(PLAIN,) * 4)
    memory = memory_with([resident, streamed], {WEIGHTS: words})
    jobs = [
        predict(memory, PROGRAM, np.array(words, np.uint32), ring_blocks=blocks).jobs for blocks in (8, 1)
    ]
    ahead, late = (job[1].end - job[1].first_pixel for job in jobs)
    assert ahead < 8 * 40 + 150 < late


def test_predicts_only_what_the_engine_runs() -> None:
    with pytest.raises(ExecutionError, match="opcode 3"):
        _predict([Job(3)])
    with pytest.raises(ExecutionError, match="no END"):
        predict(np.full(32768, 2, np.uint32), 0, NO_STREAM)
    with pytest.raises(ExecutionError, match="exhausted"):
        predict(memory_with([copy_job(stream=1)], {}), PROGRAM, np.zeros(10, np.uint32))
    with pytest.raises(ExecutionError, match="exhausted"):
        predict(memory_with([copy_job(stream=1)], {}), PROGRAM, NO_STREAM)


def test_constants_can_be_calibrated() -> None:
    memory = memory_with([copy_job()], {WEIGHTS: group_words(IDENTITY_BLOCK)})
    usual = predict(memory, PROGRAM, NO_STREAM).jobs[0].end
    slow = predict(memory, PROGRAM, NO_STREAM, timing=Timing(pixel_to_drain=25)).jobs[0].end
    assert slow - usual == 25 - Timing().pixel_to_drain


def test_random_programs_are_predicted_in_order_and_quickly() -> None:
    spent = 0.0
    for seed in range(40):
        memory, address, stream = random_program(seed, Sizes(cycles=10_000))
        ring = random_ring(seed)
        layers = execute(memory, address, stream, ring=ring).layers
        start = time.process_time()
        found = predict(memory, address, stream, ring_base=ring.start, ring_blocks=len(ring) // 64)
        spent += time.process_time() - start
        assert len(found.layers) == layers and min(found.layers) > 0
        assert found.layer_ends[-1] <= found.cycles
        assert all(job.header < job.first_pixel <= job.end for job in found.jobs)
    assert spent < 4  # 40 programs of about 10,000 cycles; a tenth of it is usual


assert INPUT >> 14 != WEIGHTS >> 14
