"""The ESP32 family (MicroPython's esp32 port)."""

import machine

from ascnode_fw.hal.stdio import StdioHal


class Hal(StdioHal):
    """What the node needs of its board."""

    capabilities = ("esp32",)

    def unique_id(self) -> bytes:
        return machine.unique_id() + bytes(2)  # a MAC address of 6 bytes
