"""What runs on the SPI clock. It has an edge only while a frame is under way, so nothing here waits for one.

docs/accelerator-spi.md describes the frames; spi_port.py joins these modules with the core's side.
"""

from pyrtl import Const, Input, Output, Register, WireVector, concat

from ascnode_gateware.rtl.cells import delayed, flag

ENTRY_BITS = 9  # a byte, and above it: it is the first of its frame


def bits_module() -> None:
    """Bits to bytes and back, in the working block; every register is cleared while CS is high (port `rst`).

    Inputs: mosi; tx_byte (8), of the core's clock: it goes out behind the byte that is being received.
    Outputs: push (1) with data (9) in the edge that completes a byte; tx_bit (1), for the next falling edge.
    Zeros follow a frame's first byte: the core may not know yet that the frame before has ended.
    """
    mosi, tx_byte = Input(1, "mosi"), Input(8, "tx_byte")
    bit, received, sent = Register(3, "bit_count"), Register(7, "rx_shift"), Register(8, "tx_shift")
    bit.next <<= concat(bit[2] ^ (bit[1] & bit[0]), bit[1] ^ bit[0], ~bit[0])
    push = bit == 7
    later = flag("later", rises=push, falls=Const(0, 1))
    entry = concat(~later, received, mosi)
    received.next <<= entry[:7]
    loaded = tx_byte & (push & later).sign_extended(8)
    sent.next <<= loaded | (concat(sent[:7], Const(0, 1)) & (~push).sign_extended(8))
    _output("push", push)
    _output("data", entry)
    _output("tx_bit", sent[7])


def store_module() -> None:
    """The byte that came last, in the working block; CS does not clear it.

    Inputs: push (1), data (9). Outputs: rx_entry (9); rx_toggle (1) changes with each byte.
    """
    push = Input(1, "push")
    toggle = Register(1, "rx_pushed")
    toggle.next <<= toggle ^ push
    _output("rx_toggle", toggle)
    _output("rx_entry", delayed(Input(ENTRY_BITS, "data"), "rx_last", push))


def _output(name: str, value: WireVector) -> None:
    wire = Output(len(value), name)
    wire <<= value
