"""An accelerator in a cocotb bench with a model's program in it, and the host that drives it."""

import random

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, FallingEdge, with_timeout

from ascnode_gateware.model.reference import Reference
from ascnode_gateware.program.program import place_input, unpack_tensor
from ascnode_gateware.registers.table import ErrorCode
from ascnode_gateware.sim.addresses import address, mask, value
from gateware.rtl.bus import Bus
from gateware.rtl.subjects import PLAIN, inputs, model_of, program_of

PERIOD_NS = 40
DEADLINE_US = 4000
NAME = "digits"
FREE = [*range(0x2000, 0x2800), *range(0x6000, 0x6800)]  # words of both banks that the programs leave alone
RING_BLOCKS = 3
BLOCK = 64


class Bench:
    """A reset accelerator with a loaded program; `image` is what it infers."""

    def __init__(self, dut, seed, options=PLAIN, idle=0.0):
        self.dut, self.rng = dut, random.Random(seed)
        cocotb.start_soon(Clock(dut.clk, PERIOD_NS, unit="ns").start())
        for name in ("crc_error", "frame_error", "flash_grant", "flash_i", "reset"):
            getattr(dut, name).value = 0
        self.bus = Bus(dut, self.rng, idle)
        self.program = program_of(NAME, options)
        image = inputs(NAME, 4, seed)[3]
        self.words = place_input(self.program, image)
        self.expected = Reference(model_of(NAME)).run(image[np.newaxis])

    async def begin(self):
        await self.reset()
        for at, words in self.program.segments.items():
            await self.bus.write(at, words)
        await self.load_input()
        await self.set("PROGRAM", self.program.program_address)
        await self.set("THROTTLE", 0)
        await self.set("WATCHDOG", 64)
        await self.set("RING_BASE", self.program.ring_base)
        await self.set("RING_BLOCKS", RING_BLOCKS)

    async def reset(self):
        await FallingEdge(self.dut.clk)
        self.dut.reset.value = 1
        await ClockCycles(self.dut.clk, 4)
        await FallingEdge(self.dut.clk)
        self.dut.reset.value = 0

    async def load_input(self):
        """Tensors take its place, so that the model of the memory must not keep it."""
        await self.bus.write(self.program.input.address, self.words)
        for place in range(len(self.words)):
            del self.bus.model.words[self.program.input.address + place]

    async def set(self, register, word):
        await self.bus.write(address(register), [word])

    async def control(self, *fields):
        await self.set("CONTROL", mask("stream_host") | sum(mask(field) for field in fields))

    async def status(self, field):
        return value(field, await self.bus.read(address("STATUS")))

    async def until(self, field, state=1):
        """Polls STATUS."""

        async def poll():
            while await self.status(field) != state:
                pass

        await with_timeout(poll(), DEADLINE_US, "us")

    async def check_output(self):
        assert await self.status("error") == ErrorCode.NONE
        assert await self.status("done") == 1
        layout = self.program.output
        words = [await self.bus.read(layout.address + place) for place in range(layout.words)]
        found = unpack_tensor(layout, np.array(words, np.uint32))
        assert np.array_equal(found.ravel(), self.expected.ravel())


class Feeder:
    """The host's side of the ring; `blocks` have been committed."""

    def __init__(self, bench):
        self._bench, self.blocks = bench, 0
        self._words = bench.program.stream.reshape(-1, BLOCK)

    @property
    def left(self):
        return len(self._words) - self.blocks

    async def write(self, ahead=0):
        """A block's words into the ring, uncommitted; `ahead` of the next by so many."""
        block = self.blocks + ahead
        at = self._bench.program.ring_base + block % RING_BLOCKS * BLOCK
        await self._bench.bus.write(at, self._words[block])

    async def commit(self, count=1):
        await self._bench.set("RING_COMMIT", count)
        self.blocks += count

    async def free(self):
        """RING_FREE, checked against the words taken just before and just after it was read."""
        bus = self._bench.bus
        before = await bus.read(address("WORDS"))
        free = await self._bench.status("ring_free")
        after = await bus.read(address("WORDS"))
        taken = free - RING_BLOCKS + self.blocks
        assert before // BLOCK <= taken <= after // BLOCK, (before, free, after, self.blocks)
        return free
