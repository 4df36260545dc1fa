"""Compiled programs against the NumPy reference, tensor by tensor, on the executor."""

import numpy as np
import numpy.typing as npt

from ascnode_gateware.model.layers import Model
from ascnode_gateware.model.reference import Reference
from ascnode_gateware.program.executor import JobRecord, execute
from ascnode_gateware.program.program import (
    MEMORY_WORDS,
    OutputLayout,
    Program,
    Words,
    place_input,
    read_output,
    read_tensor,
)
from models.random_layers import random_images

NOISE = 0xA5C3_96E1  # what memory holds where nothing was put: a don't care must stay one


def loaded(program: Program, image: npt.NDArray[np.int8]) -> Words:
    """The memory as a driver leaves it before a start, the rest full of noise."""
    memory = np.full(MEMORY_WORDS, NOISE, np.uint32)
    for address, words in program.segments.items():
        memory[address : address + len(words)] = words
    words = place_input(program, image)
    memory[program.input.address : program.input.address + len(words)] = words
    return memory


def writable(program: Program) -> npt.NDArray[np.bool_]:
    """Words that no constant and no part of the ring occupies."""
    free = np.ones(MEMORY_WORDS, np.bool_)
    for address, words in program.segments.items():
        assert free[address : address + len(words)].all(), "two segments overlap"
        free[address : address + len(words)] = False
    ring = slice(program.ring_base, program.ring_base + 64 * program.ring_blocks)
    assert free[ring].all(), "the ring overlaps a segment"
    free[ring] = False
    return free


def check(program: Program, model: Model, images: npt.NDArray[np.int8]) -> int:
    """Runs every image and compares each tensor when it is complete; the number of tensors compared."""
    assert all(job.skip == job.output for job in program.jobs if job.add), "an addition is not in place"
    expected = Reference(model).run_all(images)
    return sum(_check_one(program, model, image, n, expected) for n, image in enumerate(images))


def _check_one(
    program: Program,
    model: Model,
    image: npt.NDArray[np.int8],
    number: int,
    expected: dict[int, npt.NDArray[np.int8]],
) -> int:
    compared, count = [], 0

    def compare(tensor_id: int, layout: OutputLayout, memory: Words) -> None:
        found = read_tensor(layout, memory)
        wanted = expected[tensor_id][number].reshape(found.shape)
        np.testing.assert_array_equal(found, wanted, err_msg=f"tensor {tensor_id} of image {number}")
        compared.append(tensor_id)

    def on_job(record: JobRecord, memory: Words) -> None:
        nonlocal count
        count += record.job.layer_end
        if record.job.layer_end:
            for layer in program.layers:
                if layer.tensor is not None and layer.done == count:
                    compare(layer.tensor_id, layer.tensor, memory)

    memory = loaded(program, image)
    result = execute(
        memory, program.program_address, program.stream, on_job=on_job, writable=writable(program)
    )
    output = program.output
    words = result.memory[output.address : output.address + output.words]
    wanted = expected[model.output.id][number]
    np.testing.assert_array_equal(read_output(program, words).reshape(wanted.shape), wanted)
    unused = len(program.stream) - result.stream_words
    assert 0 <= unused < 64, f"{unused} words of the stream are left over"
    return len(compared)


def noise(model: Model, count: int, seed: int) -> npt.NDArray[np.int8]:
    return random_images(model.input.shape, count, seed)


def run(
    program: Program, image: npt.NDArray[np.int8], after: npt.NDArray[np.int8] | None = None
) -> npt.NDArray[np.int8]:
    """The output for `image`, in memory as a run of `after` has left it."""
    memory = loaded(program, image)
    if after is not None:
        memory = execute(loaded(program, after), program.program_address, program.stream).memory
        words = place_input(program, image)
        memory[program.input.address : program.input.address + len(words)] = words
    result = execute(memory, program.program_address, program.stream).memory
    return read_tensor(program.output, result)
