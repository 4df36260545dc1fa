"""What happens on a bus of the stand-in accelerator, and whether it is what a model expects."""

from collections import deque
from dataclasses import dataclass

import cocotb
from cocotb.triggers import ReadOnly, RisingEdge, ValueChange


@dataclass(frozen=True)
class Access:
    """`word` is None for a read."""

    address: int
    word: int | None = None


class BusMonitor:
    """Hands every access on `side` ("spi" or "wb") to `sink` in the cycle after it."""

    def __init__(self, dut, side, sink):
        self._toggle = getattr(dut, f"{side}_log_toggle")
        self._write, self._address, self._wdata = (
            getattr(dut, f"{side}_log_{name}") for name in ("write", "address", "wdata")
        )
        self._sink = sink
        self._task = cocotb.start_soon(self._watch())

    def stop(self):
        self._task.cancel()

    async def _watch(self):
        while True:
            await ValueChange(self._toggle)
            await ReadOnly()
            word = int(self._wdata.value) if self._write.value else None
            self._sink(Access(int(self._address.value), word))


class PulseCounter:
    """Counts the cycles in which a wire is high."""

    def __init__(self, dut, name):
        self.count = 0
        self._clock, self._wire = dut.clk, getattr(dut, name)
        self._task = cocotb.start_soon(self._watch())

    def stop(self):
        self._task.cancel()

    async def _watch(self):
        while True:
            await RisingEdge(self._wire)
            while True:
                await RisingEdge(self._clock)
                if not self._wire.value:
                    break
                self.count += 1


class Checker:
    """Compares accesses with those expected, in order. Memory that no expected write touched is its guard."""

    def __init__(self):
        self._expected = deque()
        self.seen = 0

    def expect(self, *accesses):
        self._expected.extend(accesses)

    def __call__(self, access):
        self.seen += 1
        assert self._expected, f"unexpected {access}"
        expected = self._expected.popleft()
        assert access == expected, f"{access} in place of {expected}"

    def done(self):
        assert not self._expected, f"{len(self._expected)} accesses are missing, first {self._expected[0]}"
