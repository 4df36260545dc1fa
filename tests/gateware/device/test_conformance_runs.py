"""The golden device and the Verilog at its pins run programs alike; times differ by what is stated here."""

import random
from collections.abc import Callable

import numpy as np
import pytest

from ascnode_gateware.device.interface import Accelerator
from ascnode_gateware.program.flash_blocks import BLOCK_BYTES, pack_stream
from ascnode_gateware.program.job import BLOCK_WORDS, HEADER_WORDS, PARAMETER_WORDS
from ascnode_gateware.program.program import Program, place_input
from ascnode_gateware.registers.table import ErrorCode
from ascnode_gateware.sim.addresses import mask, value
from gateware.device.conftest import Pair
from gateware.device.driving import Case, Driver, fill

Cases = Callable[..., Case]
CYCLES_TOLERANCE = 0.008  # of a run, at any THROTTLE
RESIDENT_CYCLES = 2  # of a resident run that is not throttled
MODELS = [
    ("digits", "auto"),
    ("digits", "always"),
    ("kws_ref_model.tflite", "auto"),
    ("ad01_int8.tflite", "auto"),
]


@pytest.mark.parametrize(("name", "stream"), MODELS)
def test_models_give_the_references_answer_in_the_predicted_time(
    pair: Pair, case: Cases, name: str, stream: str
) -> None:
    model = case(name, stream, 1)
    program = model.program
    counters = []
    for device in pair(pack_stream(program.stream)):
        driver = Driver(device)
        driver.reset()
        driver.load(program, 0)
        driver.start(program, model.images[0])
        status = driver.wait()
        assert value("done", status) and not value("error", status)
        assert value("layer", status) == sum(job.layer_end for job in program.jobs)
        np.testing.assert_array_equal(driver.output(program), model.golden)
        counters.append(driver.counters())
    golden, rtl = counters
    assert (golden["PIXELS"], golden["WORDS"]) == (rtl["PIXELS"], rtl["WORDS"])
    tolerance = (
        CYCLES_TOLERANCE * rtl["CYCLES"] if stream == "always" or name.startswith("ad") else RESIDENT_CYCLES
    )
    assert golden["CYCLES"] == pytest.approx(rtl["CYCLES"], abs=tolerance)
    assert golden["THROTTLED"] == rtl["THROTTLED"] == 0


@pytest.mark.parametrize("throttle", [32, 64, 128, 200, 240])
def test_throttle_stretches_a_run_alike_and_halves_nothing_but_time(
    pair: Pair, case: Cases, throttle: int
) -> None:
    model = case("digits", "auto", 1)
    counters = []
    for device in pair():
        driver = Driver(device)
        driver.reset()
        driver.load(model.program)
        driver.put("THROTTLE", throttle)
        driver.start(model.program, model.images[0])
        driver.wait()
        np.testing.assert_array_equal(driver.output(model.program), model.golden)
        counters.append(driver.counters())
    golden, rtl = counters
    assert golden["CYCLES"] == pytest.approx(rtl["CYCLES"], rel=CYCLES_TOLERANCE)
    assert golden["PIXELS"] == rtl["PIXELS"]
    assert golden["THROTTLED"] == pytest.approx(rtl["THROTTLED"], rel=0.02 if throttle >= 128 else 0.08)
    for counts in counters:
        assert counts["CYCLES"] == counts["PIXELS"] + counts["STALLS"] + counts["THROTTLED"]


def test_a_throttle_that_changes_during_a_run_acts_at_once(pair: Pair, case: Cases) -> None:
    model = case("kws_ref_model.tflite", "auto", 1)
    cycles = []
    for device in pair():
        driver = Driver(device)
        driver.reset()
        driver.load(model.program)
        driver.start(model.program, model.images[0])
        device.wait_us(3000)
        driver.put("THROTTLE", 192)
        device.wait_us(8000)
        driver.put("THROTTLE", 0)
        driver.wait()
        np.testing.assert_array_equal(driver.output(model.program), model.golden)
        cycles.append(driver.get("CYCLES"))
    assert cycles[0] == pytest.approx(cycles[1], rel=CYCLES_TOLERANCE)
    assert cycles[1] > 1.4 * 223_848


