"""The design under test: SPI port and Wishbone slave, each before a stand-in for the accelerator's bus."""

from pyrtl import Const, Input, MemBlock, Register, select

from ascnode_gateware.registers.decoder import Bus, hardware_wires, registers
from ascnode_gateware.rtl.cells import delayed
from ascnode_gateware.rtl.spi_port import module_verilog, output, reset_release_verilog, spi_port_verilog
from ascnode_gateware.rtl.wishbone import wishbone_verilog

CONFIG_SEEN = ("single_step", "irq_enable", "program", "flash_address", "watchdog")


def bench_verilog():
    """Verilog of module `bench`."""
    parts = [
        reset_release_verilog(),
        spi_port_verilog(),
        wishbone_verilog(),
        module_verilog("memory", memory),
    ]
    return "\n".join([*parts, _bench()])


def memory():
    """32K words and the registers; `stall` takes `ready` away. log_* tell the access taken last, log_toggle that
    there was one."""
    valid, write, address, wdata = (
        Input(1, "valid"),
        Input(1, "write"),
        Input(16, "address"),
        Input(32, "wdata"),
    )
    ready = ~Input(1, "stall")
    taken = valid & ready
    cells = MemBlock(32, 15, "cells", asynchronous=True)
    cells[address[:15]] <<= MemBlock.EnabledWrite(wdata, taken & write & ~address[15])
    hardware = {name: Input(width, f"hw_{name}") for name, width in hardware_wires().items()}
    bus = Bus(taken & address[15], write, address, wdata)
    block = registers(bus, hardware, Input(1, "reset"))
    of_register = delayed(address[15], "of_register")
    # A word is there in the cycle after its read only: at any other time the bus carries rubbish.
    fresh = delayed(taken & ~write, "fresh")
    word = select(of_register, block.rdata, delayed(cells[address[:15]], "cell"))
    output("rdata", select(fresh, word, Const(0xDEADBEEF, 32)))
    output("ready", ready)
    output("irq", block.irq)
    _log(taken, write, address, wdata)
    for name in ("start", "abort", "ring_commit_written"):
        output(f"pulse_{name}", block.config[name])
    output("pulse_ring_commit", block.config["ring_commit"])
    for name in CONFIG_SEEN:
        output(f"config_{name}", block.config[name])


def _log(taken, write, address, wdata):
    toggle = Register(1, "toggle")
    toggle.next <<= toggle ^ taken
    output("log_toggle", toggle)
    for name, value in (("write", write), ("address", address), ("wdata", wdata)):
        output(f"log_{name}", delayed(value, f"logged_{name}", taken))


_LOGGED = {
    "log_toggle": 1,
    "log_write": 1,
    "log_address": 16,
    "log_wdata": 32,
    "irq": 1,
    "pulse_start": 1,
    "pulse_abort": 1,
    "pulse_ring_commit": 8,
    "pulse_ring_commit_written": 1,
    "config_single_step": 1,
    "config_irq_enable": 1,
    "config_program": 15,
    "config_flash_address": 24,
    "config_watchdog": 16,
}
_BUS = {"valid": 1, "write": 1, "address": 16, "wdata": 32, "ready": 1, "rdata": 32}
_WISHBONE_IN = {"cyc": 1, "stb": 1, "we": 1, "adr": 16, "sel": 4, "dat": 32}


def _bench():
    hardware = {f"hw_{name}": width for name, width in hardware_wires().items()}
    wishbone = {f"wb_{name}_i": width for name, width in _WISHBONE_IN.items()}
    inputs = {
        "clk": 1,
        "rst": 1,
        "sck": 1,
        "cs_n": 1,
        "mosi": 1,
        "spi_stall": 1,
        "wb_stall": 1,
        **wishbone,
        **hardware,
    }
    outputs = {"reset": 1, "miso": 1, "wb_ack_o": 1, "wb_err_o": 1, "wb_dat_o": 32}
    outputs |= {f"{side}_{name}": width for side in ("spi", "wb") for name, width in _LOGGED.items()}
    ports = [
        *(f"input {_range(w)} {n}" for n, w in inputs.items()),
        *(f"output {_range(w)} {n}" for n, w in outputs.items()),
    ]
    wires = [f"wire {_range(w)} {side}_{n};" for side in ("spi", "wb") for n, w in _BUS.items()]
    counted = {"hw_crc_errors": "crc_error", "hw_frame_errors": "frame_error"}
    spi = _joined(["clk", "reset", "sck", "cs_n", "mosi", "miso", "crc_error", "frame_error"]) + _on(
        "spi", _BUS
    )
    slave = _joined(["clk", "reset", *wishbone, "wb_ack_o", "wb_err_o", "wb_dat_o"]) + _on("wb", _BUS)
    memories = [
        f"memory {side}_memory({', '.join(_joined(['clk', 'reset']) + _on(side, [*_BUS, *_LOGGED, 'stall']) + given)});"
        for side, given in (
            ("spi", [f".{name}({counted.get(name, name)})" for name in hardware]),
            ("wb", _joined(hardware)),
        )
    ]
    return "\n".join(
        [
            f"module bench({', '.join(ports)});",
            *wires,
            "wire crc_error, frame_error;",
            "reset_release release_reset(.clk(clk), .rst(rst), .reset(reset));",
            f"spi_port port({', '.join(spi)});",
            f"wishbone slave({', '.join(slave)});",
            *memories,
            "endmodule",
        ]
    )


def _range(width):
    return f"[{width - 1}:0]" if width > 1 else ""


def _joined(names):
    return [f".{name}({name})" for name in names]


def _on(side, names):
    return [f".{name}({side}_{name})" for name in names]
