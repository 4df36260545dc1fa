"""The RP2040 and RP2350 (MicroPython's rp2 port)."""

import machine

from ascnode_fw.hal.stdio import StdioHal


class Hal(StdioHal):
    """What the node needs of its board."""

    capabilities = ("rp2",)

    def unique_id(self) -> bytes:
        return machine.unique_id()