def test_a_stream_that_the_host_feeds_ends_in_the_same_answer(pair: Pair, case: Cases) -> None:
    model = case("digits", "always", 1)
    for device in pair():
        driver = Driver(device)
        driver.reset()
        driver.load(model.program)
        driver.start(model.program, model.images[0], mask("stream_host"))
        driver.feed(model.program)
        status = driver.wait()
        assert value("done", status)
        np.testing.assert_array_equal(driver.output(model.program), model.golden)
        assert driver.get("WORDS") == 780
        assert (
            value("ring_free", status) + len(model.program.stream) // 64 - 780 // 64
            == model.program.ring_blocks
        )


def test_every_layer_pauses_alike_in_single_step(pair: Pair, case: Cases) -> None:
    model = case("digits", "auto", 1)
    layers = sum(job.layer_end for job in model.program.jobs)
    found = []
    for device in pair():
        driver = Driver(device)
        driver.reset()
        driver.load(model.program)
        driver.start(model.program, model.images[0], mask("single_step"))
        pauses = []
        for _ in range(layers):
            status = driver.wait()
            flags = driver.get("IRQ")
            pauses.append((status, flags, driver.read(0, 0x100), driver.read(0x4000, 0x100)))
            driver.put("IRQ", flags)
            driver.put("CONTROL", mask("resume") | mask("single_step") | mask("irq_enable"))
        pauses.append((driver.wait(), driver.get("IRQ"), [], []))
        found.append(pauses)
        np.testing.assert_array_equal(driver.output(model.program), model.golden)
    for golden, rtl in zip(*found, strict=True):
        assert golden[:2] == rtl[:2]
        lies = slice(model.program.output.address, None)
        assert golden[3][: lies.start - 0x4000] == rtl[3][: lies.start - 0x4000]


def stop_with(driver: Driver, model: Case, control: int = 0) -> tuple[int, int, int]:
    """(STATUS, IRQ, flash errors) of a run that goes wrong."""
    driver.start(model.program, model.images[0], control)
    status = driver.wait()
    return status, driver.get("IRQ"), value("flash_errors", driver.get("ERRORS"))


def error_code(status: int) -> ErrorCode:
    assert not value("done", status) and not value("busy", status)
    return ErrorCode(value("error", status))


def wrong_ends(device: Accelerator, resident: Case, streamed: Case) -> list[tuple[int, int, int]]:
    """A stream that nobody feeds, an opcode that is none, a wrong block in flash."""
    driver, program = Driver(device), resident.program
    driver.reset()
    driver.load(streamed.program)
    found = [stop_with(driver, streamed, mask("stream_host"))]
    driver.load(program)
    second = program.program_address + 2 * HEADER_WORDS
    [header] = driver.read(second, 1)
    driver.write(second, np.array([header | 3], np.uint32))
    found.append(stop_with(driver, resident))
    driver.load(streamed.program, 0)
    found.append(stop_with(driver, streamed))
    driver.load(program)
    driver.start(program, resident.images[0])
    assert value("done", driver.wait())
    np.testing.assert_array_equal(driver.output(program), resident.golden)
    return found


def test_errors_are_the_same_and_the_next_start_works(pair: Pair, case: Cases) -> None:
    resident, streamed = case("digits", "auto", 1), case("digits", "always", 1)
    image = bytearray(pack_stream(streamed.program.stream))
    image[2 * BLOCK_BYTES + 77] ^= 0x10
    expected = [ErrorCode.WATCHDOG, ErrorCode.OPCODE, ErrorCode.STREAM_CRC]
    golden, rtl = (wrong_ends(device, resident, streamed) for device in pair(bytes(image)))
    for code, one, other in zip(expected, golden, rtl, strict=True):
        assert error_code(one[0]) == error_code(other[0]) == code
        assert one[1:] == other[1:]


def test_a_flash_whose_quad_mode_is_off_is_the_same_error(pair: Pair, case: Cases) -> None:
    streamed = case("digits", "always", 1)
    for device in pair(pack_stream(streamed.program.stream), quad=False):
        driver = Driver(device)
        driver.reset()
        driver.load(streamed.program, 0)
        assert error_code(stop_with(driver, streamed)[0]) == ErrorCode.FLASH


