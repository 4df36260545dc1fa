"""cocotb: the streamer at the flash's pins, with the flash's times in ns. Run by test_pins.py."""

import random

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, Timer

from ascnode_gateware.program.flash_blocks import BLOCK_BYTES, pack_stream
from ascnode_gateware.registers.table import ErrorCode
from gateware.flash.flash_model import Chip, FlashModel

PERIOD_PS = 35_714  # 28 MHz
PERIOD_NS = PERIOD_PS / 1000
ADDRESS = 0x2A5A0C
RELEASE_CYCLES = 6  # from grant low to free pins
CS_MARGIN_NS = 5  # from the clock's edge to the flash's output off
LIMIT_CYCLES = 20_000


class Bench:
    """A streamer with its clock, its flash, and a ring that takes what it is given while `ready`."""

    def __init__(self, dut, chip, words, seed):
        self.dut, self.chip, self.words = dut, chip, words
        chip.image = chip.image or bytes(ADDRESS) + pack_stream(words)
        self.flash = FlashModel(dut, chip, seed)
        self.pending, self.committed, self.crc_errors, self.ready = [], [], 0, lambda: 1

    async def begin(self, sample_delay=0, pull=0):
        dut = self.dut
        for name in ("start", "abort", "grant", "fill_ready"):
            getattr(dut, name).value = 0
        dut.reset.value, dut.enable.value, dut.pull.value = 1, 1, pull
        dut.address.value, dut.blocks.value = ADDRESS, len(self.words) // 64
        dut.sample_delay.value = sample_delay
        cocotb.start_soon(Clock(dut.clk, PERIOD_PS, "ps").start())
        await self.cycles(4)
        dut.reset.value = 0
        cocotb.start_soon(self._ring())

    async def cycles(self, count):
        """Ends with the clock low: registers are steady, inputs may change."""
        for _ in range(count):
            await FallingEdge(self.dut.clk)

    async def start(self):
        self.dut.start.value = 1
        await self.cycles(1)
        self.dut.start.value = 0

    async def _ring(self):
        dut = self.dut
        while True:
            await FallingEdge(dut.clk)
            self.crc_errors += int(dut.crc_error.value)
            if int(dut.commit.value):
                assert len(self.pending) == 64
                self.committed, self.pending = self.committed + self.pending, []
            if int(dut.restart.value):
                self.pending = []
            dut.fill_ready.value = ready = self.ready()
            if ready and int(dut.valid.value):
                self.pending.append(int(dut.data.value))

    async def finish(self):
        for _ in range(LIMIT_CYCLES):
            if not int(self.dut.busy.value):
                return ErrorCode(int(self.dut.error.value))
            await self.cycles(1)
        raise AssertionError(f"the streamer is busy after {LIMIT_CYCLES} cycles")

    async def grant_when_asked(self):
        """Like a host that has nothing else to do with the flash."""
        while True:
            self.dut.grant.value = int(self.dut.request.value)
            await self.cycles(1)

    def check(self):
        assert not self.flash.broken, self.flash.broken[:5]
        assert self.committed == list(self.words[: len(self.committed)])

    def check_whole(self):
        self.check()
        assert len(self.committed) == len(self.words)


def bench(dut, blocks=1, seed=1, **chip):
    words = np.random.default_rng(seed).integers(0, 1 << 32, 64 * blocks, np.uint32)
    return Bench(dut, Chip(**chip), words.tolist(), seed)


async def stream(bench, **begin):
    """One stream from start to end, the grant given when it is asked for."""
    await bench.begin(**begin)
    cocotb.start_soon(bench.grant_when_asked())
    await bench.start()
    return await bench.finish()


@cocotb.test()
async def commands_come_in_order_and_the_block_arrives(dut):
    b = bench(dut, blocks=2)
    assert await stream(b) == ErrorCode.NONE
    b.check_whole()
    assert b.chip.opcodes == [0xAB, 0x9F, 0x35, 0x6B]
    assert b.chip.addresses == [ADDRESS]


@cocotb.test()
async def a_flash_that_is_awake_is_read_as_well(dut):
    b = bench(dut, asleep=False)
    assert await stream(b) == ErrorCode.NONE
    b.check_whole()


@cocotb.test()
@cocotb.parametrize(
    path_and_delay=[(0, 0), (PERIOD_NS - 7, 0), (PERIOD_NS, 1), (2 * PERIOD_NS - 7, 1), (80, 2)]
)
async def sample_delay_suits_the_path(dut, path_and_delay):
    path, delay = path_and_delay
    b = bench(dut, path=path)
    assert await stream(b, sample_delay=delay) == ErrorCode.NONE
    b.check_whole()


