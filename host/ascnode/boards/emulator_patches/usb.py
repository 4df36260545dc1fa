"""rp2040py 0.3.6: its USB host answers each bulk OUT request of the chip within 10 us, with an empty packet when it has
nothing to send. TinyUSB asks again at once, so the chip never sleeps: a second of sleep_ms costs 38 s of host CPU.

A real host lets the chip wait (NAK) until there is something. So does this one.
"""

from __future__ import annotations

from rp2040py.peripherals.usb import RPUSBController
from rp2040py.usb.cdc import USBCDC

# Bytes that come one by one share a packet when they come within this time.
_GATHER_NS = 1000


class PatientHost(USBCDC):
    """A USB host with the chip's serial console. `room` is how many bytes it takes now."""

    def __init__(self, usb: RPUSBController) -> None:
        super().__init__(usb)
        self._answer = usb.on_endpoint_read
        usb.on_endpoint_read = self._asked
        self._asked_bytes: int | None = None  # by a request that waits
        self._was_full = False
        self._gathered = usb.rp2040.clock.create_alarm(self._send)

    @property
    def room(self) -> int:
        """Bytes that send() takes."""
        return self.tx_fifo.size - self.tx_fifo.item_count

    def send(self, data: bytes) -> None:
        """Bytes for the chip, no more than there is room for."""
        for byte in data:
            self.tx_fifo.push(byte)
        if data and self._asked_bytes is not None:
            self._gathered.schedule(_GATHER_NS)

    def _asked(self, endpoint: int, size: int) -> None:
        if endpoint == self._out_endpoint and not self.tx_fifo.item_count and not self._was_full:
            self._asked_bytes = size
            return
        self._reply(endpoint, size)

    def _reply(self, endpoint: int, size: int) -> None:
        if endpoint == self._out_endpoint:
            # A transfer of full packets ends with an empty one.
            self._was_full = self.tx_fifo.item_count >= size
        assert self._answer is not None
        self._answer(endpoint, size)

    def _send(self) -> None:
        size, self._asked_bytes = self._asked_bytes, None
        if size is not None:
            self._reply(self._out_endpoint, size)

    def _on_controller_reset(self) -> None:
        super()._on_controller_reset()
        self._asked_bytes = None
        self._was_full = False
