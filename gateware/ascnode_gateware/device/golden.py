"""The golden accelerator at its pins: frames in, bytes out, results from the executor, time from the predictor."""

from ascnode_gateware.device.flash_chip import FlashChip
from ascnode_gateware.device.golden_engine import GoldenEngine, Shared
from ascnode_gateware.device.interface import GAP_CYCLES, RESET_CYCLES, Rates
from ascnode_gateware.device.spi_port import SpiPort

_US = 1_000_000


class GoldenDevice:
    """Memory starts as noise of `seed`. Devices with one `shared` find each other's results."""

    def __init__(
        self,
        *,
        rates: Rates | None = None,
        flash: FlashChip | None = None,
        shared: Shared | None = None,
        seed: int = 1,
    ) -> None:
        self._rates = rates or Rates()
        self.flash = flash or FlashChip()
        self.engine = GoldenEngine(self.flash, self._rates.clock_hz, shared or Shared(), seed)
        self._port = SpiPort(self.engine, self._pass_bytes)
        self._left_sck = self._left_us = 0  # parts of a cycle
        self._selected = False

    def begin(self) -> None:
        self.engine.advance(GAP_CYCLES)
        self._selected = True
        self._port.begin()

    def exchange(self, sent: bytes) -> bytes:
        return self._port.exchange(sent) if self._selected else bytes(len(sent))

    def end(self) -> None:
        self._selected = False

    def transfer(self, frame: bytes) -> bytes:
        self.begin()
        received = self.exchange(frame)
        self.end()
        return received

    def reset(self) -> None:
        self.engine.reset()
        self._port.reset()
        self.engine.advance(RESET_CYCLES)

    def wait_us(self, microseconds: int) -> bool:
        cycles, self._left_us = divmod(microseconds * self._rates.clock_hz + self._left_us, _US)
        self.engine.advance(cycles)
        return self.engine.registers.irq

    def flash_frame(self, sent: bytes) -> bytes | None:
        if self.engine.holds_flash:
            return None
        self._pass_bytes(len(sent))
        return self.flash.frame(sent, self.engine.now_us)

    def close(self) -> None:
        """There is nothing to end."""

    def _pass_bytes(self, count: int) -> None:
        wanted = 8 * count * self._rates.clock_hz + self._left_sck
        cycles, self._left_sck = divmod(wanted, self._rates.sck_hz)
        self.engine.advance(cycles)
