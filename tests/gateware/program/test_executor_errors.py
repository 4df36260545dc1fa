"""What the executor refuses, and that each message says why."""

import numpy as np
import pytest

from ascnode_gateware.program.executor import ExecutionError, execute
from ascnode_gateware.program.job import Job, Opcode
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

NO_STREAM = np.zeros(0, np.uint32)
LOAD = Job(Opcode.LOAD, weights=0x3800)
GROUP = group_words(IDENTITY_BLOCK)

REFUSED = {
    "opcode 3": [Job(3)],
    "tag is 0x80": [copy_job(tag=0x80)],
    "width is 0": [copy_job(width=0)],
    "height is 513": [copy_job(height=513)],
    "a job has 260 outputs": [copy_job(cols_less_1=129, rows_less_1=1)],
    "prime is 4, but a row has 4 words": [copy_job(prime=4, cols_less_1=3)],
    "add without an earlier LOAD": [copy_job(add=1)],
    "LOAD has no output": [Job(Opcode.LOAD, layer_end=1)],
    "the stream is exhausted: 16 words wanted, 0 left": [copy_job(stream=1)],
    "prime is 2, but lanes 0..0 have weights": [copy_job(dw=1, prime=2)],
    "without a barrier": [copy_job(), copy_job(input=OUTPUT, output=0x5300)],
    "before a LOAD": [copy_job(), copy_job(weights=OUTPUT, barrier=1, output=0x5300)],
    "an earlier drain writes": [copy_job(input=OUTPUT, n_ocg_less_1=1)],
    "writes one word twice": [LOAD, copy_job(add=1, skip=OUTPUT, out_step=0)],
    "skip is not output": [LOAD, copy_job(add=1, skip=OUTPUT + 1)],
    "a row sum of 0..257 is outside": [copy_job(max=1, input=INPUT + 8)],
}


@pytest.mark.parametrize("message", REFUSED)
def test_is_refused_with_one_sentence(message: str) -> None:
    summing = [0x00010101] * 4
    segments = {WEIGHTS: GROUP[:12] + summing + GROUP, INPUT + 8: [word_of(127, 127, 3, 0)]}
    memory = memory_with(REFUSED[message], segments)
    with pytest.raises(ExecutionError, match=message):
        execute(memory, PROGRAM, NO_STREAM)


def test_the_message_names_job_and_address() -> None:
    memory = memory_with([copy_job(), copy_job(tag=1)], {WEIGHTS: GROUP})
    with pytest.raises(
        ExecutionError, match=r"^job 1 at 0x200c: tag is 0x01, but is reserved and must be 0$"
    ):
        execute(memory, PROGRAM, NO_STREAM)


def test_a_barrier_makes_reading_an_output_right() -> None:
    memory = memory_with([copy_job(), copy_job(input=OUTPUT, output=0x5300, barrier=1)], {WEIGHTS: GROUP})
    memory[INPUT : INPUT + 8] = 0x01020304
    assert (execute(memory, PROGRAM, NO_STREAM).memory[0x5300:0x5308] == 0x01020304).all()


def test_a_barrier_does_not_await_jobs_after_it() -> None:
    jobs = [copy_job(barrier=1), copy_job(input=OUTPUT, output=0x5300)]
    with pytest.raises(ExecutionError, match="without a barrier"):
        execute(memory_with(jobs, {WEIGHTS: GROUP}), PROGRAM, NO_STREAM)


def test_digits_outside_a_multiplier_are_refused() -> None:
    words = [*GROUP]
    words[4] = 0xC0000000  # -1 in the highest digit
    with pytest.raises(ExecutionError, match=r"digits 0xc0000000 stand for -1073741824"):
        execute(memory_with([copy_job()], {WEIGHTS: words}), PROGRAM, NO_STREAM)


def test_a_program_without_end_stops() -> None:
    memory = np.zeros(32768, np.uint32)
    load = Job(Opcode.LOAD, weights=0x4000).pack()
    memory[: 12 * 1365] = load * 1365
    memory[12 * 1365 : 0x4000] = load[: 0x4000 - 12 * 1365]
    with pytest.raises(ExecutionError, match="no END within 1365 jobs"):
        execute(memory, 0, NO_STREAM)


def test_outputs_outside_the_writable_words_are_refused() -> None:
    writable = np.zeros(32768, np.bool_)
    writable[OUTPUT : OUTPUT + 7] = True
    with pytest.raises(ExecutionError, match="an output is written to 0x5207"):
        execute(memory_with([copy_job()], {WEIGHTS: GROUP}), PROGRAM, NO_STREAM, writable=writable)


@pytest.mark.parametrize(
    ("place", "what"), [(INPUT, "a pixel"), (OUTPUT, "an output"), (WEIGHTS & ~63, "a header or weight")]
)
def test_nothing_else_uses_the_ring(place: int, what: str) -> None:
    memory = memory_with([copy_job()], {WEIGHTS: GROUP})
    with pytest.raises(ExecutionError, match=what):
        execute(memory, PROGRAM, NO_STREAM, ring=range(place, place + 64))


@pytest.mark.parametrize("memory", [np.zeros(100, np.uint32), np.zeros(32768, np.int32)])
def test_another_memory_is_refused(memory: np.ndarray) -> None:
    with pytest.raises(ExecutionError, match="not uint32"):
        execute(memory, 0, NO_STREAM)
