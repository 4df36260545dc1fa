"""What runs on the SPI clock. It has an edge only while a frame is under way, so nothing here waits for one.

docs/accelerator-spi.md describes the frames; spi_port.py joins these modules with the core's side.
"""

from pyrtl import Const, Input, Output, Register, WireVector, concat, select

from ascnode_gateware.rtl import gray
from ascnode_gateware.rtl.cells import delayed, flag, keep

ENTRY_BITS = 9  # a byte, and above it: it is the first of its frame
ARMED_AFTER = 8  # bytes of a frame that are answered with zeros, whatever the core says


def bits_module() -> None:
    """Bits to bytes and back, in the working block; every register is cleared while CS is high (port `rst`).

    Inputs: mosi; tx_pointer (3, Gray, of the core's clock): positions written; tx_0..tx_3 (8): entries.
    Outputs: push (1) with data (9) in the edge that completes a byte; tx_bit (1), for the next falling edge.
    An entry that the core has not written in time sends zeros, and so does the rest of the frame.
    """
    push, data, byte = _receiver(Input(1, "mosi"))
    armed = flag("armed", rises=push & (byte == gray.gray_code(ARMED_AFTER - 1)), falls=Const(0, 1))
    pointer = delayed(delayed(Input(gray.POINTER_BITS, "tx_pointer"), "tx_sync_1"), "tx_sync_2")
    entry = gray.pick(_inputs("tx", 8), gray.following(byte))
    missing = gray.is_ahead(pointer, byte, (0, 1))
    underflow = flag("underflow", rises=push & armed & missing, falls=Const(0, 1))
    shift = Register(8, "tx_shift")
    sent = entry & (armed & ~missing & ~underflow).sign_extended(8)
    shift.next <<= select(push, sent, concat(shift[:7], Const(0, 1)))
    _output("push", push)
    _output("data", data)
    _output("tx_bit", shift[7])


def _receiver(mosi: WireVector) -> tuple[WireVector, WireVector, Register]:
    """(byte complete, entry, its position in the frame as a Gray pointer)."""
    bit, shift = Register(3, "bit_count"), Register(7, "rx_shift")
    bit.next <<= gray.count_up(bit)
    shift.next <<= concat(shift[:6], mosi)
    push = bit == 7
    later = flag("later", rises=push, falls=Const(0, 1))
    byte = Register(gray.POINTER_BITS, "byte_count")
    keep(byte, (push, gray.following(byte)))
    return push, concat(~later, shift, mosi), byte


def store_module() -> None:
    """The FIFO towards the core, in the working block; CS does not clear it.

    Inputs: push (1), data (9). Outputs: rx_pointer (3, Gray): entries written; rx_0..rx_3 (9). It never fills:
    the core takes a byte sooner than one arrives, and sees by the pointer when it did not.
    """
    push, data = Input(1, "push"), Input(ENTRY_BITS, "data")
    pointer = Register(gray.POINTER_BITS, "rx_write")
    keep(pointer, (push, gray.following(pointer)))
    for index in range(gray.ENTRIES):
        entry = Register(ENTRY_BITS, f"rx_entry_{index}")
        keep(entry, (push & (gray.entry_index(pointer) == index), data))
        _output(f"rx_{index}", entry)
    _output("rx_pointer", pointer)


def _inputs(prefix: str, width: int) -> list[WireVector]:
    return [Input(width, f"{prefix}_{index}") for index in range(gray.ENTRIES)]


def _output(name: str, value: WireVector) -> None:
    wire = Output(len(value), name)
    wire <<= value
