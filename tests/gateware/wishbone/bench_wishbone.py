"""cocotb: the Wishbone slave, idle time x back-pressure, refused and withdrawn accesses. Run by test_wishbone.py."""

import random
from itertools import product

import cocotb
from cocotb.triggers import ClockCycles, FallingEdge, RisingEdge

from ascnode_gateware.registers.table import BASE, IDENTITY
from gateware.spi.clocks import power_up, pulse_reset, within
from gateware.spi.model import MemoryModel
from gateware.spi.monitor import BusMonitor, Checker, PulseCounter

ACCESS_US = 20


class Master:
    """Classic cycles; `idle` is the longest pause between accesses, in cycles, in which adr and dat hold rubbish."""

    def __init__(self, dut, idle, random):
        self._dut, self._idle, self._random = dut, idle, random

    async def access(self, address, word=None, sel=15):
        """(word on dat, whether it ended in ack and not in err)."""
        dut = self._dut
        await self._pause()
        dut.wb_cyc_i.value = dut.wb_stb_i.value = 1
        dut.wb_we_i.value = int(word is not None)
        dut.wb_adr_i.value, dut.wb_sel_i.value = address, sel
        dut.wb_dat_i.value = self._random.getrandbits(32) if word is None else word
        result = await within(self._end(), ACCESS_US, "a Wishbone access")
        dut.wb_cyc_i.value = dut.wb_stb_i.value = 0
        return result

    async def _end(self):
        """Sampled at the falling edge, when the master's clock edge to come would see the same."""
        while True:
            await FallingEdge(self._dut.clk)
            ack, err = int(self._dut.wb_ack_o.value), int(self._dut.wb_err_o.value)
            assert not (ack and err)
            if ack or err:
                word = int(self._dut.wb_dat_o.value)
                await RisingEdge(self._dut.clk)
                return word, bool(ack)

    async def _pause(self):
        for _ in range(self._random.randrange(self._idle + 1)):
            self._dut.wb_adr_i.value = self._random.getrandbits(16)
            self._dut.wb_we_i.value = 1
            self._dut.wb_stb_i.value = 0
            self._dut.wb_cyc_i.value = self._random.randrange(2)
            await RisingEdge(self._dut.clk)
            assert not self._dut.wb_ack_o.value


async def stall(dut, random, longest):
    """`ready` goes away for up to `longest` cycles at a time."""
    while True:
        dut.wb_stall.value = 1
        await ClockCycles(dut.clk, random.randrange(1, longest + 1))
        dut.wb_stall.value = 0
        await ClockCycles(dut.clk, random.randrange(1, 4))


@cocotb.test()
async def words_arrive_and_return_with_any_idle_and_back_pressure(dut):
    await power_up(dut)
    for idle, longest in product((0, 1, 5), (0, 1, 7)):
        generator = random.Random(idle * 10 + longest)
        model, checker = MemoryModel(), Checker()
        monitor, master = BusMonitor(dut, "wb", checker), Master(dut, idle, generator)
        stalls = cocotb.start_soon(stall(dut, generator, longest)) if longest else None
        for _ in range(25):
            address, word = generator.randrange(0x8000), generator.getrandbits(32)
            checker.expect(*model.write(address, [word]))
            assert (await master.access(address, word))[1]
            checker.expect(*model.read(address, 1))
            assert await master.access(address, sel=generator.randrange(16)) == (word, True)
        if stalls:
            stalls.cancel()
        dut.wb_stall.value = 0
        checker.done()
        monitor.stop()


@cocotb.test()
async def access_takes_two_cycles(dut):
    await power_up(dut)
    master = Master(dut, 0, random.Random(1))
    acks = PulseCounter(dut, "wb_ack_o")
    await RisingEdge(dut.clk)
    start = cocotb.utils.get_sim_time("ps")
    for address in range(10):
        await master.access(address, address)
    elapsed = cocotb.utils.get_sim_time("ps") - start
    await ClockCycles(dut.clk, 3)
    assert round(elapsed / 41_666) == 20
    assert acks.count == 10


@cocotb.test()
async def write_of_part_of_a_word_ends_in_error_and_does_nothing(dut):
    await power_up(dut)
    checker = Checker()
    BusMonitor(dut, "wb", checker)
    master = Master(dut, 1, random.Random(2))
    for sel in range(15):
        assert not (await master.access(0x123, 0xFFFFFFFF, sel))[1]
    await ClockCycles(dut.clk, 4)
    assert checker.seen == 0


@cocotb.test()
async def withdrawn_access_is_none(dut):
    """The master gives up while the bus is busy, as it must when another one takes its place."""
    await power_up(dut)
    checker = Checker()
    BusMonitor(dut, "wb", checker)
    dut.wb_stall.value = 1
    for name, value in {"cyc": 1, "stb": 1, "we": 1, "adr": 7, "sel": 15, "dat": 99}.items():
        getattr(dut, f"wb_{name}_i").value = value
    await ClockCycles(dut.clk, 5)
    dut.wb_cyc_i.value = 0
    await ClockCycles(dut.clk, 2)
    dut.wb_stall.value = 0
    await ClockCycles(dut.clk, 5)
    assert checker.seen == 0
    dut.wb_stb_i.value = 0


@cocotb.test()
async def registers_answer_behind_the_slave(dut):
    await power_up(dut)
    master = Master(dut, 0, random.Random(3))
    started = PulseCounter(dut, "wb_pulse_start")
    assert await master.access(BASE) == (IDENTITY, True)
    await master.access(BASE + 2, 1)
    await ClockCycles(dut.clk, 3)
    assert started.count == 1


@cocotb.test()
async def reset_ends_an_access_and_the_next_one_works(dut):
    await power_up(dut)
    generator = random.Random(4)
    master = Master(dut, 0, generator)
    for _ in range(20):
        dut.wb_stall.value = 1
        transfer = cocotb.start_soon(master.access(5, 0x55AA))
        await ClockCycles(dut.clk, generator.randrange(1, 5))
        await pulse_reset(dut)
        transfer.cancel()
        dut.wb_cyc_i.value = dut.wb_stb_i.value = 0
        dut.wb_stall.value = 0
        await ClockCycles(dut.clk, 2)
        assert not dut.wb_ack_o.value
        word = generator.getrandbits(32)
        await master.access(6, word)
        assert await master.access(6) == (word, True)
