"""The executor against a scalar reading of docs/accelerator.md, hand-made cases, and TFLite's rescaling."""

import numpy as np
import pytest

from ascnode_gateware.program.executor import ExecutionResult, execute
from ascnode_gateware.program.executor_arithmetic import Scale, rescale
from ascnode_gateware.program.job import FIELDS, Job, Opcode
from ascnode_gateware.program.parameters import Channel
from gateware.program.programs import (
    IDENTITY_BLOCK,
    INPUT,
    OUTPUT,
    PROGRAM,
    WEIGHTS,
    copy_job,
    group_words,
    memory_with,
    word_of,
)
from gateware.program.random_jobs import Sizes, random_program, random_ring
from gateware.program.scalar_engine import ScalarEngine
from models.oracle import vectors

SMALL = Sizes(jobs=4, outputs=40, cycles=2_500)
PIXELS = [word_of(i, -i, 3 * i, -128 + i) for i in range(8)]


@pytest.mark.parametrize("first_seed", range(0, 100, 20))
def test_random_programs_do_what_the_scalar_reading_does(first_seed: int) -> None:
    for seed in range(first_seed, first_seed + 20):
        _compare(seed, SMALL)


@pytest.mark.deep
@pytest.mark.parametrize("first_seed", range(1000, 1400, 50))
def test_large_random_programs_do_what_the_scalar_reading_does(first_seed: int) -> None:
    for seed in range(first_seed, first_seed + 50):
        _compare(seed, Sizes())


def test_random_programs_use_every_field_and_both_ends_of_it() -> None:
    seen: dict[str, set[int]] = {name: set() for name in FIELDS}
    for seed in range(150):
        for record in execute(*random_program(seed, SMALL), ring=random_ring(seed)).jobs:
            for name in FIELDS:
                seen[name].add(getattr(record.job, name))
    assert seen["tag"] == {0}
    unvaried = [name for name, values in seen.items() if len(values) < 2 and name != "tag"]
    assert not unvaried
    assert min(seen["d_col"]) < 0 < max(seen["d_col"])
    assert {3, 5} <= seen["prime"] and {1, 2} <= seen["period"]


def test_a_seed_gives_one_program() -> None:
    first, second = random_program(7), random_program(7)
    assert np.array_equal(first[0], second[0]) and first[1] == second[1]
    assert np.array_equal(first[2], second[2])


def test_identity_weights_copy_words() -> None:
    result = _run([copy_job(layer_end=1)], group_words(IDENTITY_BLOCK))
    assert result.memory[OUTPUT : OUTPUT + 8].tolist() == PIXELS
    assert result.layers == 1


def test_counters_tell_what_a_job_did() -> None:
    job = copy_job(ix0=-2, n_kx_less_1=1, n_ocg_less_1=2, out_step=3)
    (record,) = _run([job], group_words(IDENTITY_BLOCK, IDENTITY_BLOCK) * 3).jobs
    assert (record.passes, record.words, record.written_words, record.fetched_words) == (6, 48, 24, 60)
    assert record.pixel_reads == 3 * (6 + 7)  # two words of padding at the first kx, one at the second


def test_padding_reads_the_pad_byte_on_every_side() -> None:
    job = copy_job(
        ix0=-1, iy0=-1, pad=-5, width=2, height=1, input=INPUT - 3, cols_less_1=3, rows_less_1=2, d_row=-1
    )
    result = _run([job], group_words(IDENTITY_BLOCK))
    pad = word_of(-5, -5, -5, -5)
    inside = PIXELS[0:2]  # row 1 starts at INPUT - 3 + 3 - 1, its column 0 a word later
    assert result.memory[OUTPUT : OUTPUT + 12].tolist() == [pad] * 5 + inside + [pad] * 5


def test_depthwise_sees_a_window_of_four_columns() -> None:
    job = copy_job(dw=1, prime=3, period=1)
    taps = word_of(1, 2, 3, 4)
    result = _run([job], group_words((taps, 0, taps, 0)))
    values = np.array(result.memory[OUTPUT : OUTPUT + 3], "<u4").view(np.int8).reshape(3, 4)
    assert values[:, 0].tolist() == [x + 2 * (x + 1) + 3 * (x + 2) + 4 * (x + 3) for x in (0, 2, 4)]
    assert values[:, 2].tolist() == [min(127, 3 * (10 * x + 20)) for x in (0, 2, 4)]
    assert values[:, 1].tolist() == [0, 0, 0]


def test_the_largest_sum_may_be_negative() -> None:
    job = copy_job(max=1, dw=1, n_kx_less_1=1, d_kx=4, cols_less_1=3)
    memory = memory_with([job], {WEIGHTS: group_words(*[[1 << 24] * 4] * 2)})
    memory[INPUT : INPUT + 8] = word_of(-7, -7, -7, -7)
    memory[INPUT + 5] = word_of(-9, -3, -9, 4)
    result = execute(memory, PROGRAM, _stream())
    assert int(result.memory[OUTPUT]) == word_of(-7, -7, -7, -7)
    assert int(result.memory[OUTPUT + 1]) == word_of(-7, -3, -7, 4)


