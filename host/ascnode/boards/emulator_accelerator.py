"""The accelerator at an emulated chip's SPI0, wired as on a pico-ice. docs/accelerator-device.md describes its link."""

from __future__ import annotations

import os
import socket
import struct

from rp2040py.gpio_pin import GPIOPinState
from rp2040py.rp2040 import RP2040

from ascnode_gateware.device.interface import SCK_HZ
from ascnode_gateware.device.link import MAX_MESSAGE, Kind

# The RP2040's pins on a pico-ice, ascnode_gateware.synth.boards; MISO, SCK and MOSI are SPI0's by the chip.
_IRQ, _RESET_N, _CS_N = 0, 1, 5
_DEADLINE_S = 60.0
_BYTE_NS = 8e9 / SCK_HZ  # that a byte lasts at the accelerator's end of the link
# After a frame its IRQ pin is looked at so often, for so long; what is longer ago than that it sleeps through.
_LOOK_NS = 200e3
_AWAKE_NS = 200e6


class SpiAccelerator:
    """Passes on bytes in the time that they take on the wires, and lets the accelerator's time pass with the chip's.

    `fd`: the board's end of a link. A link that fails ends the emulation: RuntimeError with what the other end says.
    """

    def __init__(self, fd: int) -> None:
        self._link = socket.socket(fileno=os.dup(fd))
        self._link.settimeout(_DEADLINE_S)

    def attach(self, rp2040: RP2040) -> None:
        """Wires it to a chip whose power has just come."""
        self._ask(Kind.END)
        self._spi = rp2040.spi[0]
        self._clock = rp2040.clock
        self._irq = rp2040.gpio[_IRQ]
        self._passed_ns = self._frame_ns = 0.0
        self._answer = 0
        self._selected = False
        self._sent = self._clock.create_alarm(lambda: self._spi.complete_transmit(self._answer))
        self._look = self._clock.create_alarm(self._watch)
        self._spi.on_transmit = self._byte
        rp2040.gpio[_CS_N].add_listener(self._select)
        rp2040.gpio[_RESET_N].add_listener(self._reset)

    def close(self) -> None:
        """Gives the link back."""
        self._link.close()

    def _byte(self, value: int) -> None:
        self._answer = 0
        if self._selected:
            self._answer = self._ask(Kind.PART, bytes((value,)))[0]
            self._passed_ns += _BYTE_NS
        self._sent.schedule(self._spi.data_bits * 1e9 / self._spi.clock_frequency)

    def _select(self, now: GPIOPinState, _before: GPIOPinState) -> None:
        selected = now == GPIOPinState.LOW
        if selected and not self._selected:
            self._look.cancel()
            self._catch_up()
        elif self._selected and not selected:
            self._ask(Kind.END)
            self._frame_ns = self._clock.nanos
            self._look.schedule(_LOOK_NS)
        self._selected = selected

    def _reset(self, now: GPIOPinState, before: GPIOPinState) -> None:
        if now == GPIOPinState.LOW and before == GPIOPinState.HIGH:
            self._ask(Kind.RESET)

    def _watch(self) -> None:
        level = self._catch_up()
        if not level and self._clock.nanos - self._frame_ns < _AWAKE_NS:
            self._look.schedule(_LOOK_NS)

    def _catch_up(self) -> bool:
        # Lets the time pass that has passed for the chip; the IRQ pin's level then.
        behind_us = int(min(self._clock.nanos - self._passed_ns, _AWAKE_NS) // 1000)
        level = self._ask(Kind.WAIT, struct.pack(">I", max(0, behind_us)))[0] != 0
        self._passed_ns = max(self._passed_ns, self._clock.nanos)
        self._irq.set_input_value(level)
        return level

    def _ask(self, kind: Kind, body: bytes = b"") -> bytes:
        try:
            self._link.send(bytes((kind,)) + body)
            reply = self._link.recv(MAX_MESSAGE)
        except OSError as error:
            raise RuntimeError(f"the accelerator does not answer: {error}") from None
        if not reply or reply[0] != kind:
            raise RuntimeError(f"the accelerator says {reply[1:].decode(errors='replace') or 'nothing'}")
        return reply[1:]
