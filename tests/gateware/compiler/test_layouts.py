"""Where inputs, outputs and layers lie, and what the report says about it."""

from math import prod

import numpy as np
import pytest
import tflite

from ascnode_gateware.compiler import Options, compile_file, compile_model
from ascnode_gateware.compiler.report import report
from ascnode_gateware.model.tflite_model import read_model
from ascnode_gateware.program.job import Opcode
from ascnode_gateware.program.program import Program, place_input, read_output
from ascnode_gateware.program.timing import predict_program
from ascnode_gateware.program.timing_model import StreamSource
from gateware.compiler.checking import check, noise
from gateware.networks import Network, mobilenet_v1, resnet8, wake_word
from models.golden import mlperf_tiny


def conv_of_one_channel() -> Program:
    """3x5 pixels of one channel, kernel 3x3, stride 1x2, SAME: columns -1..1, 1..3, 3..5 beside a pad of one."""
    net = Network(4)
    source = net.input(1, 3, 5, 1)
    return compile_model(read_model(net.build(source, net.conv(source, 4, (3, 3), (1, 2)))))


def test_a_repacked_input_has_the_taps_of_an_output_column_in_a_word() -> None:
    program = conv_of_one_channel()
    image = np.arange(1, 16, dtype=np.int8).reshape(3, 5, 1)
    pad = program.input.zero_point & 0xFF
    assert program.input.pad == program.input.zero_point
    words = [
        word & 0xFF_FFFF for word in place_input(program, image).tolist()
    ]  # the fourth lane has weight 0
    assert words[:3] == [0x02_01_00 | pad, 0x04_03_02, pad << 16 | 0x05_04]
    assert words[3:6] == [0x07_06_00 | pad, 0x09_08_07, pad << 16 | 0x0A_09]


def test_keyword_spotting_reads_ten_words_for_ten_by_four_taps() -> None:
    program = compile_file(mlperf_tiny("kws_ref_model.tflite"))
    layout, first = program.input, program.jobs[0]
    assert (layout.rows, layout.row_bytes, layout.columns, layout.groups, layout.step) == (49, 10, 5, 1, 2)
    assert first.passes == 10
    assert program.cpu_ops == ("SOFTMAX",)


def test_a_plain_input_lies_pixel_by_pixel() -> None:
    net = Network(4)
    source = net.input(1, 1, 2, 5)
    program = compile_model(read_model(net.build(source, net.conv(source, 4, (1, 1)))))
    words = place_input(program, np.arange(1, 11, dtype=np.int8).reshape(1, 1, 2, 5)).tolist()
    assert [words[0], words[1] & 0xFF, words[2], words[3] & 0xFF] == [0x0403_0201, 5, 0x0908_0706, 10]


@pytest.mark.parametrize("image", [np.zeros((3, 4, 1), np.int8), np.zeros((3, 5, 1), np.uint8)])
def test_another_input_is_refused(image: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"the model takes int8 \(1, 3, 5, 1\)"):
        place_input(conv_of_one_channel(), image)


def test_an_output_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="a tensor of 9 words is read from 8"):
        read_output(conv_of_one_channel(), np.zeros(8, np.uint32))


def test_resnet8_is_resident_with_32_kib_of_activations_and_its_sums_in_place() -> None:
    program = compile_model(read_model(resnet8(), drop_final_softmax=True))
    assert program.stream_blocks == 0
    tensors = [layer.tensor for layer in program.layers if layer.tensor is not None]
    ends = [max(t.address % 0x4000 + t.words for t in tensors if t.address >> 14 == b) for b in (0, 1)]
    assert sum(ends) * 4 <= 32_768
    layers = {layer.index: layer for layer in program.layers}
    for producer, add, skip in ((2, 3, 0), (6, 7, 5), (10, 11, 9)):
        assert layers[producer].tensor is None
        over, under = layers[add].tensor, layers[skip].tensor
        assert over is not None and under is not None and over.address == under.address
    loads = [job for job in program.jobs if job.opcode == Opcode.LOAD]
    assert len(loads) == 3


def test_every_step_begins_with_a_barrier_and_ends_a_layer() -> None:
    for options in (Options(), Options(stream="always"), Options(fuse=False)):
        program = compile_model(read_model(resnet8(), drop_final_softmax=True), options=options)
        begins = True
        for job in (job for job in program.jobs if job.opcode == Opcode.RUN):
            assert job.barrier == begins
            begins = bool(job.layer_end)
        assert sum(job.layer_end for job in program.jobs) == (11 if options.fuse else 14)
        assert begins, "the last job ends no layer"


