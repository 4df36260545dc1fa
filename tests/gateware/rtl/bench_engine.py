"""Benches of the engine behind its host port: a busy bus, a ring that the host fills, a throttle, pauses and ends."""

import cocotb
from cocotb.triggers import ClockCycles, FallingEdge

from ascnode_gateware.compiler import Options
from ascnode_gateware.registers.table import ErrorCode
from ascnode_gateware.sim.addresses import address, value
from gateware.rtl.bench import BLOCK, FREE, RING_BLOCKS, Bench, Feeder

STREAMED = Options(stream="always")


async def _traffic(bench, accesses):
    """Writes to free words, reads of them and of constants: all that the model of the memory knows."""
    bus, rng = bench.bus, bench.rng
    for _ in range(accesses):
        if rng.random() < 0.5:
            bus.post_write(rng.choice(FREE), rng.getrandbits(32))
        else:
            bus.post_read(rng.choice(FREE if rng.random() < 0.3 else list(bus.model.words)[:1000]))
        while bus.driver.waiting > 4:
            await FallingEdge(bench.dut.clk)


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.3, 0.9])
async def a_host_reads_and_writes_while_the_engine_runs(dut, idle):
    bench = Bench(dut, 1)
    await bench.begin()
    for word in FREE:
        bench.bus.post_write(word, bench.rng.getrandbits(32))
    for _ in range(2):
        await bench.load_input()
        bench.bus.driver.idle = idle
        await bench.control("start")
        await _traffic(bench, int(4000 * (1 - idle)))
        bench.bus.driver.idle = 0
        await bench.until("done")
        await bench.check_output()
    for word in FREE:  # guards: what the host wrote is still there
        bench.bus.post_read(word)
    await bench.bus.read(FREE[0])
    assert bench.bus.checker.checked > len(FREE) + 300
    assert not bench.bus.driver.waiting


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.7])
async def a_ring_says_how_many_blocks_are_free_and_holds_what_was_committed(dut, idle):
    bench = Bench(dut, 2, STREAMED)
    await bench.begin()
    bench.bus.driver.idle = idle
    feeder = Feeder(bench)
    await bench.control("start")
    while feeder.left:
        free = await feeder.free()
        count = min(free, feeder.left, bench.rng.randint(1, RING_BLOCKS))
        for ahead in range(count):
            await feeder.write(ahead)
        if count:
            await feeder.commit(count)
    await bench.until("done")
    await bench.check_output()
    words = await bench.bus.read(address("WORDS"))
    assert 0 <= len(bench.program.stream) - words < BLOCK


@cocotb.test()
async def a_block_is_not_read_before_its_commit(dut):
    bench = Bench(dut, 3, STREAMED)
    await bench.begin()
    for place in range(RING_BLOCKS * BLOCK):  # rubbish that must never be read
        bench.bus.post_write(bench.program.ring_base + place, 0x5A5A5A5A)
    feeder = Feeder(bench)
    await bench.control("start")
    while feeder.left:
        while not await feeder.free():
            pass
        await ClockCycles(dut.clk, bench.rng.choice((0, 10, 700)))
        assert await bench.bus.read(address("WORDS")) <= feeder.blocks * BLOCK
        await feeder.write()
        await feeder.commit()
    await bench.until("done")
    await bench.check_output()


@cocotb.test()
async def a_throttle_may_change_at_any_time(dut):
    bench = Bench(dut, 4)
    await bench.begin()
    await bench.control("start")
    seen = set()
    while await bench.status("busy"):
        throttle = bench.rng.choice((0, 60, 128, 200, 250))
        seen.add(throttle)
        await bench.set("THROTTLE", throttle)
        await ClockCycles(dut.clk, bench.rng.randint(1, 400))
    assert len(seen) == 5
    await bench.check_output()
    counted = {
        name: await bench.bus.read(address(name)) for name in ("CYCLES", "STALLS", "PIXELS", "THROTTLED")
    }
    assert counted["THROTTLED"] > 100
    assert counted["CYCLES"] == counted["STALLS"] + counted["PIXELS"] + counted["THROTTLED"]


@cocotb.test()
async def an_engine_pauses_after_each_layer_and_a_pause_is_no_stop(dut):
    bench = Bench(dut, 5)
    await bench.begin()
    await bench.set("WATCHDOG", 1)
    await bench.control("start", "single_step", "irq_enable")
    layers = sum(job.layer_end for job in bench.program.jobs)
    for layer in range(1, layers + 1):
        await bench.until("paused")
        assert dut.irq.value == 1
        assert value("irq_paused", await bench.bus.read(address("IRQ"))) == 1
        assert await bench.status("layer") == layer
        await ClockCycles(dut.clk, 600)  # more than the watchdog's 256
        assert await bench.status("paused") == 1
        await bench.set("IRQ", 0xFFFFFFFF)
        assert dut.irq.value == 0
        await bench.control("resume", "single_step", "irq_enable")
    await bench.until("done")
    assert dut.irq.value == 1
    await bench.check_output()


@cocotb.test()
async def an_abort_stops_a_run_and_the_next_one_is_whole(dut):
    bench = Bench(dut, 6)
    await bench.begin()
    for cycles in (3, 40, 41, 42, 43, 500, 1501, 2502):
        await bench.load_input()
        await bench.control("start")
        await ClockCycles(dut.clk, cycles)
        await bench.control("abort")
        await ClockCycles(dut.clk, 4)
        assert await bench.status("busy") == 0
        assert await bench.status("error") == ErrorCode.ABORTED
        assert await bench.status("done") == 0
        await bench.load_input()
        await bench.control("start")
        await bench.until("done")
        await bench.check_output()


@cocotb.test()
async def a_stream_that_does_not_come_is_an_error_after_the_watchdogs_time(dut):
    bench = Bench(dut, 7, STREAMED)
    await bench.begin()
    units = 5
    await bench.set("WATCHDOG", units)
    await bench.control("start", "irq_enable")
    cycles = 0
    while not dut.irq.value:
        await FallingEdge(dut.clk)
        cycles += 1
        assert cycles < (units + 2) * 256, "no error"
    assert cycles >= units * 256
    assert await bench.status("error") == ErrorCode.WATCHDOG
    assert value("irq_error", await bench.bus.read(address("IRQ"))) == 1


@cocotb.test()
async def an_unknown_opcode_is_an_error_and_changes_no_memory(dut):
    bench = Bench(dut, 8)
    await bench.begin()
    for word in FREE[:64]:
        bench.bus.post_write(word, bench.rng.getrandbits(32))
    await bench.bus.write(FREE[100], [3] + [0] * 11)
    await bench.set("PROGRAM", FREE[100])
    await bench.control("start")
    await bench.until("error", ErrorCode.OPCODE)
    assert await bench.status("busy") == 0
    for word in bench.bus.model.words:
        bench.bus.post_read(word)
    await bench.bus.read(FREE[0])


@cocotb.test()
async def a_reset_at_any_time_leaves_an_engine_that_runs(dut):
    bench = Bench(dut, 9)
    await bench.begin()
    for _ in range(4):
        await bench.control("start")
        await ClockCycles(dut.clk, bench.rng.randint(1, 3000))
        await bench.reset()
        await FallingEdge(dut.clk)
        assert dut.busy.value == 0 and dut.irq.value == 0
        assert await bench.status("layer") == 0
        assert await bench.status("done") == 0
        assert await bench.status("error") == ErrorCode.NONE
    await bench.begin()
    await bench.control("start")
    await bench.until("done")
    await bench.check_output()
