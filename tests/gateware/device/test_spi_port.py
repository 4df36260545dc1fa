"""The golden port's bytes against the examples of docs/accelerator-spi.md, and its errors against that page's table."""

import re
from pathlib import Path

import pytest

from ascnode_gateware.bus.frames import Status, read_request, with_crc, write_request
from ascnode_gateware.device.golden import GoldenDevice
from ascnode_gateware.device.interface import Rates
from ascnode_gateware.registers.table import REGISTERS, Access
from ascnode_gateware.sim.addresses import address, value

PAGE = Path(__file__).resolve().parents[3] / "docs" / "accelerator-spi.md"


def examples() -> list[bytes]:
    lines = re.findall(r"^ *((?:[0-9a-f]{2} ){17,}[0-9a-f]{2})$", PAGE.read_text(), re.MULTILINE)
    return [bytes.fromhex(line) for line in lines]


def errors(device: GoldenDevice) -> tuple[int, int]:
    request = read_request(0, address("ERRORS"), 1)
    [word] = request.decode(device.transfer(request.encode())).words
    return value("crc_errors", word), value("frame_errors", word)


def test_the_pages_examples() -> None:
    read, identity, write, written = examples()
    device = GoldenDevice()
    assert device.transfer(read) == identity
    assert device.transfer(write) == written
    look = read_request(6, 0x1234, 1)
    assert look.decode(device.transfer(look.encode())).words == (0x12345678,)


def test_every_register_reads_its_reset_value_and_write_only_ones_read_zero() -> None:
    device = GoldenDevice()
    for register in REGISTERS:
        request = read_request(0, register.address, 1)
        [word] = request.decode(device.transfer(request.encode())).words
        readable = [field for field in register.fields if field.readable]
        assert word == sum(field.reset << field.low for field in readable), register.name
        hidden = [field for field in register.fields if field.access is Access.WRITE_ONLY]
        assert not any(word & field.mask for field in hidden)


@pytest.mark.parametrize(
    ("frame", "counted"),
    [
        (b"", (0, 0)),
        (write_request(1, 0, [1, 2]).encode()[:20], (0, 1)),
        (write_request(1, 0, [1, 2]).encode() + b"\0", (0, 1)),
        (read_request(1, 0, 2).encode() + bytes(9), (0, 1)),
        (b"\x93" + read_request(3, 0x8000, 1).encode()[1:], (1, 0)),
        (with_crc(b"\x33\0\x80\x01") + bytes(14), (0, 1)),
        (with_crc(b"\x25\2\x80\x02") + bytes(26), (0, 1)),
    ],
    ids=["empty", "cut", "long write", "long read", "header", "opcode", "burst to registers"],
)
def test_what_is_wrong_about_a_frame_is_counted_once_and_the_next_one_works(
    frame: bytes, counted: tuple[int, int]
) -> None:
    device = GoldenDevice()
    device.transfer(frame)
    assert errors(device) == counted
    assert errors(device) == counted  # the one before was whole


def test_a_write_with_a_damaged_payload_is_an_error_but_its_words_are_there() -> None:
    device = GoldenDevice()
    request = write_request(1, 0x40, [0x11111111, 0x22222222])
    frame = bytearray(request.encode())
    frame[12] ^= 1
    assert request.decode(device.transfer(bytes(frame))).status == Status.CRC_ERROR
    look = read_request(1, 0x40, 2)
    assert look.decode(device.transfer(look.encode())).words == (0x11111111, 0x22222223)
    assert errors(device) == (1, 0)


def test_addresses_wrap_inside_memory_and_inside_the_registers() -> None:
    device = GoldenDevice()
    frame = with_crc(b"\x21\xff\x7f\x02") + with_crc(bytes(range(1, 9))) + bytes(10)
    device.transfer(frame)
    look = read_request(1, 0, 1)
    assert look.decode(device.transfer(look.encode())).words == (0x08070605,)


def test_bytes_outside_a_frame_are_none() -> None:
    device = GoldenDevice()
    assert device.exchange(read_request(3, 0x8000, 1).encode()) == bytes(22)


@pytest.mark.parametrize("rates", [(0, 1), (24_000_000, 0), (24_000_000, 31_300_000)])
def test_rates_outside_the_pages_are_refused(rates: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="SCK of"):
        Rates(*rates)
