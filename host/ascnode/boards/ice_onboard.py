"""Runs on the board: an FPGA's configuration flash over SPI. Sent through the REPL, never stored there.

Commands and times: Winbond W25Q32JV data sheet.
"""

import hashlib
import time

_READ = 0x03
_PROGRAM = 0x02
_WRITE_ENABLE = 0x06
_STATUS = 0x05
_ERASE_4K = 0x20
_JEDEC = 0x9F
_WAKE = 0xAB
_BUSY = 0x01
_WAIT_MS = 1000  # tSE is 400 ms at the most


class IceFlash:
    # `cs`, `creset`, `cdone`: pins. While CRESET is low the FPGA leaves the flash's lines alone.

    def __init__(self, spi, cs, creset, cdone):
        self.spi = spi
        self.cs = cs
        self.creset = creset
        self.cdone = cdone
        creset.value(0)
        cs.value(1)
        self._send(bytes((_WAKE,)))
        time.sleep(0.001)

    def _send(self, data, n=0):
        self.cs.value(0)
        try:
            self.spi.write(data)
            return self.spi.read(n) if n else b""
        finally:
            self.cs.value(1)

    def _at(self, command, address):
        return bytes((command, address >> 16 & 0xFF, address >> 8 & 0xFF, address & 0xFF))

    def _wait(self):
        for _ in range(_WAIT_MS):
            if not self._send(bytes((_STATUS,)), 1)[0] & _BUSY:
                return
            time.sleep(0.001)
        raise OSError("the flash stays busy")

    def jedec(self):
        return self._send(bytes((_JEDEC,)), 3)

    def erase(self, address):
        self._send(bytes((_WRITE_ENABLE,)))
        self._send(self._at(_ERASE_4K, address))
        self._wait()

    def program(self, address, data):
        # A page of 256 bytes at a time; `address` is a multiple of 256.
        for at in range(0, len(data), 256):
            self._send(bytes((_WRITE_ENABLE,)))
            self._send(self._at(_PROGRAM, address + at) + data[at : at + 256])
            self._wait()

    def digest(self, address, n):
        sha = hashlib.sha256()
        while n:
            part = min(n, 256)
            sha.update(self._send(self._at(_READ, address), part))
            address += part
            n -= part
        return sha.digest().hex()

    def start(self):
        # Lets the FPGA load itself; whether it said that it has.
        self.creset.value(1)
        for _ in range(_WAIT_MS):
            if self.cdone.value():
                return True
            time.sleep(0.001)
        return False
