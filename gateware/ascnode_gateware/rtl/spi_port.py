"""The SPI port as Verilog: modules on two clocks, and the wrapper that joins them."""

import io
from collections.abc import Callable

from pyrtl import Const, Input, Output, WireVector, output_to_verilog, temp_working_block, working_block

from ascnode_gateware.rtl.cells import delayed
from ascnode_gateware.rtl.spi_core import spi_core
from ascnode_gateware.rtl.spi_front import ENTRY_BITS, bits_module, store_module


def spi_port_verilog() -> str:
    """Module `spi_port` and those inside it.

    SPI: sck, cs_n, mosi, miso (drive the pin while cs_n is low). Bus, on
    `clk`: valid, write, address (16) and wdata (32) hold until `ready`; rdata (32) comes a cycle later. `reset`
    (synchronous) forgets the frame under way. crc_error and frame_error are high for one cycle for each.
    """
    return "\n".join(
        [
            module_verilog("spi_bits", bits_module, add_reset="asynchronous"),
            module_verilog("spi_store", store_module),
            module_verilog("spi_core", core_module),
            _WRAPPER,
        ]
    )


def reset_release_verilog() -> str:
    """Module `reset_release`: `reset` rises with `rst` at once, falls with the clock two edges after it."""
    return module_verilog("reset_release", _reset_release, add_reset="asynchronous")


def module_verilog(name: str, build: Callable[[], None], add_reset: bool | str = False) -> str:
    """Verilog of what `build` makes in a working block of its own; registers start at their reset value."""
    text = io.StringIO()
    with temp_working_block():
        build()
        output_to_verilog(
            text, add_reset=add_reset, block=working_block(), initialize_registers=True, module_name=name
        )
    return text.getvalue()


def core_module() -> None:
    """`spi_core` with its ports, in the working block."""
    core = spi_core(
        Input(1, "rx_toggle"),
        Input(ENTRY_BITS, "rx_entry"),
        Input(1, "ready"),
        Input(32, "rdata"),
        Input(1, "reset"),
    )
    for name in ("valid", "write", "address", "wdata", "tx_byte", "crc_error", "frame_error"):
        output(name, getattr(core, name))


def output(name: str, value: WireVector) -> None:
    """An output port of the working block."""
    wire = Output(len(value), name)
    wire <<= value


def _reset_release() -> None:
    released = delayed(delayed(Const(1, 1), "release_1"), "release_2")
    output("reset", ~released)


# The host samples MISO in the rising edge, so it changes in the falling one: the only register on that edge.
_WRAPPER = """module spi_port(
    input clk, input reset,
    input sck, input cs_n, input mosi, output reg miso,
    output valid, output write, output [15:0] address, output [31:0] wdata,
    input ready, input [31:0] rdata,
    output crc_error, output frame_error
);
    wire push, tx_bit, rx_toggle;
    wire [8:0] data, rx_entry;
    wire [7:0] tx_byte;

    spi_bits bits(
        .clk(sck), .rst(cs_n), .mosi(mosi), .push(push), .data(data), .tx_bit(tx_bit), .tx_byte(tx_byte)
    );
    spi_store store(.clk(sck), .push(push), .data(data), .rx_toggle(rx_toggle), .rx_entry(rx_entry));
    spi_core core(
        .clk(clk), .reset(reset), .rx_toggle(rx_toggle), .rx_entry(rx_entry), .tx_byte(tx_byte),
        .valid(valid), .write(write), .address(address), .wdata(wdata), .ready(ready), .rdata(rdata),
        .crc_error(crc_error), .frame_error(frame_error)
    );
    always @(negedge sck or posedge cs_n)
        if (cs_n) miso <= 1'b0; else miso <= tx_bit;
endmodule
"""