@cocotb.test()
@cocotb.parametrize(path_and_delay=[(PERIOD_NS - 3, 0), (0, 1), (0, 2)])
async def another_sample_delay_is_an_error(dut, path_and_delay):
    path, delay = path_and_delay
    b = bench(dut, path=path)
    assert await stream(b, sample_delay=delay) in (ErrorCode.FLASH, ErrorCode.STREAM_CRC)
    b.check()
    assert not b.committed


@cocotb.test()
@cocotb.parametrize(pull=[0, 15])
async def an_empty_socket_is_an_error(dut, pull):
    b = bench(dut, present=False)
    assert await stream(b, pull=pull) == ErrorCode.FLASH
    assert b.chip.opcodes == [0xAB, 0x9F]


@cocotb.test()
async def a_flash_in_single_mode_is_an_error_and_never_held(dut):
    b = bench(dut, quad=False)
    assert await stream(b, pull=0) == ErrorCode.FLASH
    b.check()
    assert b.chip.opcodes == [0xAB, 0x9F, 0x35]


@cocotb.test()
async def a_spoilt_block_is_read_again_from_its_own_address(dut):
    wrong = 2 * BLOCK_BYTES + 99
    b = bench(dut, blocks=3, spoil=lambda count, nibble: nibble ^ (4 if count == wrong else 0))
    assert await stream(b) == ErrorCode.NONE
    b.check_whole()
    assert b.crc_errors == 1
    assert b.chip.addresses == [ADDRESS, ADDRESS + BLOCK_BYTES]
    assert b.chip.opcodes == [0xAB, 0x9F, 0x35, 0x6B, 0x6B]


@cocotb.test()
async def the_clock_stands_still_while_the_ring_is_full(dut):
    b = bench(dut, blocks=2)
    b.ready = lambda: len(b.pending) < 10 or b.room
    b.room = 0
    await b.begin()
    cocotb.start_soon(b.grant_when_asked())
    await b.start()
    while len(b.pending) < 10:
        await b.cycles(1)
    await b.cycles(20)
    read = b.chip.nibbles
    await b.cycles(3000)
    assert b.chip.nibbles == read
    b.room = 1
    assert await b.finish() == ErrorCode.NONE
    b.check_whole()
    assert b.chip.opcodes[-1] == 0x6B and len(b.chip.addresses) == 1


@cocotb.test()
async def the_pins_are_free_soon_after_the_grant_ends(dut):
    chance = random.Random(5)
    b = bench(dut, blocks=2)
    await b.begin(pull=15)
    await b.start()
    for _ in range(12):
        dut.grant.value = 1
        await b.cycles(chance.randrange(1, 900))
        dut.grant.value = 0
        await b.cycles(RELEASE_CYCLES)
        await Timer(CS_MARGIN_NS, "ns")
        if not int(dut.busy.value):
            break
        assert not int(dut.driven.value) and not int(dut.oe.value) and int(dut.cs_pin.value)
        b.chip.asleep = True  # as the host may leave it
        await b.cycles(chance.randrange(3, 200))
    cocotb.start_soon(b.grant_when_asked())
    assert await b.finish() == ErrorCode.NONE
    b.check_whole()


@cocotb.test()
async def a_request_that_nobody_grants_ends_at_its_deadline(dut):
    b = bench(dut)
    await b.begin()
    await b.start()
    assert await b.finish() == ErrorCode.FLASH
    assert not b.chip.opcodes
    await b.cycles(3)
    assert not int(dut.request.value)


@cocotb.test()
@cocotb.parametrize(by=["abort", "enable"])
async def an_abort_frees_the_pins_and_the_next_stream_is_whole(dut, by):
    chance = random.Random(6)
    b = bench(dut, blocks=1)
    await b.begin(pull=15)
    cocotb.start_soon(b.grant_when_asked())
    for _ in range(8):
        await b.start()
        await b.cycles(chance.randrange(1, 1200))
        getattr(dut, by).value = by == "abort"
        await b.cycles(1)
        getattr(dut, by).value = by != "abort"
        assert not int(dut.busy.value)
        await b.cycles(3)
        assert not int(dut.driven.value) and not int(dut.oe.value) and int(dut.cs_pin.value)
        b.committed = []
    await b.start()
    assert await b.finish() == ErrorCode.NONE
    b.check_whole()


@cocotb.test()
async def start_clears_the_error_and_is_ignored_while_busy(dut):
    b = bench(dut, blocks=1, present=False)
    assert await stream(b) == ErrorCode.FLASH
    b.chip.present = True
    await b.start()
    assert int(dut.error.value) == ErrorCode.NONE and int(dut.busy.value)
    await b.cycles(900)
    await b.start()
    assert await b.finish() == ErrorCode.NONE
    b.check_whole()
    assert len(b.chip.addresses) == 1
