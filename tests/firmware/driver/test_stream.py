"""Programs whose weights come from the accelerator's own flash: written over the shared bus, mended, written once."""

import pytest

from ascnode_fw.accel import causes
from ascnode_fw.accel.driver import Driver
from ascnode_fw.accel.flash import BLOCK_BYTES, STREAM_AT
from ascnode_fw.accel.program import Program
from ascnode_gateware.device.flash_chip import FlashChip
from ascnode_gateware.device.golden import GoldenDevice
from ascnode_gateware.program.flash_blocks import pack_stream
from ascnode_gateware.program.image import read_image
from firmware.driver.rig import Bus, Rig, case, model_file

AD = "ad01_int8.tflite"
SECTORS = 41  # of 4,096 bytes, that its 638 blocks take

pytestmark = pytest.mark.skipif(model_file(AD) is None, reason="the MLPerf Tiny models are not at hand")


@pytest.fixture
def rig() -> Rig:
    return Rig(case(AD))


def test_the_flash_holds_the_compilers_blocks_and_answers_are_right(rig: Rig) -> None:
    assert all(rig.right(data) for data in rig.case.inputs(2))
    expected = pack_stream(read_image(rig.case.image).stream)
    assert rig.golden.flash.contents[STREAM_AT : STREAM_AT + len(expected)] == expected
    assert len(expected) % BLOCK_BYTES == 0
    assert _flash_of(rig.driver).written == SECTORS


def test_what_the_flash_holds_already_is_not_written_again(rig: Rig) -> None:
    (data,) = rig.case.inputs(1)
    assert rig.right(data)
    rig.driver = Driver(rig.bus, Program(rig.store, "model.acc"))  # as after a reset of the board
    assert rig.right(data)
    assert _flash_of(rig.driver).written == 0


def test_a_changed_byte_stops_the_stream_and_is_mended(rig: Rig) -> None:
    first, second = rig.case.inputs(2)
    assert rig.right(first)
    contents = bytearray(rig.golden.flash.contents)
    contents[STREAM_AT + 70_000] ^= 4
    rig.golden.flash._data[:] = contents
    rig.golden.flash._streams.clear()
    rig.golden.flash.version += 1
    assert rig.right(second)
    assert rig.driver.repairs == 1 << causes.STOPPED
    assert _flash_of(rig.driver).written == SECTORS + 1


def test_a_flash_fresh_from_its_factory_gets_its_quad_bit() -> None:
    rig = Rig(case(AD))
    golden = GoldenDevice(flash=FlashChip(quad=False))
    rig.driver = Driver(Bus(golden), Program(rig.store, "model.acc"))
    assert rig.right(rig.case.inputs(1)[0])
    assert golden.flash.quad


def test_without_a_flash_the_cause_is_the_stream() -> None:
    rig = Rig(case(AD))
    golden = GoldenDevice(flash=FlashChip(present=False))
    rig.driver = Driver(Bus(golden), Program(rig.store, "model.acc"))
    assert rig.run(rig.case.inputs(1)[0]) == causes.STREAM


class _Held(Bus):
    """The accelerator never lets go of the pins."""

    def flash_transfer(self, out: memoryview, into: memoryview, n: int) -> bool:
        return False


def test_pins_that_are_never_granted_end_by_a_deadline() -> None:
    rig = Rig(case(AD))
    bus = _Held(GoldenDevice())
    rig.driver = Driver(bus, Program(rig.store, "model.acc"))
    assert rig.run(rig.case.inputs(1)[0]) == causes.STREAM
    assert bus.waited_us < 2_000_000


def _flash_of(driver: Driver) -> object:
    return driver._flash
