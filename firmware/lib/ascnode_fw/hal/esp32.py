"""The ESP32 family (MicroPython's esp32 port)."""

import sys

import machine

from ascnode_fw.hal.stdio import StdioHal


class Hal(StdioHal):
    """What the node needs of its board."""

    # the port, and the chip: the machine's last word, as in "Raspberry Pi Pico with RP2040"
    capabilities = ("esp32", sys.implementation._machine.split()[-1].lower())

    def accelerator(self) -> None:
        # No board is known that has both.
        return None

    def unique_id(self) -> bytes:
        return machine.unique_id() + bytes(2)  # a MAC address of 6 bytes
