"""The accelerator's bus in a cocotb bench: a driver, a monitor, a model of the memory, and a checker in order.

Inputs change on falling edges, and outputs are looked at there: a bus access is what its rising edge finds.
"""

from collections import deque
from dataclasses import dataclass, field

import cocotb
from cocotb.triggers import Event, FallingEdge, RisingEdge

REGISTERS = 0x8000


@dataclass
class Request:
    """An access: `word` to write, or None to read; `expected` of a read, None where it may be anything."""

    address: int
    word: int | None = None
    expected: int | None = None
    result: int | None = None
    done: Event = field(default_factory=Event)


class Driver:
    """Puts requests on the bus in order; leaves a cycle idle with the probability `idle`."""

    def __init__(self, dut, rng, idle=0.0):
        self._dut, self._rng, self.idle = dut, rng, idle
        self._queue = deque()
        dut.bus_valid.value = 0
        cocotb.start_soon(self._run())

    def send(self, request):
        self._queue.append(request)

    @property
    def waiting(self):
        return len(self._queue)

    async def _run(self):
        dut = self._dut
        while True:
            if self._queue and self._rng.random() >= self.idle:
                await self._access(self._queue.popleft())
            else:
                dut.bus_valid.value = 0
                await FallingEdge(dut.clk)

    async def _access(self, request):
        """Held until the edge that finds `bus_ready`."""
        dut, taken = self._dut, False
        dut.bus_valid.value = 1
        dut.bus_addr.value = request.address
        dut.bus_write.value = request.word is not None
        dut.bus_wdata.value = request.word or 0
        while not taken:
            await RisingEdge(dut.clk)
            taken = bool(dut.bus_ready.value)
            await FallingEdge(dut.clk)


class Monitor:
    """Hands each access to `sink` in the cycle after it, when the word that it read is there."""

    def __init__(self, dut, sink):
        self._dut, self._sink = dut, sink
        cocotb.start_soon(self._run())

    async def _run(self):
        dut = self._dut
        while True:
            await RisingEdge(dut.clk)
            if dut.bus_valid.value and dut.bus_ready.value:
                address = int(dut.bus_addr.value)
                written = int(dut.bus_wdata.value) if dut.bus_write.value else None
                await FallingEdge(dut.clk)
                self._sink(address, written, int(dut.bus_rdata.value))


class Checker:
    """Accesses must come as they were requested, and reads bring what was expected then."""

    def __init__(self):
        self._expected = deque()
        self.checked = 0

    def expect(self, request):
        self._expected.append(request)

    def __call__(self, address, written, read):
        assert self._expected, f"an access to {address:#06x} that nobody asked for"
        request = self._expected.popleft()
        assert (address, written) == (request.address, request.word), (
            f"{request} became {address:#06x}, {written}"
        )
        if written is None:
            self._check_read(request, read)
        request.done.set()

    def _check_read(self, request, read):
        request.result = read
        if request.expected is not None:
            self.checked += 1
            assert read == request.expected, (
                f"{request.address:#06x} reads {read:#010x}, not {request.expected:#010x}"
            )


class MemoryModel:
    """Words that only the host writes; any other address reads None."""

    def __init__(self):
        self.words = {}

    def write(self, address, word):
        if address < REGISTERS:
            self.words[address] = word

    def read(self, address):
        return self.words.get(address)


class Bus:
    """What a bench uses: requests go to driver, model and checker together."""

    def __init__(self, dut, rng, idle=0.0):
        self.model, self.checker = MemoryModel(), Checker()
        self.driver = Driver(dut, rng, idle)
        Monitor(dut, self.checker)

    def post_write(self, address, word):
        """Without waiting for it."""
        self.model.write(address, word)
        return self._send(Request(address, word & 0xFFFFFFFF))

    def post_read(self, address):
        return self._send(Request(address, expected=self.model.read(address)))

    async def write(self, address, words):
        requests = [self.post_write(address + place, int(word)) for place, word in enumerate(words)]
        if requests:
            await requests[-1].done.wait()

    async def read(self, address):
        request = self.post_read(address)
        await request.done.wait()
        return request.result

    def _send(self, request):
        self.checker.expect(request)
        self.driver.send(request)
        return request
