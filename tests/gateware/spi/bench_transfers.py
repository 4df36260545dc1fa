"""cocotb: reads and writes at every clock ratio, with and without back-pressure. Run by test_spi.py."""

import random

import cocotb
from cocotb.triggers import Timer

from ascnode_gateware.bus.frames import HEADER_BYTES, Status, read_request, write_request
from ascnode_gateware.registers.table import BASE, IDENTITY, field_named
from gateware.spi.clocks import CORE_PERIOD_PS, cycles, power_up
from gateware.spi.driver import SpiDriver
from gateware.spi.model import MemoryModel
from gateware.spi.monitor import BusMonitor, Checker

RATIOS = (0.1, 0.37, 0.9, 1.0, 1.3)


class Bench:
    """Wires driver, monitor, model and checker."""

    def __init__(self, dut, ratio, seed):
        self.random = random.Random(seed)
        self.driver = SpiDriver(dut, ratio, self.random)
        self.model, self.checker = MemoryModel(), Checker()
        self.monitor = BusMonitor(dut, "spi", self.checker)
        self._sequence = 0

    async def ask(self, request):
        return request.decode(await self.driver.exchange(request.encode()))

    def sequence(self):
        self._sequence = (self._sequence + 1) % 16
        return self._sequence

    async def write(self, address, words):
        self.checker.expect(*self.model.write(address, words))
        answer = await self.ask(write_request(self.sequence(), address, words))
        assert answer.status == Status.OK

    async def read(self, address, count):
        self.checker.expect(*self.model.read(address, count))
        answer = await self.ask(read_request(self.sequence(), address, count))
        assert answer.status == Status.OK
        assert answer.words == self.model.words(address, count)

    async def write_and_read_at_random(self, times):
        for _ in range(times):
            count = self.random.choice((1, 1, 2, 3, 7))
            address = self.random.randrange(0x8000 - count)
            await self.write(address, [self.random.getrandbits(32) for _ in range(count)])
            await self.read(address, count)
        self.checker.done()


async def stall_at_random(dut, random, longest, idle):
    """`ready` goes away for 1..longest cycles, with up to `idle` cycles between."""
    while True:
        dut.spi_stall.value = 1
        await cycles(random.randrange(1, longest + 1))
        dut.spi_stall.value = 0
        await cycles(random.randrange(4, idle + 1))


@cocotb.test()
async def words_arrive_and_return_at_every_ratio_and_phase(dut):
    await power_up(dut)
    for number, ratio in enumerate(RATIOS):
        bench = Bench(dut, ratio, number)
        await bench.write_and_read_at_random(8)
        bench.monitor.stop()


@cocotb.test()
async def long_frame_runs_at_full_rate_of_fastest_clock(dut):
    await power_up(dut)
    bench = Bench(dut, 1.3, 20)
    words = [bench.random.getrandbits(32) for _ in range(255)]
    await bench.write(0x3F80, words)  # across the banks
    await bench.read(0x3F80, 255)
    bench.checker.done()


@cocotb.test()
async def short_stalls_of_bus_are_absorbed(dut):
    await power_up(dut)
    for number, (ratio, longest, idle) in enumerate(
        [(1.3, 1, 40), (1.0, 3, 40), (0.9, 2, 8), (0.37, 16, 20), (0.37, 3, 4)]
    ):
        bench = Bench(dut, ratio, 30 + number)
        stalls = cocotb.start_soon(stall_at_random(dut, bench.random, longest, idle))
        await bench.write_and_read_at_random(6)
        bench.monitor.stop()
        stalls.cancel()
        dut.spi_stall.value = 0


async def stall_every_second_cycle(dut):
    while True:
        dut.spi_stall.value = 1 - int(dut.spi_stall.value)
        await cycles(1)


@cocotb.test()
async def bus_that_takes_two_cycles_keeps_up_with_fastest_clock(dut):
    await power_up(dut)
    bench = Bench(dut, 1.3, 45)
    stalls = cocotb.start_soon(stall_every_second_cycle(dut))
    await bench.write_and_read_at_random(30)
    stalls.cancel()
    dut.spi_stall.value = 0


@cocotb.test()
async def first_word_of_a_read_may_wait_for_the_gap(dut):
    await power_up(dut)
    bench = Bench(dut, 1.3, 46)
    await bench.write(0x77, [0x600DCAFE])
    for _ in range(20):
        frame = cocotb.start_soon(bench.read(0x77, 1))
        while bench.driver.sent < 8 * (HEADER_BYTES + 1):
            await cycles(1)
        dut.spi_stall.value = 1
        await cycles(16)
        dut.spi_stall.value = 0
        await frame
    bench.checker.done()


@cocotb.test()
async def empty_frames_are_answered(dut):
    await power_up(dut)
    bench = Bench(dut, 1.3, 40)
    assert (await bench.ask(read_request(3, 0x1234, 0))).status == Status.OK
    assert (await bench.ask(write_request(4, 0x1234, []))).status == Status.OK
    assert bench.checker.seen == 0


@cocotb.test()
async def frames_may_follow_each_other_at_once(dut):
    """CS is high for less than a cycle of the core."""
    await power_up(dut)
    bench = Bench(dut, 1.3, 50)
    bench.random.randrange = lambda *range: 1
    for number in range(20):
        await bench.write(number, [number * 0x01010101])
    await bench.read(0, 20)
    bench.checker.done()


@cocotb.test()
async def addresses_wrap_inside_memory(dut):
    """Host code refuses such a request; the port does as its page says."""
    await power_up(dut)
    bench = Bench(dut, 0.9, 60)
    request = write_request(1, 0, [0x11223344, 0x55667788])
    object.__setattr__(request, "address", 0x7FFF)
    bench.checker.expect(*bench.model.write(0x7FFF, request.words))
    assert (await bench.ask(request)).status == Status.OK
    await bench.read(0, 1)
    bench.checker.done()


@cocotb.test()
async def registers_are_read_in_a_burst(dut):
    await power_up(dut)
    bench = Bench(dut, 1.3, 70)
    dut.hw_layer.value = 0x5A
    dut.hw_ring_free.value = 0x123
    bench.checker.expect(*bench.model.read(0, 0))
    bench.monitor.stop()
    words = (await bench.ask(read_request(1, BASE, 4))).words
    assert words[0] == IDENTITY
    status, layer = field_named("layer")
    assert words[status.offset] == 0x5A << layer.low | 0x123 << 16


@cocotb.test()
async def miso_changes_on_falling_edges_only(dut):
    await power_up(dut)
    bench = Bench(dut, 0.37, 80)
    await bench.write(5, [0xA5C30F96])
    changes = []

    async def watch():
        while True:
            await dut.miso.value_change
            changes.append(int(dut.sck.value))

    task = cocotb.start_soon(watch())
    await bench.read(5, 1)
    task.cancel()
    assert len(changes) > 20
    assert not any(changes[:-1])
    await Timer(CORE_PERIOD_PS, "ps")
