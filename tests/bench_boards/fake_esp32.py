"""An ESP32 in its ROM loader, on a pseudo-terminal: what the real esptool needs to identify, write, verify.

Commands and registers from Espressif's "Serial Protocol" documentation and the ESP32 technical reference manual.
"""

import hashlib
import os
import pty
import struct
import threading
import tty
import zlib

END, ESC = 0xC0, 0xDB
SYNC, WRITE_REG, READ_REG, SECURITY = 0x08, 0x09, 0x0A, 0x14
FLASH_BEGIN, FLASH_DATA, DEFL_BEGIN, DEFL_DATA, MD5 = 0x02, 0x03, 0x10, 0x11, 0x13
MAGIC_REGISTER, EFUSE_MAC_LOW, EFUSE_MAC_HIGH = 0x40001000, 0x3FF5A004, 0x3FF5A008
SPI_COMMAND, SPI_W0, SPI_USER_COMMAND = 0x3FF42000, 0x3FF42080, 1 << 18
ESP32_MAGIC, ESP32S2_MAGIC = 0x00F01D83, 0x000007C6
WINBOND_4_MIB = 0x1640EF
BAD_CHECKSUM, NO_SUCH_COMMAND = 0x07, 0x05


class FakeEsp32:
    """`flash` is what it holds; `die_after` data blocks it goes silent and its port goes away."""

    def __init__(
        self,
        mac: bytes = bytes.fromhex("a0b1c2d3e4f5"),
        magic: int = ESP32_MAGIC,
        die_after: int | None = None,
    ) -> None:
        self._master, slave = pty.openpty()
        tty.setraw(slave)
        self.port = os.ttyname(slave)
        self._slave: int | None = slave
        self.flash = bytearray(b"\xff" * (4 << 20))
        self.commands: list[int] = []
        self.damage_next = False
        self._registers = {
            MAGIC_REGISTER: magic,
            EFUSE_MAC_LOW: int.from_bytes(mac[2:], "big"),
            EFUSE_MAC_HIGH: int.from_bytes(mac[:2], "big"),
        }
        self._die_after = die_after
        self._at = 0
        self._inflate: zlib._Decompress | None = None
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        if self._slave is not None:
            os.close(self._slave)
            os.close(self._master)
            self._slave = None

    def _serve(self) -> None:
        waiting = b""
        while True:
            try:
                waiting += os.read(self._master, 65536)
            except OSError:
                return
            while waiting.count(END) >= 2:
                start = waiting.index(END)
                end = waiting.index(END, start + 1)
                packet, waiting = waiting[start + 1 : end], waiting[end + bool(end > start + 1) :]
                if packet:
                    self._obey(packet.replace(b"\xdb\xdc", b"\xc0").replace(b"\xdb\xdd", b"\xdb"))
                if self._die_after is not None and self._blocks() >= self._die_after:
                    self.close()
                    return

    def _blocks(self) -> int:
        return self.commands.count(FLASH_DATA) + self.commands.count(DEFL_DATA)

    def _obey(self, packet: bytes) -> None:
        if len(packet) < 8:
            return
        _, command, _, checksum = struct.unpack_from("<BBHI", packet)
        data = packet[8:]
        self.commands.append(command)
        if command == SYNC:
            for _ in range(8):
                self._answer(command, 0x20120707)
        elif command == READ_REG:
            self._answer(command, self._registers.get(struct.unpack_from("<I", data)[0], 0))
        elif command == WRITE_REG:
            self._write_register(*struct.unpack_from("<2I", data))
            self._answer(command)
        elif command == SECURITY:
            self._answer(command, error=NO_SUCH_COMMAND)
        elif command in (FLASH_BEGIN, DEFL_BEGIN):
            _, _, _, self._at = struct.unpack_from("<4I", data)
            self._inflate = zlib.decompressobj() if command == DEFL_BEGIN else None
            self._answer(command)
        elif command in (FLASH_DATA, DEFL_DATA):
            self._program(command, data[16 : 16 + struct.unpack_from("<I", data)[0]], checksum)
        elif command == MD5:
            address, size = struct.unpack_from("<2I", data)
            digest = hashlib.md5(self.flash[address : address + size]).hexdigest()
            self._answer(command, data=digest.encode())
        else:  # SPI_ATTACH, SPI_SET_PARAMS, CHANGE_BAUDRATE, *_END
            self._answer(command)

    def _program(self, command: int, block: bytes, checksum: int) -> None:
        expected = 0xEF
        for byte in block:
            expected ^= byte
        if expected != checksum:
            self._answer(command, error=BAD_CHECKSUM)
            return
        if self._inflate is not None:
            block = self._inflate.decompress(block)
        self.flash[self._at : self._at + len(block)] = block
        if self.damage_next:
            self.flash[self._at] ^= 1
        self._at += len(block)
        self._answer(command)

    def _write_register(self, address: int, value: int) -> None:
        self._registers[address] = value
        if (
            address == SPI_COMMAND and value & SPI_USER_COMMAND
        ):  # the only user command asked here is the JEDEC id
            self._registers[SPI_COMMAND] = 0
            self._registers[SPI_W0] = WINBOND_4_MIB

    def _answer(self, command: int, value: int = 0, data: bytes = b"", error: int = 0) -> None:
        body = data + (bytes((1, error, 0, 0)) if error else bytes(4))
        packet = struct.pack("<BBHI", 1, command, len(body), value) + body
        stuffed = packet.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc")
        os.write(self._master, b"\xc0" + stuffed + b"\xc0")
