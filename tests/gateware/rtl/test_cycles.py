"""Predicted cycles against those of the Verilog, layer by layer."""

import pytest

from ascnode_gateware.compiler import Options
from ascnode_gateware.program.timing import predict_program
from ascnode_gateware.program.timing_model import StreamSource
from ascnode_gateware.registers.table import field_named
from ascnode_gateware.sim.report import layer_ends
from ascnode_gateware.sim.simulator import QUAD_FLASH_CYCLES_PER_WORD, Simulator
from gateware.rtl.subjects import ALL, PLAIN, inputs, program_of

TOLERANCE = 0.05  # of a layer
TOTAL_TOLERANCE = 0.01
JOB_CYCLES = 40  # a layer so short that a job's start is more than that may be off by one
# The simulated host commits a block behind its last word; it is read 4 cycles later.
SOURCE = StreamSource(QUAD_FLASH_CYCLES_PER_WORD, latency=4)  # type: ignore[arg-type]


@pytest.mark.parametrize("options", [PLAIN, Options(stream="always")], ids=["plain", "streamed"])
@pytest.mark.parametrize("name", ALL)
def test_each_layers_cycles_are_predicted(simulator: Simulator, name: str, options: Options) -> None:
    program = program_of(name, options)
    simulator.load(program)
    _, report = simulator.run(inputs(name, 4, 31)[3:])
    predicted = predict_program(program, SOURCE)
    ends, done = (0, *predicted.layer_ends), 0
    for layer, passed in zip(report.layers, layer_ends(program), strict=True):
        if passed > done:
            expected = pytest.approx(layer.cycles, rel=TOLERANCE, abs=JOB_CYCLES)
            assert ends[passed] - ends[done] == expected, f"layer {layer.index}"
            done = passed
    assert done == len(predicted.layers)
    assert predicted.cycles == pytest.approx(report.cycles, rel=TOTAL_TOLERANCE)


@pytest.mark.parametrize("name", ALL)
def test_counters_tell_the_runs_cycles_and_words(simulator: Simulator, name: str) -> None:
    program = program_of(name, PLAIN)
    simulator.load(program)
    _, report = simulator.run(inputs(name, 1, 32))
    predicted = predict_program(program, SOURCE)
    counters = simulator.counters()
    assert counters["PIXELS"] == sum(job.words for job in predicted.jobs)
    assert counters["PIXELS"] + counters["STALLS"] == counters["CYCLES"]
    assert counters["CYCLES"] == pytest.approx(report.cycles, abs=2)
    assert 0 <= len(program.stream) - counters["WORDS"] < 64
    for counter in counters:
        assert counters[counter] < field_named(counter.lower())[1].mask
