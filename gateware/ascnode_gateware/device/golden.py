"""The golden accelerator at its pins: frames in, bytes out, results from the executor, time from the predictor."""

from ascnode_gateware.device.flash_chip import FlashChip
from ascnode_gateware.device.golden_engine import GoldenEngine, Shared
from ascnode_gateware.device.interface import GAP_CYCLES, RESET_CYCLES, Clock, Rates
from ascnode_gateware.device.spi_port import SpiPort


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
        timing = rates or Rates()
        self.flash = flash or FlashChip()
        self.engine = GoldenEngine(self.flash, timing.clock_hz, shared or Shared(), seed)
        self._port = SpiPort(self.engine, self._pass_bytes)
        self._clock = Clock(timing)
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
        self.engine.advance(self._clock.of_us(microseconds))
        return self.engine.registers.irq

    def flash_frame(self, sent: bytes) -> bytes | None:
        if self.engine.holds_flash:
            return None
        self._pass_bytes(len(sent))
        return self.flash.frame(sent, self.engine.now_us)

    def close(self) -> None:
        """There is nothing to end."""

    def _pass_bytes(self, count: int) -> None:
        self.engine.advance(self._clock.of_bytes(count))
