"""An accelerator at the pins of a board with MicroPython's machine.SPI."""

import time

from machine import SPI, Pin

from ascnode_fw.compat import const

_BAUD = const(20000000)  # SCK may be 1.3 times the accelerator's clock of 24 MHz
_RESET_US = const(10)
_RELEASE_US = const(2)  # after a grant has ended, all pins are free


class SpiBus:
    """protocols.AcceleratorBus; `pins` as rp2.py lists them.

    The accelerator may take its flash's pins whenever this side does not use them.
    """

    def __init__(self, pins: bytes) -> None:
        self._cs = Pin(pins[2], Pin.OUT, value=1)
        self._spi = SPI(pins[0], baudrate=_BAUD, miso=Pin(pins[1]), sck=Pin(pins[3]), mosi=Pin(pins[4]))
        self._irq = Pin(pins[5], Pin.IN)
        self._reset = Pin(pins[6], Pin.OUT, value=1)  # low resets
        self._request = Pin(pins[7], Pin.IN)
        self._grant = Pin(pins[8], Pin.OUT, value=1)
        self._flash_pins = pins[9:]
        self._flash_cs = Pin(pins[11], Pin.IN)

    def transfer(self, out: memoryview, into: memoryview, n: int) -> None:
        self._cs.value(0)
        try:
            self._spi.write_readinto(out[:n], into[:n])
        finally:
            self._cs.value(1)

    def reset(self) -> None:
        self._reset.value(0)
        time.sleep_us(_RESET_US)
        self._reset.value(1)

    def wait_us(self, us: int) -> int:
        time.sleep_us(us)
        return self._irq.value()

    def flash_transfer(self, out: memoryview, into: memoryview, n: int) -> bool:
        if self._request.value():
            return False
        self._grant.value(0)
        time.sleep_us(_RELEASE_US)
        try:
            self._flash_frame(out[:n], into[:n])
        finally:
            for pin in self._flash_pins[1:]:
                Pin(pin, Pin.IN)
            self._grant.value(1)
        return True

    def _flash_frame(self, out: memoryview, into: memoryview) -> None:
        unit, miso, _, sck, mosi = self._flash_pins
        spi = SPI(unit, baudrate=_BAUD, miso=Pin(miso), sck=Pin(sck), mosi=Pin(mosi))
        self._flash_cs.init(Pin.OUT, value=0)
        try:
            spi.write_readinto(out, into)
        finally:
            self._flash_cs.init(Pin.OUT, value=1)
