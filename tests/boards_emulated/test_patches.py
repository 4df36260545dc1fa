"""Each defect of rp2040py that is mended from outside: it is there without the patch, so that a version of rp2040py in
which it is not makes the test fail and the patch can go, and it is not there with it."""

import pytest
from rp2040py.clock.simulation_clock import SimulationClock
from rp2040py.peripherals.uart import UARTDR, UARTICR, UARTIMSC, UARTTXINTR
from rp2040py.rp2040 import RP2040
from rp2040py.usb.cdc import USBCDC

from ascnode.boards.emulator_patches import uart, unique_id
from ascnode.boards.emulator_patches.usb import PatientHost

UPSTREAM = "rp2040py has mended this itself: the patch can go"
OUT = 2  # a bulk endpoint
UART0 = 0x40034000
NVIC_UART0 = 1 << 20  # RP2040 datasheet 2.3.2
CHIP_ID = bytes.fromhex("e6614c311b5f7e2a")


@pytest.fixture
def rp2040() -> RP2040:
    return RP2040(SimulationClock())


class TestUsb:
    def test_without_the_patch_an_empty_packet_comes_at_once(self, rp2040: RP2040) -> None:
        answered = packets(USBCDC(rp2040.usb_ctrl))
        ask(rp2040)
        assert answered == [b""], UPSTREAM

    def test_a_chip_that_asks_waits_until_there_is_something(self, rp2040: RP2040) -> None:
        host = PatientHost(rp2040.usb_ctrl)
        answered = packets(host)
        ask(rp2040)
        rp2040.clock.tick(1e9)
        assert answered == []
        host.send(b"hel")
        host.send(b"lo")
        rp2040.clock.tick(2000)
        assert answered == [b"hello"]

    def test_what_came_before_the_chip_asks_is_there_when_it_does(self, rp2040: RP2040) -> None:
        host = PatientHost(rp2040.usb_ctrl)
        answered = packets(host)
        host.send(b"early")
        rp2040.clock.tick(2000)
        assert answered == []
        ask(rp2040)
        assert answered == [b"early"]

    def test_a_transfer_that_ends_with_a_full_packet_is_closed_by_an_empty_one(self, rp2040: RP2040) -> None:
        host = PatientHost(rp2040.usb_ctrl)
        answered = packets(host)
        host.send(bytes(range(100)))
        for _ in range(3):
            ask(rp2040)
        assert answered == [bytes(range(64)), bytes(range(64, 100))]
        host.send(bytes(28))
        host.send(bytes(64 - 28))
        rp2040.clock.tick(2000)
        ask(rp2040)
        ask(rp2040)
        assert [len(packet) for packet in answered] == [64, 36, 64, 0]

    def test_it_takes_no_more_than_it_has_room_for(self, rp2040: RP2040) -> None:
        host = PatientHost(rp2040.usb_ctrl)
        room = host.room
        host.send(bytes(100))
        assert (room, host.room) == (512, 412)

    def test_a_reset_of_the_chip_forgets_what_was_on_its_way(self, rp2040: RP2040) -> None:
        host = PatientHost(rp2040.usb_ctrl)
        answered = packets(host)
        ask(rp2040)
        host.send(b"gone")
        rp2040.enter_reset()
        rp2040.clock.tick(1e6)
        assert (answered, host.room) == ([], 512)


def packets(host: USBCDC) -> list[bytes]:
    """What the chip gets on its bulk endpoint from now on."""
    host._out_endpoint = OUT
    answered: list[bytes] = []
    host.usb.endpoint_read_done = lambda endpoint, data, delay=None: answered.append(bytes(data))
    return answered


def ask(rp2040: RP2040) -> None:
    """The chip offers a buffer of a full-speed packet."""
    assert rp2040.usb_ctrl.on_endpoint_read is not None
    rp2040.usb_ctrl.on_endpoint_read(OUT, 64)


class TestUart:
    def test_without_the_patch_a_cleared_interrupt_is_raised_again(self, rp2040: RP2040) -> None:
        assert pending_after_clear(rp2040), UPSTREAM

    def test_a_cleared_interrupt_stays_clear_and_a_byte_raises_it(self, rp2040: RP2040) -> None:
        uart.install(rp2040)
        assert not pending_after_clear(rp2040)
        rp2040.write_uint32(UART0 + UARTDR, 0x55)
        assert pending(rp2040)

    def test_a_masked_interrupt_does_not_reach_the_core(self, rp2040: RP2040) -> None:
        uart.install(rp2040)
        rp2040.write_uint32(UART0 + UARTDR, 0x55)
        assert not pending(rp2040)
        rp2040.write_uint32(UART0 + UARTIMSC, UARTTXINTR)
        assert pending(rp2040)

    def test_bytes_still_go_out(self, rp2040: RP2040) -> None:
        uart.install(rp2040)
        sent: list[int] = []
        rp2040.uart[0].on_byte = sent.append
        rp2040.write_uint32(UART0 + UARTDR, 0x5A)
        assert sent == [0x5A]


def pending_after_clear(rp2040: RP2040) -> bool:
    """Whether the transmit interrupt stands after a byte went out and the handler cleared it."""
    rp2040.write_uint32(UART0 + UARTIMSC, UARTTXINTR)
    rp2040.write_uint32(UART0 + UARTDR, 0x55)
    rp2040.write_uint32(UART0 + UARTICR, UARTTXINTR)
    return pending(rp2040)


def pending(rp2040: RP2040) -> bool:
    return bool(rp2040.core.pending_interrupts & NVIC_UART0)


class TestUniqueId:
    def test_without_the_patch_every_chip_is_blank(self, rp2040: RP2040) -> None:
        assert read_unique_id(rp2040) == b"\xff" * 8, UPSTREAM

    def test_a_chip_answers_with_its_own(self, rp2040: RP2040) -> None:
        unique_id.install(rp2040, CHIP_ID)
        assert read_unique_id(rp2040) == CHIP_ID

    def test_other_commands_answer_as_before(self, rp2040: RP2040) -> None:
        unique_id.install(rp2040, CHIP_ID)
        assert flash_command(rp2040, bytes((0x9F, 0, 0, 0)))[1:] == bytes((0xEF, 0x40, 0x15))


def read_unique_id(rp2040: RP2040) -> bytes:
    """As pico-sdk's flash_get_unique_id: command, four bytes of no meaning, eight of the id."""
    return flash_command(rp2040, bytes((0x4B, *bytes(12))))[5:]


def flash_command(rp2040: RP2040, sent: bytes) -> bytes:
    rp2040.ssi._tx_buffer = bytearray()
    return bytes(rp2040.ssi._shift_byte(byte) for byte in sent)
