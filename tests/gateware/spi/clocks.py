"""Clock, reset and idle inputs of module `bench`."""

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import Timer, with_timeout

from ascnode_gateware.registers.decoder import hardware_wires

CORE_PERIOD_PS = 41_666 // 2 * 2  # 24 MHz
INPUTS = (
    "sck",
    "mosi",
    "spi_stall",
    "wb_stall",
    "wb_cyc_i",
    "wb_stb_i",
    "wb_we_i",
    "wb_adr_i",
    "wb_sel_i",
    "wb_dat_i",
)


async def power_up(dut):
    """Start the clock, drive every input, and pass through reset."""
    dut.cs_n.value = 1
    for name in (*INPUTS, *(f"hw_{name}" for name in hardware_wires())):
        getattr(dut, name).value = 0
    cocotb.start_soon(Clock(dut.clk, CORE_PERIOD_PS, "ps").start())
    await pulse_reset(dut)


async def pulse_reset(dut):
    """Low for less than a cycle, at no edge of the clock; returns when the core is out of reset."""
    dut.rst.value = 1
    await Timer(CORE_PERIOD_PS // 3, "ps")
    dut.rst.value = 0
    await Timer(4 * CORE_PERIOD_PS, "ps")


async def cycles(count):
    await Timer(count * CORE_PERIOD_PS, "ps")


async def within(coroutine, microseconds, what):
    """The coroutine's result; AssertionError when it takes longer (simulated time)."""
    try:
        return await with_timeout(coroutine, microseconds, "us")
    except TimeoutError as error:
        raise AssertionError(f"{what} took more than {microseconds} us") from error