def test_outputs_lie_in_the_other_bank_than_inputs() -> None:
    program = compile_file(mlperf_tiny("kws_ref_model.tflite"))
    runs = [job for job in program.jobs if job.opcode == Opcode.RUN]
    assert all(job.input >> 14 != job.output >> 14 for job in runs)
    short = [job for job in runs if prod((job.cols_less_1 + 1, job.rows_less_1 + 1)) < 32]
    assert short and all(job.weights >> 14 != job.input >> 14 for job in short)


def test_the_report_names_every_layer_its_place_and_what_is_left_to_a_cpu() -> None:
    program = compile_file(mlperf_tiny("kws_ref_model.tflite"))
    steps = sum(job.layer_end for job in program.jobs)
    text = report(program, [1000 + n for n in range(steps)])
    lines = text.splitlines()
    assert len([line for line in lines if "CONV_2D" in line]) == 9
    assert any("SOFTMAX" in line and "on the CPU" in line for line in lines)
    assert any(line.split()[:5] == ["0", "CONV_2D", "1x25x5x64", "320,000", "1,000"] for line in lines)
    assert "2,656,768 MACs in 11 jobs" in lines
    assert f"predicted: {sum(range(1000, 1000 + steps)):,} cycles" in lines
    assert "stream" not in text


def test_the_report_tells_what_streams() -> None:
    model = read_model(resnet8(), drop_final_softmax=True)
    program = compile_model(model, options=Options(stream="always"))
    text = report(program)
    assert "resident" not in text
    assert f"stream: {program.stream_blocks * 256:,} bytes an inference" in text


def test_a_report_with_too_few_cycles_is_refused() -> None:
    with pytest.raises(ValueError, match="2 cycle counts for 1 steps"):
        report(conv_of_one_channel(), [1, 2])


# The engine's cycles, by prediction, and what they were when this was written plus 0.5 %.
BUDGETS = {
    "keyword spotting": (lambda: mlperf_tiny("kws_ref_model.tflite").read_bytes(), 225_000),
    "image classification": (resnet8, 853_700),
    "visual wake words": (mobilenet_v1, 764_500),
    "wake word": (wake_word, 67_430),
}


@pytest.mark.parametrize("name", BUDGETS)
def test_networks_keep_their_pace(name: str) -> None:
    data, cycles = BUDGETS[name]
    program = compile_model(read_model(data(), drop_final_softmax=True))
    assert predict_program(program).cycles <= cycles


def test_the_autoencoder_runs_nearly_as_fast_as_its_weights_are_fetched() -> None:
    """Its 71,064 words of weights and parameters take a cycle each, if no pixel lies in their bank."""
    program = compile_file(mlperf_tiny("ad01_int8.tflite"))
    assert sum(layer.weight_words for layer in program.layers) == 71_064
    assert predict_program(program, StreamSource(0.01)).cycles <= 72_600
    assert predict_program(program).cycles <= 335_900


def test_the_autoencoders_jobs_and_pixels_lie_opposite_the_ring() -> None:
    program = compile_file(mlperf_tiny("ad01_int8.tflite"))
    assert program.program_address >> 14 != program.ring_base >> 14
    runs = [job for job in program.jobs if job.opcode == Opcode.RUN]
    beside = [
        job for job in runs if job.input >> 14 == (program.ring_base if job.stream else job.weights) >> 14
    ]
    passes = [sum(job.passes * (job.n_ocg_less_1 + 1) for job in jobs) for jobs in (beside, runs)]
    assert passes[0] <= passes[1] / 20


def test_regions_of_an_average_pool_that_divide_alike_share_their_constants() -> None:
    """3x3, SAME: corners average 4 values, edges 6, the middle 9; each region has jobs of its own."""
    net = Network(5)
    source = net.input(1, 6, 7, 4)
    pooled = net.pool(source, "AVERAGE_POOL_2D", (3, 3), (1, 1), padding=tflite.Padding.SAME)
    model = read_model(net.build(source, pooled))
    program = compile_model(model)
    runs = [job for job in program.jobs if job.opcode == Opcode.RUN]
    corners = [runs[n].weights for n in (0, -1)]
    assert len(runs) >= 9 and corners[0] == corners[1]
    assert len({job.weights for job in runs}) == 3
    assert check(program, model, noise(model, 3, 1)) >= 3
