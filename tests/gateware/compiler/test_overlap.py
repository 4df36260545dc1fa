"""What a program foretells of its overlap: against every word that its jobs touch, found one by one."""

import numpy as np
import pytest

from ascnode_gateware.compiler import Options, compile_file, compile_model
from ascnode_gateware.model.tflite_model import read_model
from ascnode_gateware.program.executor import JobRecord, execute
from ascnode_gateware.program.program import Program, Words, read_tensor
from ascnode_gateware.program.timing import predict_program
from gateware.compiler.checking import loaded
from gateware.networks import Network, resnet8
from models.golden import DIGITS, mlperf_tiny


def with_writes(program: Program, layer: int, first: int, words: int) -> Words:
    """The memory after a run in which a host wrote noise over `words` words once `layer` layers were done."""
    image = np.arange(np.prod(program.input.shape), dtype=np.uint32).astype(np.int8)
    noise = np.random.default_rng(9).integers(0, 2**32, words, dtype=np.uint32)
    done = 0

    def on_job(record: JobRecord, memory: Words) -> None:
        nonlocal done
        done += record.job.layer_end
        if record.job.layer_end and done == layer:
            memory[first : first + words] = noise

    return execute(loaded(program, image), program.program_address, program.stream, on_job=on_job).memory


def answer(program: Program, layer: int) -> list[int]:
    source = program.input
    return (
        read_tensor(program.output, with_writes(program, layer, source.address, source.words))
        .ravel()
        .tolist()
    )


def programs() -> dict[str, Program]:
    net = Network(5)
    source = net.input(1, 12)
    dense = net.build(source, net.dense(net.dense(net.dense(source, 9), 7), 3))
    return {
        "digits": compile_file(DIGITS),
        "dense, streamed": compile_model(read_model(dense), options=Options(stream="always")),
        "resnet8": compile_model(read_model(resnet8(size=16), drop_final_softmax=True)),
    }


@pytest.mark.parametrize("name", programs())
def test_an_input_written_once_it_is_free_changes_nothing(name: str) -> None:
    program = programs()[name]
    foretold = program.foretold
    assert foretold is not None and foretold.cycles == predict_program(program).cycles
    assert foretold.input_free_after is not None
    layers, undisturbed = sum(job.layer_end for job in program.jobs), answer(program, -1)
    for layer in range(foretold.input_free_after, layers):
        assert answer(program, layer) == undisturbed


@pytest.mark.parametrize("name", programs())
def test_an_output_is_intact_until_the_foretold_layer(name: str) -> None:
    program = programs()[name]
    output, foretold = program.output, program.foretold
    assert foretold is not None
    memory = loaded(program, np.zeros(program.input.shape, np.int8))
    memory[output.address : output.address + output.words] = range(output.words)
    counts: list[tuple[int, bool]] = [(0, True)]

    def on_job(record: JobRecord, now: Words) -> None:
        intact = now[output.address : output.address + output.words].tolist() == list(range(output.words))
        counts.append((counts[-1][0] + record.job.layer_end, intact))

    execute(memory, program.program_address, program.stream, on_job=on_job)
    assert all(intact for count, intact in counts if count <= foretold.output_kept_until)
    assert not all(intact for _, intact in counts)


def test_kws_takes_its_next_input_after_the_first_of_eleven_layers_at_no_cost() -> None:
    program = compile_file(mlperf_tiny("kws_ref_model.tflite"))
    assert program.foretold is not None
    assert program.foretold.input_free_after == 1
    assert program.foretold.cycles == 223_848  # as before input and output lay apart
