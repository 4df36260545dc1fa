"""Builds the pins' bench once, under a hash of its Verilog, and runs cocotb modules in it."""

import fcntl
import hashlib
import os
import sys
import tempfile
from pathlib import Path

from cocotb_tools.runner import get_runner

from ascnode_gateware.rtl.flash_stream import flash_stream_verilog
from ascnode_gateware.sim.verilator import verilator_environment

DEADLINE_BITS = 12
TIMESCALE = ("1ns", "1ps")
BUILD_ARGS = ["-Wno-fatal", "--x-initial", "unique"]
# verilated.mk: its PYTHON3 is the path on the machine that built the package. Compiling -O2 takes longer than it saves.
MAKE_FLAGS = f"PYTHON3={sys.executable} OPT_FAST=-O1 OPT_SLOW=-O0 OPT_GLOBAL=-O0"

# What a board adds. SCK is a DDR output cell: 0 in the clock's first half, what sck_en was at its fall in the second.
# The lines read what drives them: the streamer, the flash, else a pull resistor.
PINS = """module pins(
    input clk, input reset, input start, input abort, input enable, input [23:0] address, input [15:0] blocks,
    input [1:0] sample_delay, input grant, input fill_ready,
    output request, output driven, output [3:0] oe, output cs_pin, output sck_pin, output [3:0] io,
    input [3:0] flash_oe, input [3:0] flash_o, input [3:0] pull,
    output valid, output [31:0] data, output commit, output restart, output busy, output [2:0] error, output crc_error
);
    wire cs_n, sck_en;
    wire [3:0] o;
    reg second_half;
    always @(negedge clk) second_half <= sck_en;
    assign sck_pin = driven & ~clk & second_half;
    assign cs_pin = driven ? cs_n : 1'b1;
    assign io = (o & oe) | (flash_o & flash_oe & ~oe) | (pull & ~oe & ~flash_oe);
    flash_stream streamer(
        .clk(clk), .reset(reset), .start(start), .abort(abort), .enable(enable), .address(address), .blocks(blocks),
        .sample_delay(sample_delay), .grant(grant), .fill_ready(fill_ready), .flash_i(io), .flash_request(request),
        .flash_driven(driven), .flash_cs_n(cs_n), .flash_sck_en(sck_en), .flash_o(o), .flash_oe(oe),
        .fill_valid(valid), .fill_data(data), .fill_commit(commit), .fill_restart(restart), .busy(busy),
        .error(error), .crc_error(crc_error)
    );
endmodule
"""


def run_bench(test_module, seed=1):
    """Run the cocotb tests of a module (dotted name); a failed one fails the calling test."""
    os.environ.update(verilator_environment(), MAKEFLAGS=MAKE_FLAGS)
    runner, folder = get_runner("verilator"), _built()
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        runner.test(
            hdl_toplevel="pins",
            hdl_toplevel_lang="verilog",
            test_module=test_module,
            build_dir=folder,
            test_dir=scratch,
            seed=seed,
            results_xml=str(Path(scratch) / "results.xml"),
        )


def _built():
    text = PINS + flash_stream_verilog(DEADLINE_BITS)
    key = hashlib.sha256(" ".join([*BUILD_ARGS, MAKE_FLAGS, text]).encode()).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"ascnode-bench-{os.getuid()}-{key}"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "built").exists():
            source = folder / "pins.v"
            source.write_text(text)
            get_runner("verilator").build(
                sources=[source],
                hdl_toplevel="pins",
                build_dir=folder,
                build_args=BUILD_ARGS,
                timescale=TIMESCALE,
            )
            (folder / "built").touch()
    return folder
