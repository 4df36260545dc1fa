"""The ESP32 family: console, flash and identity."""

import time

import machine

from ascnode_fw.hal.files import FileStore
from ascnode_fw.hal.stdio import Console


class Hal:
    """What the node needs of its board. Making one waits the grace window, then takes the console."""

    capabilities = ("esp32",)

    def __init__(self, grace_ms: int = 1000) -> None:
        # Ctrl-C still raises KeyboardInterrupt here: time to reach the REPL of a board that resets in a loop.
        time.sleep_ms(grace_ms)
        self.console = Console()
        self.store = FileStore("/")

    def unique_id(self) -> bytes:
        return machine.unique_id()

    def ticks_ms(self) -> int:
        return time.ticks_ms()  # type: ignore[return-value]  # the stubs make it a type of its own

    def reset(self) -> None:
        # The serial port stays up, unlike over a hard reset.
        machine.soft_reset()

    def repl(self) -> None:
        # For whoever leaves the firmware: gives the console back.
        self.console.restore()
