"""The RP2040 and RP2350 (MicroPython's rp2 port)."""

import sys

import machine

from ascnode_fw.hal.stdio import StdioHal

TYPE_CHECKING = False  # type checkers take it for true
if TYPE_CHECKING:
    from ascnode_fw.protocols import AcceleratorBus


class Hal(StdioHal):
    """What the node needs of its board."""

    # the port, and the chip: the machine's last word, as in "Raspberry Pi Pico with RP2040"
    capabilities = ("rp2", sys.implementation._machine.split()[-1].lower())

    def accelerator(self) -> "AcceleratorBus":
        # Whether somebody is at these pins shows when it is spoken to. The module loads only now: imports cost memory.
        from ascnode_fw.hal.rp2_spi import SpiPins

        return SpiPins()

    def unique_id(self) -> bytes:
        return machine.unique_id()