def test_addresses_wrap_inside_their_bank() -> None:
    job = copy_job(input=0x7FFC, output=0x3FFE, width=8)
    memory = memory_with([job], {WEIGHTS: group_words(IDENTITY_BLOCK)})
    memory[0x7FFC:0x8000], memory[0x4000:0x4004] = PIXELS[:4], PIXELS[4:]
    result = execute(memory, PROGRAM, _stream()).memory
    assert [*result[0x3FFE:0x4000].tolist(), *result[0:6].tolist()] == PIXELS


def test_accumulators_wrap_at_32_bits() -> None:
    top = Channel(bias=2**31 - 1, multiplier=2**31 - 1, shift=-24, zero_point=0, low=-128, high=127)
    job = copy_job()
    memory = memory_with([job], {WEIGHTS: group_words(IDENTITY_BLOCK, channels=(top,) * 4)})
    memory[INPUT] = word_of(0, 1, -1, 2)
    result = execute(memory, PROGRAM, _stream()).memory
    assert int(result[OUTPUT]) == word_of(127, -128, 127, -128)


def test_a_program_may_wrap_round_its_bank() -> None:
    memory = memory_with([], {WEIGHTS: group_words(IDENTITY_BLOCK)})
    memory[INPUT : INPUT + 8] = PIXELS
    words = [*copy_job().pack(), *Job(Opcode.END).pack()]
    memory[0x3FFB:0x4000], memory[0:8] = words[:5], words[5:]
    assert execute(memory, 0x3FFB, _stream()).memory[OUTPUT : OUTPUT + 8].tolist() == PIXELS


def test_add_uses_the_tables_in_place_over_skip() -> None:
    tables = [100 * (q - 256 if q > 127 else q) for q in range(256)] + [7 * s for s in range(256)]
    load = Job(Opcode.LOAD, weights=0x3800)
    job = copy_job(add=1, skip=OUTPUT)
    scale = Channel(0, 2**30, -6, 0, -128, 127).pack()[1:]
    segments = {WEIGHTS: group_words(IDENTITY_BLOCK), 0x3800: [*tables, *scale], INPUT: PIXELS}
    memory = memory_with([load, job], segments)
    memory[OUTPUT : OUTPUT + 8] = word_of(0, 1, -1, 9)
    values = np.array(execute(memory, PROGRAM, _stream()).memory[OUTPUT + 5 : OUTPUT + 6], "<u4").view(
        np.int8
    )
    expected = [(100 * q + 7 * (s % 256)) / 128 for q, s in ((5, 0), (-5, 1), (15, -1), (-123, 9))]
    assert values.tolist() == [round(value) for value in expected]


def test_streamed_weights_come_in_order_and_memory_is_left_alone() -> None:
    job = copy_job(stream=1, n_ocg_less_1=1, out_step=2)
    swapped = (0x01000000, 0x00010000, 0x00000100, 0x00000001)
    words = group_words(IDENTITY_BLOCK) + group_words(swapped)
    memory = memory_with([job], {INPUT: PIXELS})
    before = memory.copy()
    result = execute(memory, PROGRAM, _stream(words))
    assert result.memory[OUTPUT : OUTPUT + 16 : 2].tolist() == PIXELS
    mirrored = [int.from_bytes(pixel.to_bytes(4, "little"), "big") for pixel in PIXELS]
    assert result.memory[OUTPUT + 1 : OUTPUT + 17 : 2].tolist() == mirrored
    assert result.stream_words == 32
    assert np.array_equal(memory, before)


def test_each_job_is_reported_once_its_words_are_written() -> None:
    seen: list[tuple[int, int]] = []
    jobs = [copy_job(), copy_job(input=OUTPUT, output=0x5300, barrier=1)]
    memory = memory_with(jobs, {WEIGHTS: group_words(IDENTITY_BLOCK), INPUT: PIXELS})
    execute(
        memory, PROGRAM, _stream(), on_job=lambda r, m: seen.append((r.address, int(m[r.job.output + 7])))
    )
    assert seen == [(PROGRAM, PIXELS[7]), (PROGRAM + 12, PIXELS[7])]


def test_rescaling_is_tflite_micros() -> None:
    x, multiplier, shift, expected = vectors().T
    wide = np.full(len(x), 2**31 - 1)
    scale = Scale(multiplier, np.maximum(shift, 0), np.maximum(-shift, 0), np.zeros_like(x), -wide - 1, wide)
    assert np.array_equal(rescale(x, scale), expected)


def _compare(seed: int, sizes: Sizes) -> None:
    memory, address, stream = random_program(seed, sizes)
    result = execute(memory, address, stream, ring=random_ring(seed))
    scalar = ScalarEngine(memory.tolist(), stream.tolist())
    expected = np.array(scalar.run(address), np.uint32)
    differing = np.flatnonzero(result.memory != expected)
    assert not differing.size, f"seed {seed}: {differing.size} words, the first at {differing[0]:#06x}"
    assert (result.layers, result.stream_words) == (scalar.layers, scalar.consumed)


def _run(jobs: list[Job], words: list[int]) -> ExecutionResult:
    return execute(memory_with(jobs, {WEIGHTS: words, INPUT: PIXELS}), PROGRAM, _stream())


def _stream(words: list[int] | None = None) -> np.ndarray:
    return np.array(words or [], np.uint32)
