"""Planted faults do what they say, to the frame that they name, alike on every run."""

from collections.abc import Callable

import numpy as np
import pytest

from ascnode_gateware.bus.frames import FrameError, Status, read_request, write_request
from ascnode_gateware.device.fault import Fault, FaultKind, fault_from
from ascnode_gateware.device.faulty import FaultyDevice
from ascnode_gateware.device.golden import GoldenDevice
from ascnode_gateware.registers.table import IDENTITY
from ascnode_gateware.sim.addresses import address, mask, value
from gateware.device.driving import Case, Driver

Cases = Callable[..., Case]
READ_ID = read_request(3, address("ID"), 1)
KINDS_OF_FRAMES = [kind for kind in FaultKind if kind not in ("hang", "reset", "flip")]


def faulty(*faults: Fault) -> FaultyDevice:
    return FaultyDevice(GoldenDevice(), faults)


def asked(device: FaultyDevice) -> int | str:
    """ID as read by one frame, or what was wrong about the answer."""
    try:
        answer = READ_ID.decode(device.transfer(READ_ID.encode()))
    except FrameError:
        return "no answer"
    return answer.status.name if answer.status != Status.OK else answer.words[0]


@pytest.mark.parametrize("kind", KINDS_OF_FRAMES)
def test_only_the_named_frame_is_hit(kind: FaultKind) -> None:
    span = 8 if kind == "mosi" else 18
    device = faulty(Fault(kind, 2, bits=3, span=span, seed=1))
    found = [asked(device) for _ in range(5)]
    assert [word for n, word in enumerate(found) if n != 2] == [IDENTITY] * 4
    assert device.happened == {kind: 1}
    if kind == FaultKind.MOSI:
        assert found[2] == "CRC_ERROR" or found[2] == "no answer"
    elif kind != FaultKind.REPEAT:
        assert (
            found[2] != IDENTITY or kind == FaultKind.MISO
        )  # bits before the answer are looked at by nobody


def test_wrong_bits_are_as_many_as_asked_and_the_same_again() -> None:
    def received(seed: int) -> bytes:
        return faulty(Fault(FaultKind.MISO, 0, bits=5, seed=seed)).transfer(READ_ID.encode())

    clean = GoldenDevice().transfer(READ_ID.encode())
    wrong = [int.from_bytes(received(seed), "big") ^ int.from_bytes(clean, "big") for seed in (1, 1, 2)]
    assert [word.bit_count() for word in wrong] == [5, 5, 5]
    assert wrong[0] == wrong[1] != wrong[2]


def test_a_rate_hits_about_that_share_of_all_bits() -> None:
    device = faulty(Fault(FaultKind.MISO, 0, frames=0, rate=0.01))
    clean = GoldenDevice().transfer(READ_ID.encode())
    wrong = 0
    for _ in range(500):
        wrong += (
            int.from_bytes(device.transfer(READ_ID.encode()), "big") ^ int.from_bytes(clean, "big")
        ).bit_count()
    bits = 500 * 8 * len(clean)
    assert wrong == pytest.approx(0.01 * bits, abs=5 * (0.01 * bits) ** 0.5)


def test_parts_of_a_frame_are_hit_as_the_whole_is() -> None:
    for kind in KINDS_OF_FRAMES:
        whole, parts = (faulty(Fault(kind, 0, bits=4, seed=7)) for _ in range(2))
        frame = write_request(1, 0x123, [0x12345678]).encode()
        expected = whole.transfer(frame)
        parts.begin()
        assert b"".join(parts.exchange(frame[at : at + 1]) for at in range(len(frame))) == expected, kind
        parts.end()
        look = read_request(0, 0x123, 1).encode()
        assert whole.transfer(look) == parts.transfer(look)


def test_a_repeated_register_write_acts_once_and_a_dropped_one_never() -> None:
    device = faulty(Fault(FaultKind.REPEAT, 0), Fault(FaultKind.DROP, 1))
    write = write_request(1, address("ERRORS"), [0])
    device.transfer(write.encode())
    assert not any(device.transfer(write.encode()))
    answer = write.decode(device.transfer(write.encode()))
    assert answer.status == Status.REPEATED


def test_a_flipped_bit_of_memory_stays_flipped() -> None:
    device = faulty(Fault(FaultKind.FLIP, 1, address=0x7FFF, bit=31))
    driver = Driver(device)
    driver.write(0x7FFE, np.array([1, 0x40000001], np.uint32))
    assert driver.read(0x7FFE, 2) == [1, 0xC0000001]
    assert device.frames == 2  # what looks into memory is not counted


def test_a_hung_engine_is_busy_until_a_reset(case: Cases) -> None:
    model = case("digits", "auto", 1)
    device = FaultyDevice(GoldenDevice())
    driver = Driver(device)
    driver.reset()
    driver.load(model.program)
    device.plant([Fault(FaultKind.HANG, 0)])
    driver.start(model.program, model.images[0])
    with pytest.raises(TimeoutError):
        driver.wait(most=200)
    driver.put("CONTROL", mask("abort"))
    assert driver.get("STATUS") == mask("busy")
    assert driver.get("IRQ") == 0
    driver.reset()
    driver.load(model.program)
    driver.start(model.program, model.images[0])
    assert value("done", driver.wait())
    np.testing.assert_array_equal(driver.output(model.program), model.golden)


@pytest.mark.parametrize("after_us", [2, 60, 110])
def test_a_reset_in_mid_run_happens_in_its_microsecond(case: Cases, after_us: int) -> None:
    """Digits takes 141.3 us, of which a frame of STATUS takes 7."""
    model = case("digits", "auto", 1)
    device = FaultyDevice(GoldenDevice())
    driver = Driver(device)
    driver.reset()
    driver.load(model.program)
    device.plant([Fault(FaultKind.RESET, 2, after_us=after_us)])
    driver.start(model.program, model.images[0])
    assert device.frames == 3  # the input, IRQ, START
    device.wait_us(after_us - 1)
    assert driver.status("busy") and not device.happened
    device.wait_us(1)
    assert driver.get("STATUS") == 0 and device.happened[FaultKind.RESET] == 1


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"kind": "miso"}, "needs kind and frame"),
        ({"kind": "rust", "frame": 1}, "rust"),
        ({"kind": "miso", "frame": -1}, "0 or more"),
        ({"kind": "miso", "frame": "1"}, "frame is '1'"),
        ({"kind": "miso", "frame": True}, "frame is True"),
        ({"kind": "flip", "frame": 1, "address": 0x8000}, "out of range"),
        ({"kind": "miso", "frame": 1, "rate": 1.5}, "out of range"),
        ({"kind": "miso", "frame": 1, "color": 1}, "no color"),
    ],
)
def test_a_fault_that_is_none_is_one_sentence(values: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        fault_from(values)
