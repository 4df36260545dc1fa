"""Messages between a board and its accelerator: one datagram each way. docs/accelerator-device.md describes them."""

import struct
from enum import IntEnum

from ascnode_gateware.device.interface import Accelerator

MAX_MESSAGE = 1 << 16
_WAIT = struct.Struct(">I")


class Kind(IntEnum):
    """A message's first byte, and its reply's."""

    FRAME = 0x01  # bytes of one frame with CS low; as many back
    RESET = 0x02
    WAIT = 0x03  # microseconds, 4 bytes, high first; the IRQ pin's level back
    FLASH = 0x04  # a frame on the flash's bus; granted, then as many back
    PART = 0x05  # bytes of a frame; CS stays low behind them
    END = 0x06  # CS rises
    ERROR = 0xFF  # a reply only: one sentence


class LinkError(ValueError):
    """A message that says nothing the accelerator could do; one sentence."""


class Link:
    """Answers a board's messages with one accelerator."""

    def __init__(self, device: Accelerator) -> None:
        self._device = device
        self._open = False

    def answer(self, message: bytes) -> bytes:
        """The reply; what is malformed gets one that says so."""
        try:
            kind = _kind(message)
            return bytes([kind]) + self._answer(kind, message[1:])
        except ValueError as error:  # from the device too: a simulator that has died
            return bytes([Kind.ERROR]) + str(error).encode()

    def _answer(self, kind: Kind, body: bytes) -> bytes:
        device = self._device
        if kind is Kind.FRAME:
            self._close()
            return device.transfer(body)
        if kind is Kind.PART:
            return self._part(body)
        if kind is Kind.WAIT:
            return bytes([device.wait_us(_microseconds(body))])
        if kind is Kind.FLASH:
            found = device.flash_frame(body)
            return bytes(1 + len(body)) if found is None else b"\x01" + found
        if body:
            raise LinkError(f"message {kind:#04x} has no body, but {len(body)} bytes follow")
        self._close()
        if kind is Kind.RESET:
            device.reset()
        return b""

    def _part(self, body: bytes) -> bytes:
        if not self._open:
            self._device.begin()
            self._open = True
        return self._device.exchange(body)

    def _close(self) -> None:
        if self._open:
            self._device.end()
            self._open = False


def _kind(message: bytes) -> Kind:
    if not message:
        raise LinkError("a message has at least one byte")
    if message[0] not in tuple(Kind) or message[0] == Kind.ERROR:
        raise LinkError(f"there is no message {message[0]:#04x}")
    return Kind(message[0])


def _microseconds(body: bytes) -> int:
    if len(body) != _WAIT.size:
        raise LinkError(f"a wait is {_WAIT.size} bytes of microseconds, not {len(body)}")
    found: int = _WAIT.unpack(body)[0]
    return found