def test_abort_and_reset_in_mid_run_leave_a_device_that_works(pair: Pair, case: Cases) -> None:
    model = case("kws_ref_model.tflite", "auto", 1)
    program = model.program
    for device in pair():
        driver = Driver(device)
        driver.reset()
        driver.load(program)
        driver.start(program, model.images[0])
        device.wait_us(4000)
        assert driver.status("busy")
        driver.put("CONTROL", mask("abort") | mask("irq_enable"))
        status = driver.wait()
        assert error_code(status) == ErrorCode.ABORTED
        driver.start(program, model.images[0])
        device.wait_us(4000)
        device.reset()
        assert driver.get("STATUS") == 0
        assert not device.wait_us(20_000)
        driver.put("IRQ", 0)
        driver.load(program)
        driver.start(program, model.images[0])
        assert value("done", driver.wait())
        np.testing.assert_array_equal(driver.output(program), model.golden)


@pytest.mark.parametrize("name", ["digits", "kws_ref_model.tflite"])
def test_the_next_input_written_during_a_run_changes_nothing(pair: Pair, case: Cases, name: str) -> None:
    """Each input but the first goes in while the one before runs; each output is read while the next one runs."""
    model = case(name, "auto", 3)
    program, foretold = model.program, model.program.foretold
    assert foretold is not None and foretold.input_free_after is not None
    for device in pair():
        driver = Driver(device)
        driver.reset()
        driver.load(program)
        driver.put("THROTTLE", 240 if name == "digits" else 0)  # so that a short run outlasts a frame
        driver.write(program.input.address, place_input(program, model.images[0]))
        for number in range(len(model.images)):
            driver.put("IRQ", mask("irq_done"))
            driver.put("CONTROL", mask("start") | mask("irq_enable"))
            if number:
                np.testing.assert_array_equal(driver.output(program), model.golden[number - 1 : number])
                assert driver.status("layer") < foretold.output_kept_until
            if number + 1 < len(model.images):
                write_beside(driver, model, number + 1)
            assert value("done", driver.wait())
        np.testing.assert_array_equal(driver.output(program), model.golden[-1:])


def write_beside(driver: Driver, model: Case, number: int) -> None:
    """An image, as soon as the run under way allows it, and before it ends."""
    foretold = model.program.foretold
    assert foretold is not None and foretold.input_free_after is not None
    while driver.status("layer") < foretold.input_free_after:
        driver.device.wait_us(20)
    driver.write(model.program.input.address, place_input(model.program, model.images[number]))
    assert driver.status("busy")


@pytest.mark.parametrize(("name", "count"), [("digits", 60), ("kws_ref_model.tflite", 9)])
def test_a_changed_weight_or_parameter_gives_what_it_gives_on_the_verilog(
    pair: Pair, case: Cases, name: str, count: int
) -> None:
    """Also one that the contract does not allow: a multiplier past 31 bits, a maximum of large sums."""
    model = case(name, "auto", 1)
    program, rng, wrong = model.program, random.Random(11), 0
    devices = pair()
    fill(devices, 4)
    drivers = [Driver(device) for device in devices]
    for driver in drivers:
        driver.reset()
        driver.load(program)
    for at, bit in flips(program, rng, count):
        word = np.array([program.memory[at] ^ np.uint32(1 << bit)], np.uint32)
        outputs = []
        for driver in drivers:
            driver.write(at, word)
            driver.start(program, model.images[0])
            assert value("done", driver.wait())
            outputs.append(driver.output(program))
            driver.write(at, program.memory[at : at + 1])
        np.testing.assert_array_equal(outputs[0], outputs[1], err_msg=f"bit {bit} of {at:#06x}")
        wrong += not np.array_equal(outputs[0], model.golden)
    assert count // 4 < wrong


def flips(program: Program, rng: random.Random, count: int) -> list[tuple[int, int]]:
    """(address, bit) in parameters and weights; a third in parameters, of which there are fewer."""
    found = []
    for number in range(count):
        job = rng.choice(program.jobs[:-1])
        each = PARAMETER_WORDS + BLOCK_WORDS * job.passes
        group = job.weights + each * rng.randrange(job.n_ocg_less_1 + 1)
        inside = range(PARAMETER_WORDS) if number % 3 == 0 else range(PARAMETER_WORDS, each)
        found.append((group + rng.choice(inside), rng.randrange(32)))
    return found
