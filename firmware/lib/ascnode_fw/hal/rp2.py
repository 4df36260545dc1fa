"""The RP2040 and RP2350 (MicroPython's rp2 port)."""

import sys

import machine

from ascnode_fw.hal.stdio import StdioHal

TYPE_CHECKING = False  # type checkers take it for true
if TYPE_CHECKING:
    from ascnode_fw.hal.spi import SpiBus

# A byte each: SPI, its MISO, CS, SCK, MOSI; the accelerator's IRQ, reset, flash request and grant; the shared flash's
# SPI, MISO, CS, SCK, MOSI. These are a pico-ice's; another board has its own in a file.
PINS_FILE = "pins.bin"
_PINS = b"\x00\x04\x05\x06\x07\x00\x01\x02\x03\x01\x08\x09\x0a\x0b"


class Hal(StdioHal):
    """What the node needs of its board."""

    # the port, and the chip: the machine's last word, as in "Raspberry Pi Pico with RP2040"
    capabilities = ("rp2", sys.implementation._machine.split()[-1].lower())

    def unique_id(self) -> bytes:
        return machine.unique_id()

    def accelerator(self) -> "SpiBus":
        # Whether one is there shows when it is asked.
        from ascnode_fw.hal.spi import SpiBus

        pins = self.store.read(PINS_FILE) or _PINS
        if len(pins) != len(_PINS):
            raise OSError("%s has %d bytes, not %d" % (PINS_FILE, len(pins), len(_PINS)))
        return SpiBus(pins)
