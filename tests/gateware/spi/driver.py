"""The host's SPI peripheral: mode 0, a frame for each time CS is low."""

from cocotb.triggers import Timer

from gateware.spi.clocks import CORE_PERIOD_PS


class SpiDriver:
    """`ratio` is SCK / core clock. Each frame begins at a random phase, after a random pause (`random`: seeded).

    `damage`, if given, takes and returns (bits sent, bits received): a noisy line.
    """

    def __init__(self, dut, ratio, random):
        self._dut, self._random = dut, random
        self.half_ps = max(1, round(CORE_PERIOD_PS / ratio / 2))
        self.sent = 0  # bits of the frame under way
        self.flip_mosi = lambda bit: 0
        self.flip_miso = lambda bit: 0

    async def exchange(self, frame, bits=None):
        """Bytes received while `frame` is sent; with `bits`, CS rises after that many. A cut byte is dropped."""
        dut, half = self._dut, Timer(self.half_ps, "ps")
        received = 0
        total = 8 * len(frame) if bits is None else bits
        sent = int.from_bytes(frame, "big") >> (8 * len(frame) - total)
        await Timer(self._random.randrange(1, 2 * CORE_PERIOD_PS), "ps")
        dut.cs_n.value, self.sent = 0, 0
        for at in range(total):
            dut.mosi.value = (sent >> (total - 1 - at) & 1) ^ self.flip_mosi(at)
            await half
            received = received << 1 | int(dut.miso.value) ^ self.flip_miso(at)
            dut.sck.value = 1
            self.sent = at + 1
            await half
            dut.sck.value = 0
        await half
        dut.cs_n.value = 1
        await half
        return (received >> total % 8).to_bytes(total // 8, "big")

    async def run(self, exchange):
        """The result of one of `ascnode_gateware.bus.host.Host`'s generators."""
        received = None
        try:
            while True:
                received = await self.exchange(exchange.send(received))
        except StopIteration as stop:
            return stop.value
