"""The flash beside the FPGA: what W25Q32JV's data sheet says of its commands, and sharing it with the streamer."""

from collections.abc import Callable

import numpy as np
import pytest

from ascnode_gateware.device.flash_chip import FLASH_BYTES, FlashChip
from ascnode_gateware.device.interface import Accelerator
from ascnode_gateware.program.flash_blocks import pack_stream
from ascnode_gateware.registers.table import ErrorCode
from ascnode_gateware.sim.addresses import value
from gateware.device.conftest import Pair
from gateware.device.driving import Case, Driver

Cases = Callable[..., Case]
WRITE_ENABLE, PROGRAM, READ, ERASE = b"\x06", b"\x02", b"\x03", b"\x20"
BUSY = 1


def at(address: int) -> bytes:
    return address.to_bytes(3, "big")


class Bench:
    """A chip whose time is told."""

    def __init__(self, contents: bytes = b"", quad: bool = True) -> None:
        self.chip, self.now_us = FlashChip(contents, quad=quad), 0.0

    def __call__(self, sent: bytes, more: int = 0) -> bytes:
        """What came behind the bytes sent."""
        return self.chip.frame(sent + bytes(more), self.now_us)[len(sent) :]

    def program(self, address: int, data: bytes) -> None:
        self(WRITE_ENABLE)
        self(PROGRAM + at(address) + data)
        self.now_us += 400


def test_it_says_who_it_is_and_that_quad_mode_is_on() -> None:
    bench = Bench()
    assert bench(b"\x9f", 4) == b"\xef\x40\x16\xff"
    assert bench(b"\x35", 2) == b"\x02\x02"
    assert Bench(quad=False)(b"\x35", 1) == b"\0"


def test_programming_clears_bits_and_wraps_in_its_page() -> None:
    bench = Bench()
    bench.program(0x1FE, b"\x12\x34\x56")
    assert bench(READ + at(0x1FE), 3) == b"\x12\x34\xff"
    assert bench(READ + at(0x100), 2) == b"\x56\xff"
    bench.program(0x1FE, b"\xf0")
    assert bench(READ + at(0x1FE), 1) == b"\x10"


def test_nothing_is_written_without_write_enable_or_while_busy() -> None:
    bench = Bench()
    bench(PROGRAM + at(0) + b"\0")
    assert bench(READ + at(0), 1) == b"\xff"
    bench(WRITE_ENABLE)
    assert bench(b"\x05", 1) == b"\x02"
    bench(PROGRAM + at(0) + b"\x0f")
    assert bench(b"\x05", 1)[0] & BUSY
    assert bench(READ + at(0), 1) == b"\xff"
    bench(WRITE_ENABLE)
    bench.now_us += 400
    assert bench(b"\x05", 1) == b"\0"
    assert bench(READ + at(0), 1) == b"\x0f"


def test_erasing_a_sector_takes_its_time_and_leaves_others() -> None:
    bench = Bench(bytes(3 * 4096))
    bench(WRITE_ENABLE)
    bench(ERASE + at(0x1ABC))
    bench.now_us += 44_999
    assert bench(b"\x05", 1)[0] & BUSY
    bench.now_us += 1
    found = bench(READ + at(0), 3 * 4096)
    assert found == bytes(4096) + b"\xff" * 4096 + bytes(4096)


def test_asleep_it_answers_nothing_but_the_call_to_wake() -> None:
    bench = Bench()
    bench(b"\xb9")
    assert bench(b"\x9f", 3) == b"\xff\xff\xff"
    assert bench(b"\xab", 4) == b"\xff\xff\xff\x15"
    assert bench(b"\x9f", 3) == b"\xef\x40\x16"


def test_quad_mode_can_be_switched_on() -> None:
    bench = Bench(quad=False)
    bench(WRITE_ENABLE)
    bench(b"\x31\x02")
    bench.now_us += 10_000
    assert bench(b"\x35", 1) == b"\x02" and bench.chip.quad


def test_reading_goes_round_the_chips_end() -> None:
    bench = Bench(b"\x01")
    assert bench(READ + at(FLASH_BYTES - 1), 2) == b"\xff\x01"
    with pytest.raises(ValueError, match="do not fit"):
        FlashChip(bytes(FLASH_BYTES + 1))


def write_stream(device: Accelerator, image: bytes) -> None:
    """As a driver does: erase, page by page, waiting for each."""
    for first in range(0, len(image), 4096):
        change(device, ERASE + at(first))
    for first in range(0, len(image), 256):
        change(device, PROGRAM + at(first) + image[first : first + 256])


def change(device: Accelerator, command: bytes) -> None:
    assert device.flash_frame(WRITE_ENABLE) is not None
    assert device.flash_frame(command) is not None
    for _ in range(2000):
        found = device.flash_frame(b"\x05\0")
        assert found is not None
        if not found[1] & BUSY:
            return
        device.wait_us(100)
    raise AssertionError("the flash stays busy")


def test_a_stream_written_over_the_shared_bus_is_what_the_engine_reads(pair: Pair, case: Cases) -> None:
    """On both kinds; while the engine streams, the host gets no grant."""
    model = case("digits", "always", 1)
    for device in pair():
        write_stream(device, pack_stream(model.program.stream))
        driver = Driver(device)
        driver.reset()
        driver.load(model.program, 0)
        driver.start(model.program, model.images[0])
        assert device.flash_frame(b"\x9f\0\0\0") is None
        assert value("done", driver.wait())
        np.testing.assert_array_equal(driver.output(model.program), model.golden)
        assert device.flash_frame(b"\x9f\0\0\0") == b"\xff\xef\x40\x16"


def test_a_flash_that_is_still_busy_is_a_flash_error_and_then_works(pair: Pair, case: Cases) -> None:
    model = case("digits", "always", 1)
    for device in pair(pack_stream(model.program.stream)):
        driver = Driver(device)
        driver.reset()
        driver.load(model.program, 0)
        device.flash_frame(WRITE_ENABLE)
        device.flash_frame(ERASE + at(0x100000))
        driver.start(model.program, model.images[0])
        assert value("error", driver.wait()) == ErrorCode.FLASH
        device.wait_us(45_000)
        driver.start(model.program, model.images[0])
        assert value("done", driver.wait())
        np.testing.assert_array_equal(driver.output(model.program), model.golden)
