"""The RP2040 and RP2350 (MicroPython's rp2 port)."""

import sys

import machine

from ascnode_fw.hal.stdio import StdioHal


class Hal(StdioHal):
    """What the node needs of its board."""

    # the port, and the chip: the machine's last word, as in "Raspberry Pi Pico with RP2040"
    capabilities = ("rp2", sys.implementation._machine.split()[-1].lower())

    def unique_id(self) -> bytes:
        return machine.unique_id()
