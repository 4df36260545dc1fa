"""The accelerator's pins on the RP2040's port: SPI0 and three wires, as a pico-ice has them."""

import time

from machine import SPI, Pin

from ascnode_fw.compat import const

# as in ascnode_gateware.synth.boards
_IRQ = const(0)
_RESET_N = const(1)
_MISO = const(4)
_CS_N = const(5)
_SCK = const(6)
_MOSI = const(7)
_SCK_HZ = const(24000000)  # at most: the RP2040 divides 125 MHz by even numbers, to 20.8 MHz
_ENODEV = const(19)


class SpiPins:
    """See protocols.AcceleratorBus."""

    def __init__(self) -> None:
        self._cs = Pin(_CS_N, Pin.OUT, value=1)
        self._reset = Pin(_RESET_N, Pin.OUT, value=1)
        self._irq = Pin(_IRQ, Pin.IN)
        self._spi = SPI(0, baudrate=_SCK_HZ, sck=Pin(_SCK), mosi=Pin(_MOSI), miso=Pin(_MISO))

    def transfer(self, out: memoryview, into: memoryview, n: int) -> None:
        # One frame of n bytes with CS low, both ways.
        self._cs(0)
        self._spi.write_readinto(out[:n], into[:n])
        self._cs(1)

    def reset(self) -> None:
        # Far longer than the 8 cycles that it takes.
        self._reset(0)
        time.sleep_us(10)
        self._reset(1)

    def wait_us(self, us: int) -> int:
        time.sleep_us(us)
        return self._irq()

    def flash_transfer(self, out: memoryview, into: memoryview, n: int) -> bool:
        # The flash's own pins are not driven yet.
        raise OSError(_ENODEV)
