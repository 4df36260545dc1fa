# A `machine` module for a virtual board: a pico-ice's pins and the W25Q32 behind them, kept in a file between
# boots. Runs on MicroPython. Commands from Winbond's data sheet; a program can only clear bits, and wraps in its page.
import os
import sys

PAGE = 256
SECTOR = 4096
IMAGE = "/w25q32.bin"
SIZE = 32 * SECTOR
levels = {}
selected = None


class Pin:
    IN = 0
    OUT = 1

    def __init__(self, number, mode=0, value=None):
        self.number = number
        if value is not None:
            self.value(value)

    def value(self, level=None):
        if level is None:
            # CDONE (26) follows CRESET (27) when the flash begins with a bitstream.
            return (
                int(levels.get(27, 0) and chip.configures())
                if self.number == 26
                else levels.get(self.number, 1)
            )
        if self.number == 9 and levels.get(9, 1) and not level:
            chip.begin()
        if self.number == 9 and level and not levels.get(9, 1):
            chip.end()
        levels[self.number] = level


class Flash:
    def __init__(self):
        self.awake = False
        self.enabled = False
        self.busy = 0
        self.command = b""

    def begin(self):
        self.command = b""

    def write(self, data):
        assert levels.get(27) == 0, "the FPGA is not in reset: it drives these lines too"
        assert levels.get(14, 1) == 1, "the PSRAM is selected as well"
        self.command += data

    def address(self):
        return self.command[1] << 16 | self.command[2] << 8 | self.command[3]

    def read(self, n):
        code = self.command[0]
        if not self.awake:
            return b"\xff" * n
        if code == 0x9F:
            return b"\xef\x40\x16"[:n]
        if code == 0x05:
            self.busy = max(0, self.busy - 1)
            return bytes((1 if self.busy else 0,)) * n
        if code == 0x03 and not self.busy:
            with open(IMAGE, "rb") as file:
                file.seek(self.address())
                return file.read(n)
        return b"\xff" * n

    def end(self):
        if not self.command:
            return
        code = self.command[0]
        if code == 0xAB:
            self.awake = True
        elif code == 0x06:
            self.enabled = True
        elif code in (0x20, 0x02) and self.enabled and not self.busy:
            self.enabled = False
            self.busy = 3
            if code == 0x20:
                self.store(self.address() // SECTOR * SECTOR, b"\xff" * SECTOR)
            else:
                self.program(self.address(), self.command[4:])

    def program(self, address, data):
        page = address // PAGE * PAGE
        with open(IMAGE, "rb") as file:
            file.seek(page)
            old = bytearray(file.read(PAGE))
        for i, byte in enumerate(data):
            old[(address + i) % PAGE] &= byte
        self.store(page, old)

    def store(self, at, data):
        with open(IMAGE, "r+b") as file:
            file.seek(at)
            file.write(data)

    def configures(self):
        with open(IMAGE, "rb") as file:
            return b"\x7e\xaa\x99\x7e" in file.read(64)


def make_image():
    try:
        os.stat(IMAGE)
    except OSError:
        with open(IMAGE, "wb") as file:
            for _ in range(SIZE // SECTOR):
                file.write(b"\xff" * SECTOR)


chip = Flash()


class SPI:
    def __init__(self, number, baudrate, sck, mosi, miso):
        assert (number, sck.number, mosi.number, miso.number) == (1, 10, 11, 8)
        make_image()

    def write(self, data):
        chip.write(data)

    def read(self, n):
        return chip.read(n)


def unique_id():
    return bytes((0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF))


def bootloader():
    sys.exit(7)
