"""A W25Q32JV on the bench's pins: what its data sheet says of the commands that the streamer uses, and its timing."""

import random
from dataclasses import dataclass, field

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge, Timer, ValueChange
from cocotb.utils import get_sim_time

# AC characteristics of the data sheet, in ns
CS_SETUP = 5  # tSLCH
CS_HIGH = 50  # tSHSL2
DATA_SETUP, DATA_HOLD = 2, 3  # tDVCH, tCHDX
OUTPUT_HOLD = 1.5  # tCLQX
CLOCK_TO_OUTPUT = 6  # tCLQV
WAKE = 3000  # tRES1
JEDEC_ID = 0xEF4016


@dataclass
class Chip:
    """What is soldered. `path` is the delay of pads and traces, there and back, in ns; `spoil` takes the count of
    nibbles read so far and a nibble, and returns what arrives of it."""

    image: bytes = b""
    present: bool = True
    quad: bool = True
    path: float = 4
    spoil: object = None
    asleep: bool = True
    awake_from: float = 0
    opcodes: list = field(default_factory=list)
    addresses: list = field(default_factory=list)
    nibbles: int = 0


class FlashModel:
    """Listens to the pins from construction on; `broken` collects the rules that the streamer broke."""

    def __init__(self, dut, chip, seed=1):
        self.dut, self.chip, self.broken = dut, chip, []
        self._random = random.Random(seed)
        self._selected_at = self._deselected_at = self._io_at = self._risen_at = -1e9
        self._bits = self._shift = self._opcode = self._address = 0
        self._obeys = False
        dut.flash_oe.value = 0
        shares = (self._share(dut.oe), self._share(dut.flash_oe))
        for job in (self._select(), self._rise(), self._fall(), self._lines(), *shares):
            cocotb.start_soon(job)

    def _check(self, holds, rule):
        if not holds:
            self.broken.append(f"{get_sim_time('ns'):.0f} ns: {rule}")

    async def _select(self):
        while True:
            await FallingEdge(self.dut.cs_pin)
            now = get_sim_time("ns")
            self._check(now - self._deselected_at >= CS_HIGH, "CS was high for too short a time")
            self._check(int(self.dut.sck_pin.value) == 0, "SCK was not low when CS fell")
            self._selected_at, self._bits, self._shift, self._obeys = now, 0, 0, False
            await RisingEdge(self.dut.cs_pin)
            self._deselected_at = get_sim_time("ns")
            if self._bits >= 8 and self._opcode == 0xAB and self.chip.asleep:
                self.chip.asleep, self.chip.awake_from = False, self._deselected_at + WAKE
            cocotb.start_soon(self._put(0, 0))

    async def _lines(self):
        while True:
            await ValueChange(self.dut.io)
            self._io_at = get_sim_time("ns")
            if self._commanded() and int(self.dut.oe.value):
                self._check(self._io_at - self._risen_at >= DATA_HOLD, "data changed too soon after SCK rose")

    async def _rise(self):
        while True:
            await RisingEdge(self.dut.sck_pin)
            now = self._risen_at = get_sim_time("ns")
            if int(self.dut.cs_pin.value) or self._held():
                continue
            self._check(now - self._selected_at >= CS_SETUP, "SCK rose too soon after CS fell")
            if self._commanded():
                self._check(now - self._io_at >= DATA_SETUP, "data came too late before SCK rose")
            self._take(int(self.dut.io.value) & 1, now)

    def _commanded(self):
        return self._bits < (32 if self._opcode == 0x6B or self._bits < 8 else 8)

    def _take(self, bit, now):
        self._shift, self._bits = (self._shift << 1 | bit) & 0xFFFFFFFF, self._bits + 1
        if self._bits == 8:
            self._opcode = self._shift
            self.chip.opcodes.append(self._opcode)
            awake = not self.chip.asleep and now >= self.chip.awake_from
            self._obeys = self.chip.present and (awake or self._opcode == 0xAB)
        if self._bits == 32 and self._opcode == 0x6B:
            self._address = 2 * (self._shift & 0xFFFFFF)
            self.chip.addresses.append(self._shift & 0xFFFFFF)

    async def _fall(self):
        while True:
            await FallingEdge(self.dut.sck_pin)
            if int(self.dut.cs_pin.value) or self._held() or not self._obeys or self._bits < 8:
                continue
            enable, value = self._output(self._bits - 8)
            cocotb.start_soon(self._put(enable, value))

    def _output(self, since):
        """(lines driven, their levels) behind the falling edge `since` pulses after the opcode's last."""
        if self._opcode == 0x9F and since < 24:
            return 2, (JEDEC_ID >> 23 - since & 1) << 1
        if self._opcode == 0x35:
            return 2, ((self.chip.quad << 1) >> 7 - since % 8 & 1) << 1
        if self._opcode == 0x6B and self.chip.quad and since >= 32:
            return 15, self._nibble()
        return 0, 0

    def _nibble(self):
        byte = self.chip.image[self._address // 2 % len(self.chip.image)]
        nibble = byte & 15 if self._address & 1 else byte >> 4
        self._address += 1
        self.chip.nibbles += 1
        return self.chip.spoil(self.chip.nibbles - 1, nibble) if self.chip.spoil else nibble

    async def _put(self, enable, value):
        """Rubbish from the end of the old value's hold time until the new one is valid."""
        await Timer(self.chip.path + OUTPUT_HOLD, "ns", round_mode="round")
        self.dut.flash_o.value = self._random.randrange(16)
        await Timer(CLOCK_TO_OUTPUT - OUTPUT_HOLD, "ns", round_mode="round")
        self.dut.flash_oe.value, self.dut.flash_o.value = enable, value

    def _held(self):
        """IO3 is /HOLD while QE is 0."""
        held = self.chip.present and not self.chip.quad and not int(self.dut.io.value) & 8
        self._check(not held, "the flash was held")
        return held

    async def _share(self, enables):
        while True:
            await ValueChange(enables)
            both = int(self.dut.flash_oe.value) & int(self.dut.oe.value)
            self._check(not both, "the FPGA and the flash drive the same line")
