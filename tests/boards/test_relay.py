"""Bytes between a host and a board's console."""

import os
import random
import select
import time
import zlib
from pathlib import Path

from ascnode.boards.flash_image import read_files
from boards.rig import ECHO, FIRMWARE_LOOP, Port, rig
from unix_port import run_micropython

MEGABYTE = 1 << 20

# Sends 1 MiB of a known sequence and takes 1 MiB at the same time; answers with the CRC-32 of what came.
BOTH_WAYS = (
    FIRMWARE_LOOP
    + """
import binascii
out = bytearray(1024)
for i in range(1024):
    out[i] = (i * 167 + 13) & 255
buf = bytearray(1024)
view = memoryview(buf)
sent = taken = crc = 0
while sent < 1 << 20 or taken < 1 << 20:
    if sent < 1 << 20:
        console.write(out, 1024)
        sent += 1024
    while taken < 1 << 20 and console.wait(0 if sent < 1 << 20 else 1000):
        n = console.read_into(buf)
        crc = binascii.crc32(view[:n], crc)
        taken += n
console.write(crc.to_bytes(4, "little"), 4)
console.wait(-1)
"""
)
SENT_BY_BOARD = bytes((i * 167 + 13) & 255 for i in range(1024)) * 1024

SENDS_A_MEGABYTE = (
    FIRMWARE_LOOP
    + """
out = bytes((i * 167 + 13) & 255 for i in range(1024))
for _ in range(1024):
    console.write(out, 1024)
hal.store.write("all sent", b"")
console.write(b"DONE", 4)
console.wait(-1)
"""
)


def test_every_byte_value_passes_both_ways_unchanged(tmp_path: Path) -> None:
    # Each value beside each of its neighbours in a shuffled order: no pair is special either.
    values = list(range(256)) * 4
    random.Random(20).shuffle(values)
    with rig(tmp_path, ECHO) as (_, port):
        port.read_until(b"READY")
        port.write(bytes(values))
        assert port.read(len(values)) == bytes(values)


def test_a_megabyte_each_way_at_once_neither_gets_lost_nor_stuck(tmp_path: Path) -> None:
    data = random.Random(21).randbytes(MEGABYTE)
    with rig(tmp_path, BOTH_WAYS) as (_, port):
        port.read_until(b"READY")
        received = exchange(port, data, MEGABYTE + 4)
    assert received[:-4] == SENT_BY_BOARD
    assert int.from_bytes(received[-4:], "little") == zlib.crc32(data)


def exchange(port: Port, data: bytes, expected: int) -> bytes:
    """Writes `data` and reads `expected` bytes at the same time."""
    fd = port.serial.fileno()
    os.set_blocking(fd, False)
    waiting, received = memoryview(data), bytearray()
    while len(received) < expected:
        readable, writable, _ = select.select([fd], [fd] if waiting else [], [], 10)
        assert readable or writable, f"stuck with {len(waiting)} to write, {len(received)} read"
        if readable:
            received += os.read(fd, 65536)
        if writable:
            waiting = waiting[os.write(fd, waiting[:4096]) :]
    return bytes(received)


def test_a_host_that_does_not_read_holds_the_board_back_and_loses_nothing(tmp_path: Path) -> None:
    with rig(tmp_path, SENDS_A_MEGABYTE) as (board, port):
        port.read_until(b"READY")
        time.sleep(0.3)
        assert "all sent" not in read_files(board.flash.read_bytes())
        assert port.read(MEGABYTE) == SENT_BY_BOARD
        port.read_until(b"DONE")
        assert "all sent" in read_files(board.flash.read_bytes())


def test_a_read_gives_what_is_there_and_a_wait_ends_in_time(tmp_path: Path) -> None:
    main = (
        FIRMWARE_LOOP
        + """
buf = bytearray(100)
print(console.read_into(buf), console.wait(0), console.wait(20))
print(console.wait(5000), console.read_into(buf), buf[:3], console.read_into(buf), console.wait(0))
"""
    )
    with rig(tmp_path, main) as (_, port):
        port.read_until(b"READY")
        assert port.read_until(b"\n") == b"0 False False\n"
        port.write(b"\x03\x00\xff")
        assert port.read_until(b"\n") == b"True 3 bytearray(b'\\x03\\x00\\xff') 0 False\n"


def test_reading_and_writing_frames_allocates_nothing(tmp_path: Path) -> None:
    main = (
        FIRMWARE_LOOP
        + """
import micropython
def frames(console, buf):
    for _ in range(50):
        while not console.wait(1000):
            pass
        console.write(buf, console.read_into(buf))
buf = bytearray(64)
micropython.heap_lock()
try:
    frames(console, buf)
finally:
    micropython.heap_unlock()
console.write(b"DONE", 4)
console.wait(-1)
"""
    )
    with rig(tmp_path, main) as (_, port):
        port.read_until(b"READY")
        for i in range(50):
            port.write(bytes([i, 3, 0x5A]))
            assert port.read(3) == bytes([i, 3, 0x5A])
        port.read_until(b"DONE")


def test_the_console_of_real_boards_passes_every_byte_value_too(tmp_path: Path) -> None:
    main = ECHO.replace(
        "console = hal.console", "from ascnode_fw.hal.stdio import Console\nconsole = Console()"
    )
    # The unix console's settings make reads return at once; the other one must not need them.
    main = main.replace("from ascnode_fw.hal.stdio", "hal.repl()\nfrom ascnode_fw.hal.stdio")
    values = list(range(256)) * 2
    random.Random(22).shuffle(values)
    with rig(tmp_path, main) as (_, port):
        port.read_until(b"READY")
        port.write(bytes(values))
        assert port.read(len(values)) == bytes(values)


def test_every_port_offers_the_same_board() -> None:
    script = """
from ascnode_fw.hal import esp32, rp2, stdio, unix
def members(thing):
    return sorted(name for name in dir(thing) if not name.startswith("_"))
assert members(unix.Hal) == members(rp2.Hal) == members(esp32.Hal), members(unix.Hal)
assert members(unix.Console) == members(stdio.Console)
print(members(unix.Hal), members(unix.Console))
"""
    assert run_micropython(script) == (
        "['accelerator', 'capabilities', 'repl', 'unique_id'] ['read_into', 'restore', 'wait', 'write']\n"
    )
