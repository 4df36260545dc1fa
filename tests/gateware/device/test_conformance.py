"""The golden device and the Verilog at its pins answer the same bytes; times differ by what is stated here."""

import random
from collections.abc import Callable

import numpy as np
import pytest

from ascnode_gateware.bus.frames import read_request, write_request
from ascnode_gateware.device.interface import Accelerator, Rates
from ascnode_gateware.program.flash_blocks import BLOCK_BYTES, pack_stream
from ascnode_gateware.program.job import HEADER_WORDS
from ascnode_gateware.program.program import place_input
from ascnode_gateware.registers.table import ErrorCode
from ascnode_gateware.sim.addresses import address, mask, value
from gateware.device.conftest import Pair
from gateware.device.driving import Case, Driver
from gateware.device.frames import MEMORY_WORDS, in_parts, random_frames

Cases = Callable[..., Case]
SCK_HZ = (31_200_000, 24_000_000, 9_000_000)
CYCLES_TOLERANCE = 0.008  # of a run, at any THROTTLE
RESIDENT_CYCLES = 2  # of a resident run that is not throttled
MODELS = [
    ("digits", "auto"),
    ("digits", "always"),
    ("kws_ref_model.tflite", "auto"),
    ("ad01_int8.tflite", "auto"),
]


def fill(devices: tuple[Accelerator, ...], seed: int) -> None:
    """The same words everywhere, so that memory can be compared from then on."""
    words = np.random.default_rng(seed).integers(0, 2**32, MEMORY_WORDS, dtype=np.uint32).tolist()
    for at in range(0, MEMORY_WORDS, 255):
        frame = write_request(0, at, words[at : at + 255]).encode()
        for device in devices:
            device.transfer(frame)


def same(devices: tuple[Accelerator, ...], frame: bytes) -> bytes:
    golden, rtl = (device.transfer(frame) for device in devices)
    assert golden == rtl, f"{frame.hex()}: golden {golden.hex()}, RTL {rtl.hex()}"
    return golden


@pytest.mark.parametrize("sck_hz", SCK_HZ)
def test_frames_whole_damaged_cut_and_repeated_get_the_same_bytes(pair: Pair, sck_hz: int) -> None:
    devices = pair(rates=Rates(sck_hz=sck_hz))
    fill(devices, 1)
    answered = sum(any(same(devices, frame)) for frame in random_frames(sck_hz, 700))
    assert 200 < answered < 650
    for at in range(0, MEMORY_WORDS, 255):
        same(devices, read_request(0, at, min(255, MEMORY_WORDS - at)).encode())


@pytest.mark.parametrize("sck_hz", SCK_HZ)
def test_bytes_one_by_one_are_the_frame(pair: Pair, sck_hz: int) -> None:
    devices = pair(rates=Rates(sck_hz=sck_hz))
    fill(devices, 2)
    for number, frame in enumerate(random_frames(7, 150)):
        found = []
        for device in devices:
            device.begin()
            found.append(b"".join(device.exchange(part) for part in in_parts(number, frame)))
            device.end()
        assert found[0] == found[1], frame.hex()


def test_a_reset_between_frames_and_inside_one_forgets_the_same(pair: Pair) -> None:
    devices, rng = pair(), random.Random(3)
    fill(devices, 3)
    for frame in random_frames(8, 60):
        cut = rng.randrange(len(frame) + 1)
        found = []
        for device in devices:
            device.begin()
            head = device.exchange(frame[:cut])
            device.reset()
            found.append(head)
            device.end()
        assert found[0] == found[1]
        same(devices, read_request(1, address("ERRORS"), 1).encode())
        same(devices, write_request(0, address("PROGRAM"), [5]).encode())  # 0 counts as used after a reset


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
